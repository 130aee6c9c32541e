"""The layouts by code, which one a parcel goes into, and files of them. Pure."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fulfillment.waybills import b2, clickpost, ehiden3, yupuri
from fulfillment.waybills.cells import Column, Made, file_of
from fulfillment.waybills.common import Service, service_of
from fulfillment.waybills.parcel import Contract, Parcel


@dataclass(frozen=True)
class Layout:
    """`header`: always, never, or as the contract says (None). `most_rows` where the carrier allows only so many."""

    code: str
    carrier: str
    label: str | Promise
    columns: Sequence[Column]
    make: Callable[[Parcel, Contract], Made]
    stem: str  # of the file's name
    header: bool | None = None
    most_rows: int | None = None
    quoted: bool = True


LAYOUTS = {
    one.code: one
    for one in (
        Layout("b2_95", "yamato", _("ヤマト B2クラウド（95列）"), b2.COLUMNS, b2.make, "yamato-b2"),
        Layout("b2_42", "yamato", _("ヤマト B2クラウド（42列まで）"), b2.COLUMNS[: b2.SHORT], b2.make, "yamato-b2"),
        Layout("ehiden3", "sagawa", _("佐川 e飛伝III（74列）"), ehiden3.COLUMNS, ehiden3.make, "sagawa-ehiden3"),
        Layout(
            "yupuri", "japanpost", _("ゆうプリR・Webゆうパックプリント（72列）"), yupuri.COLUMNS, yupuri.make,
            "yupuri-r", header=False,
        ),
        Layout(
            "clickpost", "japanpost", _("クリックポスト（40件ずつ）"), clickpost.COLUMNS, clickpost.make, "clickpost",
            header=True, most_rows=clickpost.MOST_ROWS, quoted=False,
        ),
    )
}  # fmt: skip
USUAL = {"yamato": "b2_95", "sagawa": "ehiden3", "japanpost": "yupuri"}
CHOICES = {
    carrier: [(one.code, one.label) for one in LAYOUTS.values() if one.carrier == carrier and one.code != "clickpost"]
    for carrier in USUAL
}


def layout_for(carrier: str, method: str, contract: Contract) -> Layout:
    """`carrier` is one of `USUAL`. The post office has two kinds of software; the delivery method says which."""
    if carrier == "japanpost" and service_of(method) == Service.CLICKPOST:
        return LAYOUTS["clickpost"]
    chosen = LAYOUTS.get(contract.layout)
    return chosen if chosen and chosen.carrier == carrier else LAYOUTS[USUAL[carrier]]


def files_of(layout: Layout, contract: Contract, made: Sequence[Made]) -> list[bytes]:
    """One file, or several where it would get too long; the pieces of one parcel stay together."""
    most = layout.most_rows or max(1, contract.most_rows)
    header = [[column.name for column in layout.columns]] if _has_header(layout, contract) else []
    parts: list[list[Sequence[str]]] = [[]]
    for one in made:
        if parts[-1] and len(parts[-1]) + len(one.rows) > most:
            parts.append([])
        parts[-1] += one.rows
    return [file_of([*header, *rows], quoted=layout.quoted) for rows in parts]


def _has_header(layout: Layout, contract: Contract) -> bool:
    return contract.header if layout.header is None else layout.header


def packed(name: str, files: Sequence[bytes]) -> tuple[str, bytes]:
    """(name, content): the file itself, or a zip of several."""
    if len(files) == 1:
        return f"{name}.csv", files[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files, start=1):
            archive.writestr(f"{name}-{number:02d}.csv", content)
    return f"{name}.zip", out.getvalue()

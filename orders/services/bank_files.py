"""Loading what the bank says: every incoming transfer becomes one line, however often it is loaded."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.decide import bank_formats
from orders.decide.bank_formats import Incoming
from orders.decide.matching import payer_key
from orders.models import BankFile, BankLine, BankPreset
from orders.services import payer_names
from orders.services.journal import Actor

KIND = "bank_preset"  # of its versions


@dataclass(frozen=True, slots=True)
class Loaded:
    file: BankFile
    fresh: int
    known: int


@transaction.atomic
def load(lines: Sequence[Incoming], *, name: str, layout: str, account: str, actor: Actor) -> Loaded:
    """Store the lines that are new. Equal lines of one file are told apart by their place among each other, so that
    a later file of the same day brings only what came since."""
    keyed = list(zip(_keys(lines, account), lines, strict=True))
    known = set(BankLine.objects.filter(key__in=[key for key, _line in keyed]).values_list("key", flat=True))
    file = BankFile.objects.create(
        name=name[:200],
        layout=layout,
        account=account[:60],
        lines_read=len(lines),
        fresh=0,
        at=clock.now(),
        by=actor.by,
    )
    fresh = [
        BankLine(
            file=file,
            key=key,
            on=line.on,
            amount=line.amount,
            payer=line.payer[:120],
            payer_key=payer_key(line.payer)[:120],
            text=line.text[:200],
        )
        for key, line in keyed
        if key not in known
    ]
    BankLine.objects.bulk_create(fresh, ignore_conflicts=True)  # somebody may load the same file this moment
    file.fresh = BankLine.objects.filter(file=file).count()
    file.save(update_fields=["fresh"])
    payer_names.soon()
    return Loaded(file, file.fresh, len(lines) - file.fresh)


def _keys(lines: Sequence[Incoming], account: str) -> list[str]:
    seen: Counter[tuple] = Counter()
    keys = []
    for line in lines:
        same = (account, line.on.isoformat(), line.amount, payer_key(line.payer) or line.payer)
        seen[same] += 1
        keys.append(hashlib.sha1(repr((*same, seen[same])).encode(), usedforsecurity=False).hexdigest())
    return keys


def read(content: bytes, *, columns: Mapping[str, int] | None = None, skip: int = 0) -> bank_formats.Statement:
    """The transfers of a file or a pasted text. CSV needs its columns, unless its headings say them.

    Raises `bank_formats.Unreadable` with a sentence for people.
    """
    today = clock.today()
    if bank_formats.is_zengin(content):
        return bank_formats.read_zengin(content, today=today)
    text = bank_formats.decoded(content)
    rows = bank_formats.table_of(text)
    if not columns:
        columns, skip = bank_formats.guess_columns(rows)
    if columns:
        return bank_formats.Statement("csv", "", bank_formats.read_csv(rows, columns, skip, today=today))
    return bank_formats.Statement("paste", "", bank_formats.read_pasted(text, today=today))


def keep_preset(name: str, columns: Mapping[str, int], skip: int, *, by: User | None) -> BankPreset:
    """Remember how this bank's file is read; the same name is written over."""
    name = name.strip()[:60]
    with setting_versions.kept(KIND, name, by=by):
        row, _made = BankPreset.objects.update_or_create(
            name=name, defaults={"columns": dict(columns), "skip_rows": skip}
        )
    return row


def forget_preset(name: str, *, by: User | None) -> None:
    with setting_versions.kept(KIND, name, by=by):
        BankPreset.objects.filter(name=name).delete()

"""送り状データ: choose parcels, write them into files for the carriers' software, hand the files out.

The files are written, the parcels marked and the journals kept in one transaction; a second click finds it done. The
content is sealed in the row and forgotten after `KEPT`, since it is a copy of names and addresses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from django.db import transaction
from django.utils.translation import gettext as _

from fulfillment.models import Shipment, ShipmentLine, WaybillEvent, WaybillExport, WaybillFile
from fulfillment.queries.waybills import Prepared, Ready, prepared
from fulfillment.services import journal
from fulfillment.waybills.layouts import files_of, packed
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.sealing import box
from orders.models import PersonalView
from orders.services import personal_views

MOST = 10_000
KEPT = timedelta(days=3)
FORGOTTEN = timedelta(days=1)
WRITTEN = "waybill_exported"

State, Kind = WaybillExport.State, WaybillEvent.Kind


def draft(shipment_ids: Sequence[int], *, by: User) -> WaybillExport:
    """Freeze a choice. Nothing is written yet."""
    return WaybillExport.objects.create(by=by, created_at=clock.now(), shipment_ids=list(dict.fromkeys(shipment_ids)))


@dataclass(frozen=True, slots=True)
class Written:
    """`begun` is False when somebody did it before, or when there was nothing to write."""

    begun: bool
    parcels: int = 0


@transaction.atomic
def write(export: WaybillExport, *, sort: str, again: bool, by: User) -> Written:
    """Write the files of a draft; with `again` also of parcels that stood in a file before.

    Locks the export's row and the shipments by pk.
    """
    claimed = WaybillExport.objects.select_for_update(no_key=True).filter(pk=export.pk, state=State.DRAFT)
    if (row := claimed.order_by("pk").first()) is None:
        return Written(begun=False)
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=row.shipment_ids).order_by("pk")
    list(locked.values_list("pk", flat=True))
    found = prepared(row.shipment_ids, sort=sort)
    chosen = [one for one in found.ready if again or not one.again]
    if not chosen:
        return Written(begun=False)
    files = _files(row, chosen)
    WaybillFile.objects.bulk_create(files)
    _mark(chosen, files, by=by)
    _close(row, found, chosen)
    WaybillEvent.objects.create(export=row, at=clock.now(), kind=Kind.WRITTEN, by=by, count=len(chosen))
    return Written(begun=True, parcels=len(chosen))


def _files(row: WaybillExport, chosen: Sequence[Ready]) -> list[WaybillFile]:
    """One per place and layout, in printing order."""

    def group(one: Ready) -> tuple[int, int, str]:
        return one.shipment.location.priority, one.shipment.location_id, one.layout.code

    stamp, files = f"{clock.in_tokyo(clock.now()):%Y%m%d-%H%M%S}", []
    for position, (_key, own) in enumerate(groupby(sorted(chosen, key=group), key=group), start=1):
        parcels = list(own)
        first = parcels[0]
        contents = files_of(first.layout, first.contract, [one.made for one in parcels])
        name, data = packed(f"{first.layout.stem}-{stamp}-{position}", contents)
        files.append(
            WaybillFile(
                export=row,
                position=position,
                location_id=first.shipment.location_id,
                layout=first.layout.code,
                name=name,
                shipment_ids=[one.shipment.pk for one in parcels],
                data=box().encrypt(data),
            )
        )
    return files


def _mark(chosen: Sequence[Ready], files: Iterable[WaybillFile], *, by: User) -> None:
    """On each parcel and in its journal; whoever takes names and addresses along has seen them."""
    ids = [one.shipment.pk for one in chosen]
    Shipment.objects.filter(pk__in=ids).update(waybill_at=clock.now())
    names = {pk: file.name for file in files for pk in file.shipment_ids}
    texts = {
        one.shipment.pk: said("%(file)s（再出力）", file=names[one.shipment.pk])
        if one.again
        else names[one.shipment.pk]
        for one in chosen
    }
    journal.write([(pk, WRITTEN, text) for pk, text in texts.items()], by=by)
    lines = ShipmentLine.objects.filter(shipment__in=ids).order_by().distinct()
    personal_views.saw_orders(list(lines.values_list("order_line__order", flat=True)), PersonalView.Where.SLIP, by=by)


def _close(row: WaybillExport, found: Prepared, chosen: Sequence[Ready]) -> None:
    row.state, row.created_at = State.DONE, clock.now()
    row.written, row.again = len(chosen), sum(one.again for one in chosen)
    row.held = len(row.shipment_ids) - len(chosen)
    row.save(update_fields=["state", "created_at", "written", "again", "held"])


class Gone(Exception):
    """The file's days are over; the text says what to do."""


def take(file: WaybillFile, *, by: User) -> bytes:
    """The file's content, and on record who took it. Raises Gone."""
    if file.data is None:
        raise Gone(_("ファイルの保存期間が過ぎました。同じ荷物を選んで、もう一度書き出してください。"))
    WaybillEvent.objects.create(
        export_id=file.export_id, at=clock.now(), kind=Kind.TAKEN, by=by, count=len(file.shipment_ids), text=file.name
    )
    content: bytes = box().decrypt(bytes(file.data))
    return content


@transaction.atomic
def forget() -> int:
    """Empty the files whose days are over, and remove choices that nobody wrote. Returns how many were emptied."""
    now = clock.now()
    WaybillExport.objects.filter(state=State.DRAFT, created_at__lt=now - FORGOTTEN).delete()
    old = WaybillFile.objects.select_for_update(no_key=True).filter(
        data__isnull=False, export__created_at__lt=now - KEPT
    )
    rows = list(old.order_by("pk").only("pk", "export_id", "name"))
    WaybillFile.objects.filter(pk__in=[file.pk for file in rows]).update(data=None)
    WaybillEvent.objects.bulk_create(
        WaybillEvent(export_id=file.export_id, at=now, kind=Kind.REMOVED, text=file.name) for file in rows
    )
    return len(rows)

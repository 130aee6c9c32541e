"""The contracts of places with carriers: set, with versions."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from fulfillment.models import WaybillSetting
from oms.kernel.models import User
from oms.kernel.services import setting_versions

KIND = "waybill"


class Stale(Exception):
    """Somebody else stored another contract since it was shown."""


def ref_of(location_id: int | None, carrier: str) -> str:
    """What its versions call a contract."""
    return f"{'-' if location_id is None else location_id}/{carrier}"


@transaction.atomic
def save(location_id: int | None, carrier: str, values: Mapping[str, Any], *, by: User | None, seen: int) -> bool:
    """Store the contract of a place, or the company's (None); False when nothing changes. `seen` is the version that
    was shown, 0 for none. Raises Stale."""
    with setting_versions.kept(KIND, ref_of(location_id, carrier), by=by):
        row = _locked(location_id, carrier)
        if row is not None and row.values == dict(values):
            return False
        if seen != (row.version if row else 0):
            raise Stale
        if row is None:
            WaybillSetting.objects.create(location_id=location_id, carrier=carrier, values=dict(values))
        else:
            WaybillSetting.objects.filter(pk=row.pk).update(values=dict(values), version=row.version + 1)
        return True


@transaction.atomic
def remove(location_id: int | None, carrier: str, *, by: User | None) -> bool:
    """The place follows the company's contract again; without the company's own, nothing is written."""
    with setting_versions.kept(KIND, ref_of(location_id, carrier), by=by):
        row = _locked(location_id, carrier)
        if row is None:
            return False
        row.delete()
        return True


def stored(location_id: int | None, carrier: str) -> WaybillSetting | None:
    return WaybillSetting.objects.filter(location=location_id, carrier=carrier).first()


def _locked(location_id: int | None, carrier: str) -> WaybillSetting | None:
    rows = WaybillSetting.objects.select_for_update(no_key=True).filter(location=location_id, carrier=carrier)
    return rows.order_by("pk").first()

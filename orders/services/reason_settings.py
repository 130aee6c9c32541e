"""The company's own levels and thresholds of the reasons: read for every batch, changed with a journal.

A reason without a stored setting is as the catalogue says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.decide.catalogue import BLOCK, CATALOGUE, EVERYWHERE
from orders.decide.reasons import Found
from orders.models import ReasonSetting, ReviewSettingChange, Shop
from orders.models.shop import PreorderPolicy
from orders.services import names

FIRST_TIME, KNOWN = "first", "known"


@dataclass(frozen=True, slots=True)
class Reader:
    """What overrides look at, by their kinds."""

    channel: str
    shop: str
    payment: str
    rank: str = ""  # the code of the member's rank
    carrier: str = ""
    buyer: str = ""  # FIRST_TIME, KNOWN; "": nobody we know
    stops: frozenset[str] = frozenset()  # reasons that the shop's own policies want decided, whatever their level

    def value(self, kind: str) -> str:
        known = {
            "channel": self.channel,
            "shop": self.shop,
            "payment": self.payment,
            "rank": self.rank,
            "carrier": self.carrier,
            "buyer": self.buyer,
        }
        return known.get(kind, "")


def stopped_by(shop: Shop) -> frozenset[str]:
    """The reasons that a person decides in this shop."""
    return frozenset({"mixed_preorder"}) if shop.preorder_policy == PreorderPolicy.ASK else frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """One reason as the company wants it; equal to the catalogue's entry where nothing was changed."""

    code: str
    active: bool
    level: str
    label: str = ""
    note_required: bool = False
    shown: str = ""  # "" as the catalogue says
    params: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Sequence[Any]] = ()  # [kind, value, level or "", thresholds]; the last may be absent
    version: int = 0

    def level_for(self, reader: Reader) -> str:
        fitting = self._exception_for(reader)
        return str(fitting[2] or self.level) if fitting else self.level

    def params_for(self, reader: Reader) -> Mapping[str, Any]:
        """The thresholds that differ from the catalogue's for such an order."""
        fitting = self._exception_for(reader)
        return {**self.params, **fitting[3]} if fitting and len(fitting) > 3 else self.params

    def _exception_for(self, reader: Reader) -> Sequence[Any] | None:
        return next((row for row in self.overrides if reader.value(row[0]) == row[1]), None)

    @property
    def seen_by(self) -> str:
        return self.shown or CATALOGUE[self.code].shown

    @property
    def document(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {
            "active": self.active,
            "level": str(self.level),
            "label": self.label,
            "note_required": self.note_required,
            "shown": self.shown,
            "params": dict(self.params),
            "overrides": [list(row) for row in self.overrides],
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that differ from the catalogue, by code."""

    rows: Mapping[str, Setting]

    def of(self, code: str) -> Setting:
        return self.rows.get(code) or default(code)

    def tuning_for(self, reader: Reader) -> dict[str, Mapping[str, Any]]:
        """The thresholds that differ from the catalogue's for such an order, by code."""
        return {code: params for code, row in self.rows.items() if (params := row.params_for(reader))}

    def tuned(self, code: str, name: str) -> Any:
        """A threshold: the company's, else the catalogue's."""
        return self.of(code).params.get(name, CATALOGUE[code].params[name])

    def most(self, code: str, name: str) -> int:
        """The greatest that a threshold is for any order."""
        own = [row[3][name] for row in self.of(code).overrides if len(row) > 3 and name in row[3]]
        return max([self.tuned(code, name), *own])

    def leveled(self, found: Sequence[Found], reader: Reader) -> list[Found]:
        """What the company looks for, with its own levels."""
        kept = []
        for one in found:
            own = self.rows.get(one.code)
            if own is None:
                if CATALOGUE[one.code].active:
                    kept.append(one)
            elif own.active:
                kept.append(replace(one, set_level=own.level_for(reader)))
        return [replace(one, set_level=str(BLOCK)) if one.code in reader.stops else one for one in kept]

    def is_active(self, code: str) -> bool:
        return self.of(code).active

    def with_(self, wanted: Setting) -> "Settings":
        """These settings with one changed; nothing is stored."""
        return Settings({**self.rows, wanted.code: wanted})


def default(code: str) -> Setting:
    entry = CATALOGUE[code]
    return Setting(code, entry.active, str(entry.level), note_required=entry.note)


def read() -> Settings:
    """One query."""
    return Settings(
        {
            row.code: Setting(
                row.code,
                row.active,
                row.level,
                row.label,
                row.note_required,
                row.shown,
                row.params,
                row.overrides,
                row.version,
            )
            for row in ReasonSetting.objects.all()
            if row.code in CATALOGUE
        }
    )


def wanting_a_note() -> frozenset[str]:
    """Reasons that a person closes only with a note."""
    settings = read()
    return frozenset(code for code in CATALOGUE if settings.of(code).note_required)


def shown_everywhere() -> frozenset[str]:
    """Reasons that warehouses and stores read too, on their parcels."""
    settings = read()
    return frozenset(code for code in CATALOGUE if settings.of(code).seen_by == EVERYWHERE)


def note_required(code: str) -> bool:
    return code in CATALOGUE and read().of(code).note_required


class StaleSetting(Exception):
    """Somebody else stored another setting since it was shown."""


@transaction.atomic
def save(wanted: Setting, *, by: User | None, seen: int | None = None) -> bool:
    """Store one reason's setting with its journal; open reasons follow behind. Saving the same again does nothing.

    `seen` is the version that was shown; raises StaleSetting when another is stored by now.
    """
    with setting_versions.kept("reason", wanted.code, by=by):
        row = ReasonSetting.objects.select_for_update(no_key=True).filter(pk=wanted.code).order_by("pk").first()
        before = read().of(wanted.code)
        if before.document == wanted.document:
            return False
        if seen is not None and seen != before.version:
            raise StaleSetting(wanted.code)
        version = (row.version if row else 0) + 1
        ReasonSetting.objects.update_or_create(pk=wanted.code, defaults={**wanted.document, "version": version})
        ReviewSettingChange.objects.create(
            subject=wanted.code, version=version, before=before.document, after=wanted.document, at=clock.now(), by=by
        )
        later("orders.tasks.reapply_reason", wanted.code)
        transaction.on_commit(names.publish)
        return True

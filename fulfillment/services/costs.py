"""The settings of what shipping costs: read, checked, set with a journal. Yen without tax."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from fulfillment.models import CostChange, CostSetting, FreightRate
from oms.kernel import clock
from oms.kernel.services import setting_versions
from oms.kernel.text import folded
from orders.models.order import Carrier

MOST_YEN = 9_999_999
MOST_SIZE = 100_000
MOST_RATES = 200
LINE = re.compile(r"(?P<carrier>\S.*?)(?:\s+(?P<size>[\d,]+))?\s+[¥￥]?(?P<price>[\d,]+)円?")

Rates = Mapping[tuple[str, int | None], int]  # (carrier, size factors up to or None) → yen of one box


class Unreadable(Exception):
    """A line that names no rate; the sentence says what to write."""


class Moved(Exception):
    """Somebody else saved since these settings were shown; nothing was written."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`material` yen of one box, `wage` yen of one hour, `action_s` seconds of a click whose time is not measured.

    None: not told. `version` grows with every change."""

    material: int | None
    wage: int | None
    rates: Rates
    version: int = 0
    action_s: int | None = None

    def said(self) -> dict[str, object]:
        return {
            "material": self.material, "wage": self.wage, "action_s": self.action_s, "rates": written(self.rates)
        }  # fmt: skip

    def spent(self, *, freight: int, parcels: int, card_s: int, touches: int) -> "Spent":
        """What orders cost that had so much freight, so many parcels, seconds at cards and clicks elsewhere."""
        seconds = card_s + touches * (self.action_s or 0)
        return Spent(freight, parcels * (self.material or 0), seconds * (self.wage or 0) // 3600)


@dataclass(frozen=True, slots=True)
class Spent:
    freight: int
    material: int
    work: int

    @property
    def yen(self) -> int:
        return self.freight + self.material + self.work


def costs() -> Costs:
    """Two queries."""
    row = CostSetting.objects.filter(pk=1).first() or CostSetting(pk=1)
    rates = {(rate.carrier, rate.size_to): rate.price for rate in FreightRate.objects.all()}
    return Costs(row.material, row.wage, rates, row.version, row.action_s)


def written(rates: Rates) -> str:
    """One rate a line, as `read_rates` reads them."""
    names = dict(Carrier.choices)
    order = sorted(rates, key=lambda one: (list(Carrier.values).index(one[0]), one[1] is None, one[1] or 0))
    return "\n".join(
        " ".join(str(part) for part in (names[carrier], size, rates[carrier, size]) if part is not None)
        for carrier, size in order
    )


def read_rates(typed: str) -> dict[tuple[str, int | None], int]:
    """`ヤマト運輸 10 680` is a box of size factors up to 10, `ヤマト運輸 1200` a larger one. Raises Unreadable."""
    codes = _carriers()
    rates: dict[tuple[str, int | None], int] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        match = LINE.fullmatch(" ".join(line.translate(DIGITS).split()))
        code = codes.get(folded(match["carrier"])) if match else None
        size = _number(match["size"]) if match and match["size"] else None
        price = _number(match["price"]) if match else MOST_YEN + 1
        if code is None or price > MOST_YEN or (size is not None and not 0 < size <= MOST_SIZE):
            raise Unreadable(
                _("「%(line)s」を読み取れません。「配送会社 サイズ係数 金額」と書いてください。") % {"line": line[:60]}
            )
        if (code, size) in rates:
            raise Unreadable(_("「%(line)s」と同じ配送会社とサイズの行がほかにもあります。") % {"line": line[:60]})
        rates[code, size] = price
    if len(rates) > MOST_RATES:
        raise Unreadable(_("送料は%(n)s行までです。") % {"n": MOST_RATES})
    return rates


def _carriers() -> dict[str, str]:
    """Carriers by code and by their names in every language of the pages: versions hold them as somebody saw them."""
    codes: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            codes |= {folded(str(name)): code for code, label in Carrier.choices for name in (code, label)}
    return codes


DIGITS = str.maketrans("０１２３４５６７８９，", "0123456789,")


def _number(digits: str) -> int:
    plain = digits.replace(",", "")
    return int(plain) if 0 < len(plain) < 10 else MOST_YEN + 1


@transaction.atomic
def save(wanted: Costs, *, by_id: int | None) -> bool:
    """Set everything as `wanted` says, `wanted.version` being the one that was shown; False when nothing differs.

    Raises Moved. Locks the settings' row.
    """
    with setting_versions.kept("costs", "-", by=by_id):
        CostSetting.objects.bulk_create([CostSetting(pk=1)], ignore_conflicts=True)
        CostSetting.objects.select_for_update(no_key=True).order_by("pk").get(pk=1)
        before = costs()
        if before.said() == wanted.said():
            return False
        if before.version != wanted.version:
            raise Moved
        CostSetting.objects.filter(pk=1).update(
            material=wanted.material, wage=wanted.wage, action_s=wanted.action_s, version=before.version + 1
        )
        FreightRate.objects.all().delete()
        FreightRate.objects.bulk_create(
            FreightRate(carrier=carrier, size_to=size, price=price) for (carrier, size), price in wanted.rates.items()
        )
        CostChange.objects.create(at=clock.now(), by_id=by_id, before=before.said(), after=wanted.said())
        return True

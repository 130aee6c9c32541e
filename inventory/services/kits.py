"""作り置きセット: what a kit is made of, and building it from its parts or taking it apart again, at one place.

Building is a decision, not a fact: it never takes what is promised to a customer, and is refused where parts lack.
"""

from collections.abc import Mapping

from django.db import transaction

from inventory.models import BundleComponent, Entry, KitChange, KitPart, Location, Sku
from inventory.models.balance import EntryKind
from inventory.services import places, settlement
from inventory.services.book import Book
from inventory.services.facts import Fact, enter
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.services import setting_versions


class Refused(Exception):
    """Nothing was written; `cause` says why, for people."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class _DoneBefore(Exception):
    """This key has moved the goods already."""


@transaction.atomic
def set_parts(kit_id: int, parts: Mapping[str, int], *, by_id: int | None = None) -> bool:
    """Replace what the kit is made of (SKU code → quantity); an empty mapping makes it an ordinary SKU again.

    False when nothing changes. Raises Refused for unknown codes, sets without stock and kits among the
    parts. Locks the SKU.
    """
    with setting_versions.kept("kit", kit_id, by=by_id):
        kit = Sku.objects.select_for_update(no_key=True).get(pk=kit_id)
        skus = {sku.code: sku for sku in Sku.objects.filter(code__in=parts).only("code", "is_bundle")}
        _refuse_parts(kit, parts, skus)
        before = recipe_of(kit_id)
        if before == dict(parts):
            return False
        KitPart.objects.filter(kit=kit).delete()
        KitPart.objects.bulk_create(KitPart(kit=kit, part=skus[code], quantity=count) for code, count in parts.items())
        KitChange.objects.create(kit=kit, at=clock.now(), before=_said(before), after=_said(parts), by_id=by_id)
        return True


def recipe_of(kit_id: int) -> dict[str, int]:
    """SKU code → how many are in one kit."""
    rows = KitPart.objects.filter(kit=kit_id).order_by("part__code")
    return dict(rows.values_list("part__code", "quantity"))


def written(parts: Mapping[str, int]) -> str:
    """The parts as the form holds them, one a line."""
    return "\n".join(f"{code} {count}" for code, count in parts.items())


def _said(parts: Mapping[str, int]) -> str:
    return "、".join(f"{code} × {count}" for code, count in sorted(parts.items()))


def _refuse_parts(kit: Sku, parts: Mapping[str, int], skus: Mapping[str, Sku]) -> None:
    if kit.is_bundle or BundleComponent.objects.filter(bundle=kit).exists():
        raise Refused(said("在庫を持たないセットは、作り置きセットにできません。"))
    if unknown := sorted(set(parts) - set(skus)):
        raise Refused(said("登録のないSKUコードです: %(codes)s", codes=list(unknown[:10])))
    if kit.code in parts:
        raise Refused(said("セット自身を構成品にはできません。"))
    nested = [sku.code for sku in skus.values() if sku.is_bundle]
    nested += KitPart.objects.filter(kit__code__in=parts).values_list("kit__code", flat=True).distinct()
    if nested:
        raise Refused(said("セットを構成品にはできません。中の商品を入れてください: %(codes)s", codes=list(nested)))
    if KitPart.objects.filter(part=kit).exists() and parts:
        raise Refused(said("このSKUはほかの作り置きセットの構成品です。"))


@transaction.atomic
def build(kit_id: int, location_id: int, kits: int, *, key: str, by_id: int | None = None, note: str = "") -> bool:
    """Make `kits` > 0 kits of their parts at a place, or with `kits` < 0 take so many apart. All or nothing.

    False when the key did it before. Raises Refused when the place has too few that are not promised. Locks the kit's
    row, so that the recipe stands, then the balances.
    """
    Sku.objects.select_for_update(no_key=True).get(pk=kit_id)
    parts = dict(KitPart.objects.filter(kit=kit_id).values_list("part", "quantity"))
    if not parts:
        raise Refused(said("構成品が決まっていません。先に構成を登録してください。"))
    ref = f"build:{key}"
    facts = [Fact(kit_id, location_id, kits, ref)]
    facts += [Fact(sku_id, location_id, -kits * count, ref) for sku_id, count in parts.items()]
    places.ensure_balances((fact.sku_id, location_id) for fact in facts)

    def plan(book: Book) -> None:
        if Entry.objects.filter(balance=book.place(kit_id, location_id), ref=ref).exists():
            raise _DoneBefore
        lacking = _lacking(book, facts)
        if not lacking:
            enter(book, facts)
            lacking = {book.rows[balance_id].sku_id: book.excess(balance_id) for balance_id in book.short()}
        if lacking:
            raise Refused(_refusal(lacking, location_id))

    try:
        settlement.settle({fact.sku_id for fact in facts}, plan, kind=EntryKind.BUILD, by_id=by_id, note=note)
    except _DoneBefore:
        return False
    return True


def _lacking(book: Book, facts: list[Fact]) -> dict[int, int]:
    """SKU → units that the place has too few of, what is allocated there left alone."""
    lacking = {}
    for fact in facts:
        place = book.place(fact.sku_id, fact.location_id)
        missing = -fact.units - (book.on_hand[place] - book.reserved[place])
        if fact.units < 0 and missing > 0:
            lacking[fact.sku_id] = missing
    return lacking


def _refusal(lacking: Mapping[int, int], location_id: int) -> str:
    codes = Sku.objects.in_bulk(lacking)
    named = [
        said("%(code)s（%(units)s個）", code=codes[sku_id].code, units=f"{units:,}")
        for sku_id, units in sorted(lacking.items())
    ]
    place = Location.objects.get(pk=location_id).name
    return said("%(place)sでは引当のない在庫が足りません: %(skus)s", place=place, skus=named)

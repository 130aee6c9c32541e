"""What each kind of file does with a batch of units: look what would happen, do it, take it back.

All three take key → lines (or what was kept of them) and answer key → outcome. Taking back leaves alone what something
was built on since: an outcome of `kept`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from inventory.models import Balance, BundleComponent, Entry, Location, Sku
from inventory.queries.release_day import release_day
from inventory.services import catalogue, stock
from inventory.services.catalogue import ComponentRow, ProductRow, SkuRow
from oms.kernel.said import said
from oms.kernel.sql import update_rows
from orders.channel_order import MOVED_IN, ChannelLine, ChannelOrder, ChannelState, Party, PaymentState, Totals
from orders.channel_order import PaymentMethod as Method
from orders.decide import moving_in as decide
from orders.models import MoveIn, Order, OrderLine
from orders.services import intake, moving_in_members
from orders.services import stage as stages
from orders.services.intake_rows import Mapped
from orders.services.rules import wakes

Values = Mapping[str, str]
Before = Any
Units = Mapping[str, Sequence[Values]]
Done = dict[str, tuple[str, Before]]
CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"
UNDONE, KEPT = "undone", "kept"


@dataclass(frozen=True, slots=True)
class Kind:
    """`refuse`: key → why, for units whose neighbours in our books are missing."""

    refuse: Callable[[set[str]], dict[str, str]]
    plan: Callable[[MoveIn, Units], dict[str, str]]
    apply: Callable[[MoveIn, Units], Done]
    undo: Callable[[MoveIn, Mapping[str, tuple[str, Before]]], Done]


# ---- products ----------------------------------------------------------------------------------------------------

SKU_COLUMNS = (
    "code", "name", "variant", "jan", "price", "tax_rate", "temperature", "size_factor", "release_date",
    "preorder_limit", "is_bundle", "is_made_to_order", "active", "shelf", "cost", "supplier", "weight_g",
    "tags", "custom",
)  # fmt: skip


def _stored(codes: Sequence[str]) -> dict[str, SkuRow]:
    rows = Sku.objects.filter(code__in=codes).values(*SKU_COLUMNS, "product__code")
    return {
        row["code"]: SkuRow(product_code=row["product__code"], **{name: row[name] for name in SKU_COLUMNS})
        for row in rows
    }


def _wanted(key: str, values: Values, stored: SkuRow | None) -> SkuRow:
    """What the file says; what it has no column for, or leaves empty, stays as it is."""
    row = stored or SkuRow(code=key, product_code=values.get("product") or key, name=values["name"])
    told: dict[str, Any] = {"name": values["name"], "active": True}
    if values.get("product"):
        told["product_code"] = values["product"]
    told |= {name: values[name] for name in ("variant", "shelf", "supplier") if values.get(name)}
    if values.get("jan"):
        told["jan"] = decide.jan(values["jan"])
    if values.get("price"):
        told["price"] = decide.yen(values["price"])
    if values.get("tax_rate"):
        told["tax_rate"] = decide.tax_rate(values["tax_rate"])
    if values.get("cost"):
        told["cost"] = decide.cost(values["cost"])
    if values.get("weight"):
        told["weight_g"] = decide.grams(values["weight"])
    if values.get("tags"):
        told["tags"] = decide.tags(values["tags"])
    if values.get("custom"):
        told["custom"] = decide.custom(values["custom"])
    return replace(row, **told)


def _plan_products(_move: MoveIn, units: Units) -> dict[str, str]:
    stored = _stored(list(units))
    return {key: _difference(stored.get(key), _wanted(key, lines[0], stored.get(key))) for key, lines in units.items()}


def _difference(before: object, after: object) -> str:
    return CREATED if before is None else UNCHANGED if before == after else UPDATED


def _apply_products(_move: MoveIn, units: Units) -> Done:
    stored = _stored(list(units))
    wanted = {key: _wanted(key, lines[0], stored.get(key)) for key, lines in units.items()}
    outcomes = {key: _difference(stored.get(key), row) for key, row in wanted.items()}
    changed = [wanted[key] for key, outcome in outcomes.items() if outcome != UNCHANGED]
    known = set(
        Sku.objects.filter(product__code__in=[row.product_code for row in changed]).values_list(
            "product__code", flat=True
        )
    )
    fresh = {
        row.product_code: ProductRow(row.product_code, row.name) for row in changed if row.product_code not in known
    }
    catalogue.upsert_products(fresh.values())
    catalogue.upsert_skus(changed)
    return {key: (outcome, _kept_sku(stored.get(key))) for key, outcome in outcomes.items()}


def _kept_sku(row: SkuRow | None) -> Before:
    if row is None:
        return None
    kept = {name: getattr(row, name) for name in (*SKU_COLUMNS, "product_code")}
    kept["release_date"] = row.release_date and row.release_date.isoformat()
    return kept


def _undo_products(move: MoveIn, kept: Mapping[str, tuple[str, Before]]) -> Done:
    created = [key for key, (outcome, _before) in kept.items() if outcome == CREATED]
    updated = {key: before for key, (outcome, before) in kept.items() if outcome == UPDATED}
    used = _used_skus(created)
    gone = _stored([key for key in created if key not in used])
    now = _stored(list(updated))
    catalogue.upsert_skus(
        [*(_row_of(before, now.get(key)) for key, before in updated.items()), *map(_retired, gone.values())]
    )
    done: Done = {key: (KEPT if key in used else UNDONE, None) for key in created}
    return done | dict.fromkeys(updated, (UNDONE, None))


def _row_of(before: Mapping[str, Any], now: SkuRow | None) -> SkuRow:
    """As it was; a fact that was not kept yet when the file was applied stays as it is `now`."""
    from_text = before["release_date"] and datetime.fromisoformat(before["release_date"]).date()
    told = {**before, "release_date": from_text}
    return replace(now, **told) if now else SkuRow(**told)


def _retired(row: SkuRow) -> SkuRow:
    """Out of use. It is not deleted, because stock balances never are."""
    return replace(row, active=False)


def _used_skus(codes: Sequence[str]) -> set[str]:
    """SKUs that stock, sets, orders or listings know by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.code FROM inventory_sku s WHERE s.code = ANY(%s) AND (
                   EXISTS (SELECT FROM inventory_entry e JOIN inventory_balance b ON b.id = e.balance_id
                            WHERE b.sku_id = s.id)
                OR EXISTS (SELECT FROM inventory_bundlecomponent c WHERE s.id IN (c.bundle_id, c.component_id))
                OR EXISTS (SELECT FROM orders_orderline l WHERE l.sku_id = s.id))
            """,
            [list(codes)],
        )
        return {row[0] for row in cursor.fetchall()} | pinned(codes)


def pinned(codes: Sequence[str]) -> set[str]:
    """SKUs that a room above refers to: asked of the foreign keys themselves, whatever room they stand in."""
    ids = dict(Sku.objects.filter(code__in=codes).values_list("pk", "code"))
    found: set[str] = set()
    for relation in Sku._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and relation.related_model not in {Balance, BundleComponent}:
            column = f"{relation.field.name}_id"  # type: ignore[union-attr]
            rows = relation.related_model._base_manager.filter(**{f"{column}__in": list(ids)})  # type: ignore[union-attr]
            found |= {ids[pk] for pk in rows.values_list(column, flat=True).distinct()}
    return found


# ---- sets --------------------------------------------------------------------------------------------------------


def _parts(lines: Sequence[Values]) -> dict[str, int]:
    parts: dict[str, int] = {}
    for values in lines:
        parts[values["part"]] = parts.get(values["part"], 0) + decide.units(values["quantity"])
    return parts


def _stored_parts(codes: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = BundleComponent.objects.filter(bundle__code__in=codes)
    for bundle, part, quantity in rows.values_list("bundle__code", "component__code", "quantity"):
        found.setdefault(bundle, {})[part] = quantity
    return found


def _plan_bundles(_move: MoveIn, units: Units) -> dict[str, str]:
    stored, skus = _stored_parts(list(units)), _stored(list(units))
    plan = {}
    for key, lines in units.items():
        if _set_fault(key, lines, skus.get(key)):
            plan[key] = FAILED
        else:
            plan[key] = _difference(stored.get(key), _parts(lines))
    return plan


def _set_fault(key: str, lines: Sequence[Values], sku: SkuRow | None) -> str:
    known = set(Sku.objects.filter(code__in=_parts(lines)).values_list("code", flat=True))
    if unknown := sorted(set(_parts(lines)) - known):
        return said("登録のない構成品です: %(codes)s", codes=", ".join(unknown[:5]))
    if sku is not None and not sku.is_bundle and Balance.objects.filter(sku__code=key).exclude(on_hand=0, reserved=0):
        return said("在庫のある商品はセットにできません。")
    return ""


def _apply_bundles(_move: MoveIn, units: Units) -> Done:
    stored, skus = _stored_parts(list(units)), _stored(list(units))
    done: Done = {}
    for key, lines in units.items():
        if fault := _set_fault(key, lines, skus.get(key)):
            done[key] = (FAILED, {"why": fault})
            continue
        outcome = _difference(stored.get(key), _parts(lines))
        done[key] = (outcome, {"parts": stored.get(key), "sku": _kept_sku(skus.get(key))})
        if outcome != UNCHANGED:
            _write_set(key, lines, skus.get(key))
    return done


def _write_set(key: str, lines: Sequence[Values], sku: SkuRow | None) -> None:
    first = lines[0]
    row = sku or SkuRow(code=key, product_code=key, name=first.get("name") or key)
    told: dict[str, Any] = {"is_bundle": True, "active": True}
    told |= {"name": first["name"]} if first.get("name") else {}
    told |= {"price": decide.yen(first["price"])} if first.get("price") else {}
    row = replace(row, **told)
    if sku is None:
        catalogue.upsert_products([ProductRow(row.product_code, row.name)])
    catalogue.upsert_skus([row])
    catalogue.set_components([ComponentRow(key, part, quantity) for part, quantity in _parts(lines).items()])


def _undo_bundles(_move: MoveIn, kept: Mapping[str, tuple[str, Before]]) -> Done:
    done: Done = {}
    sold = set(OrderLine.objects.filter(sku__code__in=list(kept)).values_list("sku__code", flat=True))
    for key, (outcome, before) in kept.items():
        if outcome not in {CREATED, UPDATED}:
            continue
        if key in sold:
            done[key] = (KEPT, None)
            continue
        BundleComponent.objects.filter(bundle__code=key).delete()
        if before["parts"]:
            catalogue.set_components([ComponentRow(key, part, n) for part, n in before["parts"].items()])
        elif before["sku"]:
            catalogue.upsert_skus([_row_of(before["sku"], _stored([key]).get(key))])
        else:
            catalogue.upsert_skus(list(map(_retired, _stored([key]).values())))
        done[key] = (UNDONE, None)
    return done


# ---- stock -------------------------------------------------------------------------------------------------------


def _refuse_stock(keys: set[str]) -> dict[str, str]:
    pairs = {key: key.split("\t", 1) for key in keys}
    skus = dict(Sku.objects.filter(code__in={code for code, _place in pairs.values()}).values_list("code", "is_bundle"))
    places = set(
        Location.objects.filter(code__in={place for _code, place in pairs.values()}).values_list("code", flat=True)
    )
    wrong = {}
    for key, (code, place) in pairs.items():
        if code not in skus:
            wrong[key] = said("SKU「%(code)s」は登録がありません。先に商品マスタを取り込んでください。", code=code)
        elif skus[code]:
            wrong[key] = said("「%(code)s」はセット商品です。在庫は構成品に登録します。", code=code)
        elif place not in places:
            wrong[key] = said("拠点「%(code)s」は登録がありません。", code=place)
    return wrong


def _there(units: Mapping[str, object]) -> dict[str, int]:
    pairs = [key.split("\t", 1) for key in units]
    rows = Balance.objects.filter(sku__code__in=[code for code, _p in pairs], location__code__in=[p for _c, p in pairs])
    return {f"{code}\t{place}": n for code, place, n in rows.values_list("sku__code", "location__code", "on_hand")}


def _plan_stock(_move: MoveIn, units: Units) -> dict[str, str]:
    there = _there(units)
    return {key: _difference(there.get(key), decide.units(lines[0]["on_hand"])) for key, lines in units.items()}


def _apply_stock(move: MoveIn, units: Units) -> Done:
    """Counted facts through the stock door: the numbers are true, whatever was promised."""
    there = _there(units)
    wanted = {key: decide.units(lines[0]["on_hand"]) for key, lines in units.items()}
    outcomes = {key: _difference(there.get(key), n) for key, n in wanted.items()}
    _count(move, {key: n for key, n in wanted.items() if outcomes[key] != UNCHANGED}, "in")
    return {key: (outcome, {"was": there.get(key, 0), "is": wanted[key]}) for key, outcome in outcomes.items()}


def _count(move: MoveIn, wanted: Mapping[str, int], word: str) -> None:
    skus = dict(Sku.objects.filter(code__in=[key.split("\t")[0] for key in wanted]).values_list("code", "pk"))
    places = dict(Location.objects.filter(code__in=[key.split("\t")[1] for key in wanted]).values_list("code", "pk"))
    counts = [
        stock.Counted(skus[code], places[place], n, f"move:{move.pk}:{word}")
        for key, n in wanted.items()
        for code, place in [key.split("\t", 1)]
    ]
    if counts:
        stock.count(counts, by_id=move.by_id, note=move.name)


def _undo_stock(move: MoveIn, kept: Mapping[str, tuple[str, Before]]) -> Done:
    """Back to what was there, where nothing has moved since."""
    changed = {key: before for key, (outcome, before) in kept.items() if outcome in {CREATED, UPDATED}}
    moved = _moved_since(move, changed)
    _count(move, {key: before["was"] for key, before in changed.items() if key not in moved}, "back")
    return {key: (KEPT if key in moved else UNDONE, None) for key in changed}


def _moved_since(move: MoveIn, units: Mapping[str, Before]) -> set[str]:
    """Places whose goods came, went or were promised after this file had set them."""
    own = Entry.objects.filter(ref=f"move:{move.pk}:in", balance__sku__code__in=[key.split("\t")[0] for key in units])
    last = {
        f"{c}\t{p}": pk
        for c, p, pk in own.order_by("pk").values_list("balance__sku__code", "balance__location__code", "pk")
        if p
    }
    later = Entry.objects.filter(
        balance__sku__code__in=[key.split("\t")[0] for key in units], balance__location__isnull=False
    )
    later = later.filter(pk__gt=min(last.values(), default=0)).exclude(ref=f"move:{move.pk}:in")
    rows = later.values_list("balance__sku__code", "balance__location__code", "pk")
    return {key for code, place, pk in rows if (key := f"{code}\t{place}") in last and pk > last[key]}


# ---- orders ------------------------------------------------------------------------------------------------------


def _plan_orders(move: MoveIn, units: Units) -> dict[str, str]:
    known = set(
        Order.objects.filter(shop=move.shop, channel_order_no__in=list(units)).values_list(
            "channel_order_no", flat=True
        )
    )
    return {key: UNCHANGED if key in known else CREATED for key in units}


def _apply_orders(move: MoveIn, units: Units) -> Done:
    """Orders that are not here yet; one the mall has told already is left as the mall tells it."""
    assert move.shop is not None
    plan = _plan_orders(move, units)
    fresh = [channel_order(key, lines) for key, lines in units.items() if plan[key] == CREATED]
    codes = {line.channel_sku for order in fresh for line in order.lines}
    skus = Sku.objects.filter(code__in=codes).annotate(released_on=release_day())
    sku_of = {sku.code: Mapped(sku.pk, sku.code, 1, sku.released_on, sku.jan) for sku in skus}
    outcome = intake.take_in(move.shop, fresh, sku_of=sku_of)
    _finish_history(move, [order for order in fresh if order.state == ChannelState.SHIPPED])
    failed = dict(outcome.failed)
    return {key: (FAILED, {"why": failed[key]}) if key in failed else (plan[key], None) for key in units}


def _finish_history(move: MoveIn, orders: Sequence[ChannelOrder]) -> None:
    """What left long ago left long ago: completed, on its own day."""
    days = {order.channel_order_no: order.ordered_at for order in orders}
    rows = Order.objects.filter(shop=move.shop, channel_order_no__in=list(days))
    found = list(rows.order_by("pk").values_list("pk", "channel_order_no"))
    update_rows("orders_order", {"shipped_at": "timestamptz"}, [(pk, days[no]) for pk, no in found])
    with wakes.silent():
        stages.recompute([pk for pk, _no in found])


def channel_order(no: str, lines: Sequence[Values]) -> ChannelOrder:
    """One order out of its lines; what a line repeats is taken from the first."""
    first = lines[0]
    buyer = _party(first, "")
    recipient = _party(first, "to_") if first.get("to_name") else buyer
    goods = tuple(_line(place, values) for place, values in enumerate(lines, start=1))
    shipped = decide.is_yes(first.get("shipped", ""))
    cancelled = decide.is_yes(first.get("cancelled", ""))
    at = decide.moment(first["ordered_at"])
    method = payment_method(first.get("payment", ""))
    later = method in {Method.COD, Method.BANK_TRANSFER, Method.CONVENIENCE} and not shipped
    state = ChannelState.CANCELLED if cancelled else ChannelState.SHIPPED if shipped else ChannelState.OPEN
    return ChannelOrder(
        channel_order_no=no,
        ordered_at=at,
        channel_state=_("移行"),
        state=state,
        buyer=buyer,
        recipients=(recipient,),
        lines=goods,
        totals=_totals(first, sum(line.amount for line in goods)),
        payment_method=method,
        payment_state=PaymentState.UNPAID if later else PaymentState.PAID,
        payment_name=first.get("payment", "")[:80],
        remarks=first.get("remarks", ""),
        delivery_method=first.get("delivery", "")[:60],
        flags=(MOVED_IN,),
    )


def _party(values: Values, of: str) -> Party:
    prefecture, city, rest = decide.split_address(values.get(f"{of}address1", ""), values.get(f"{of}address2", ""))
    return Party(
        name=values.get(f"{of}name", "")[:120],
        kana=values.get(f"{of}kana", "")[:120],
        phone=values.get(f"{of}phone", "")[:30],
        email="" if of else values.get("email", "")[:254],
        postal_code=decide.postal(values.get(f"{of}postal", ""))[:10],
        prefecture=prefecture[:20],
        city=city[:100],
        address=rest[:300],
    )


def _line(place: int, values: Values) -> ChannelLine:
    quantity, price = decide.units(values["quantity"]), decide.yen(values.get("price", ""))
    return ChannelLine(
        line_id=str(place),
        channel_sku=values["sku"],
        name=(values.get("item") or values["sku"])[:300],
        quantity=quantity,
        unit_price=price,
        amount=price * quantity,
        options=values.get("options", ""),
    )


def _totals(values: Values, goods: int) -> Totals:
    """The file's total where it has one; what does not add up is said as a discount, never lost."""
    shipping, fees, points = (decide.yen(values.get(name, "")) for name in ("shipping", "fees", "points"))
    total = decide.yen(values["total"]) if values.get("total") else goods + shipping + fees - points
    return Totals(
        goods=goods,
        shipping=shipping,
        fees=fees,
        points=points,
        total=total,
        discount=goods + shipping + fees - points - total,
    )


METHODS = (
    ("代引", Method.COD), ("代金引換", Method.COD), ("銀行", Method.BANK_TRANSFER), ("振込", Method.BANK_TRANSFER),
    ("コンビニ", Method.CONVENIENCE), ("後払", Method.DEFERRED), ("カード", Method.CARD), ("クレジット", Method.CARD),
    ("pay", Method.WALLET), ("ペイ", Method.WALLET), ("ポイント", Method.POINTS),
)  # fmt: skip


def payment_method(name: str) -> Method:
    """By the words in it; 後払い before コンビニ, since コンビニ後払い is one."""
    if "後払" in name:
        return Method.DEFERRED
    return next((method for word, method in METHODS if word in name.casefold()), Method.OTHER)


def _undo_orders(_move: MoveIn, kept: Mapping[str, tuple[str, Before]]) -> Done:
    """Orders stay: journals are never deleted, and a cancellation would tell the mall and the buyer."""
    return {key: (KEPT, None) for key, (outcome, _before) in kept.items() if outcome == CREATED}


def _refuse_nothing(_keys: set[str]) -> dict[str, str]:
    return {}


KINDS: Mapping[str, Kind] = {
    "products": Kind(_refuse_nothing, _plan_products, _apply_products, _undo_products),
    "bundles": Kind(_refuse_nothing, _plan_bundles, _apply_bundles, _undo_bundles),
    "stock": Kind(_refuse_stock, _plan_stock, _apply_stock, _undo_stock),
    "members": Kind(_refuse_nothing, moving_in_members.plan, moving_in_members.apply, moving_in_members.undo),
    "orders": Kind(_refuse_nothing, _plan_orders, _apply_orders, _undo_orders),
}

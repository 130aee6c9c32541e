"""The values that rules look at, for a batch of orders: a fixed number of queries, only those that are asked for.

What a rule itself did to an order (`RuleMark`) is taken out of the picture first, so that a rule judges what the
channel and people said, and judges the same when it is run again.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection

from customers.services.blacklist import Where
from customers.services.identity import Person
from inventory.models import Location, Sku
from inventory.services import sku_facts, stock
from oms.kernel.address import check_address
from oms.kernel.clock import TOKYO
from oms.kernel.postal import is_remote_island
from oms.kernel.workdays import is_workday
from orders.decide import remarks
from orders.decide.rules.engine import Facts
from orders.decide.rules.fields import FIELDS, LOADERS
from orders.decide.rules.operators import fold
from orders.documents.noshi import lacks_name
from orders.services import listed, reason_settings
from orders.services.rules import member_facts

Row = dict[str, Any]

ORDER = """
SELECT o.id, s.channel, s.code AS shop, o.channel_order_no, o.ordered_at, o.phase, o.fulfilled_by_channel,
       o.channel_state, o.flags, o.member_id, o.buyer_name, o.buyer_company, o.buyer_phone, o.buyer_email,
       o.buyer_postal_code, o.buyer_prefecture, o.buyer_city, o.buyer_address, o.total, o.goods, o.shipping_fee, o.fees,
       o.gift_fees, o.discount, o.coupons_shop, o.coupons_channel, o.coupon_list, o.points, o.payment_method,
       o.payment_name,
       o.payment_state, o.authorized_until, o.pay_by, o.delivery_method, o.carrier, o.wish_date,
       o.wish_slot, o.ship_by, o.planned_ship_date,
       o.location_label, o.quantity, o.gift, o.noshi, o.message_card, o.remarks, o.tags, o.important, o.priority,
       coalesce(u.username, '') AS assignee, o.held_at IS NOT NULL AS held, o.stage, o.stage_since, o.fulfillment_state
  FROM orders_order o JOIN orders_shop s ON s.id = o.shop_id LEFT JOIN kernel_user u ON u.id = o.assignee_id
 WHERE o.id = ANY(%s)
"""
RECIPIENT = """
SELECT DISTINCT ON (order_id) order_id, name, company, phone, postal_code, prefecture, city, address, country,
       count(*) OVER (PARTITION BY order_id) AS n
  FROM orders_recipient WHERE order_id = ANY(%s) AND position < 1000 ORDER BY order_id, position
"""
EVERY_RECIPIENT = """
SELECT order_id, name, phone, postal_code, prefecture, city, address
  FROM orders_recipient WHERE order_id = ANY(%s) AND position < 1000 ORDER BY order_id, position
"""
LINES = """
SELECT l.order_id, coalesce(k.code, '') AS "line.sku", l.channel_sku AS "line.channel_sku",
       coalesce(k.jan, '') AS "line.jan", l.name AS "line.name", coalesce(p.brand, '') AS "line.brand",
       coalesce(p.category, '') AS "line.category", coalesce(k.supplier, '') AS "line.supplier",
       l.options AS "line.options", l.quantity AS "line.quantity",
       l.unit_price AS "line.price", l.amount AS "line.amount",
       coalesce(k.temperature, 'ambient') AS "line.temperature",
       coalesce(k.size_factor, 1) * l.quantity * l.units AS "line.size",
       l.release_date IS NOT NULL AND l.release_date > %s AS "line.preorder",
       k.tags, k.custom,
       coalesce(k.is_bundle, false) AS "line.bundle", coalesce(k.is_made_to_order, false) AS "line.made_to_order",
       l.sku_id, l.quantity * l.units AS pieces
  FROM orders_orderline l LEFT JOIN inventory_sku k ON k.id = l.sku_id
       LEFT JOIN inventory_product p ON p.id = k.product_id
 WHERE l.order_id = ANY(%s) AND l.quantity > 0 AND l.channel_line_id NOT LIKE 'rule:%%' ORDER BY l.order_id, l.position
"""
# For each order and place, how many of the scarcest of its goods lie there unpromised; sets count by their parts.
PLACES = """
SELECT g.order_id, p.code, min(coalesce(b.on_hand - b.reserved, 0))
  FROM (SELECT DISTINCT l.order_id, coalesce(k.sku_id, c2.component_id, c1.component_id, l.sku_id) AS sku_id
          FROM orders_orderline l LEFT JOIN orders_linecomponent k ON k.line_id = l.id
          LEFT JOIN inventory_bundlecomponent c1 ON c1.bundle_id = l.sku_id AND k.id IS NULL
          LEFT JOIN inventory_bundlecomponent c2 ON c2.bundle_id = c1.component_id
         WHERE l.order_id = ANY(%s) AND l.quantity > 0 AND l.sku_id IS NOT NULL
           AND l.channel_line_id NOT LIKE 'rule:%%') g
 CROSS JOIN inventory_location p
  LEFT JOIN inventory_balance b ON b.sku_id = g.sku_id AND b.location_id = p.id AND b.release = ''
 WHERE p.code = ANY(%s) GROUP BY 1, 2
"""
# Of a SKU at a place, as many as lie there unpromised; of a set, as many as its parts make.
PLACED = """
SELECT a.code, a.place, min(coalesce(b.on_hand - b.reserved, 0) / (coalesce(c1.quantity, 1) * coalesce(c2.quantity, 1)))
  FROM unnest(%s::text[], %s::text[]) AS a(code, place)
  JOIN inventory_sku s ON s.code = a.code JOIN inventory_location p ON p.code = a.place
  LEFT JOIN inventory_bundlecomponent c1 ON c1.bundle_id = s.id
  LEFT JOIN inventory_bundlecomponent c2 ON c2.bundle_id = c1.component_id
  LEFT JOIN inventory_balance b ON b.sku_id = coalesce(c2.component_id, c1.component_id, s.id)
        AND b.location_id = p.id AND b.release = ''
 GROUP BY 1, 2
"""
REASONS = """
SELECT order_id, array_agg(code) FROM orders_reviewreason
 WHERE order_id = ANY(%s) AND state = 'open' AND code NOT IN ('rule_hold', 'rule_error') GROUP BY order_id
"""


def load(
    order_ids: Sequence[int], keys: Collection[str], *, now: datetime, undone: Mapping[int, Row] | None = None
) -> dict[int, Facts]:
    """Facts of these orders under the asked fact keys, with what scope, period and lottery need anyway.

    `undone` gives columns as they would be without what rules did (order id → column → value).
    """
    today = now.astimezone(TOKYO).date()
    rows = {row["id"]: row | (undone or {}).get(row["id"], {}) for row in _rows(ORDER, [list(order_ids)])}
    facts = {id_: _order_facts(row, keys, now, today) for id_, row in rows.items()}
    ids = list(facts)
    asked = {FIELDS[key.split(":")[0]].source for key in keys if key.split(":")[0] in FIELDS}
    if "recipient" in asked:
        _add_recipients(facts, rows, keys)
    if "lines" in asked or "lines" in keys:
        _add_lines(facts, ids, keys, today)
        if not WEIGHTS.isdisjoint(keys):
            _add_weights(facts)
    if "reasons" in asked:
        _add_reasons(facts, ids)
    if "blacklisted" in keys:
        _add_blacklisted(facts, rows)
    member_facts.add(facts, ids, keys, now)
    _add_stock(facts, keys)
    _add_places(facts, ids, keys)
    _add_registered(facts, ids, keys)
    _name_locations(facts, rows)
    return facts


def _rows(statement: str, params: list[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# ---- the order itself

Getter = Callable[[Row, datetime, date], Any]
COLUMNS = (
    "channel", "shop", "fulfilled_by_channel", "channel_state", "buyer_name", "buyer_company", "buyer_phone",
    "buyer_postal_code", "buyer_prefecture", "buyer_city", "buyer_address", "total", "goods", "shipping_fee", "fees",
    "gift_fees", "discount", "points", "payment_method", "payment_name", "payment_state", "delivery_method",
    "carrier", "wish_date", "wish_slot", "planned_ship_date", "quantity", "gift", "noshi", "message_card", "remarks",
    "important", "assignee", "held", "stage",
)  # fmt: skip


def _plain(name: str) -> Getter:
    return lambda row, _now, _today: row[name]


def _list(value: Any) -> Any:
    """Raw cursors give jsonb as text."""
    return json.loads(value) if isinstance(value, str) else value


def _remark(row: Row) -> remarks.Remark:
    if not row["remarks"]:
        return remarks.Remark()
    return remarks.read(row["remarks"], row["ordered_at"].astimezone(TOKYO).date())


def _names_a_day(row: Row) -> bool:
    return bool(row["remarks"] and remarks.find_date(row["remarks"], row["ordered_at"].astimezone(TOKYO).date()))


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(TOKYO).date() if moment else None


def _noshi_name_missing(row: Row) -> bool:
    return bool(row["noshi"]) and lacks_name(row["noshi"])


GETTERS: dict[str, Getter] = {name: _plain(name) for name in COLUMNS} | {
    "ordered_on": lambda row, _now, _today: row["ordered_at"].astimezone(TOKYO).date(),
    "ordered_weekday": lambda row, _now, _today: str(row["ordered_at"].astimezone(TOKYO).weekday()),
    "ordered_time": lambda row, _now, _today: row["ordered_at"].astimezone(TOKYO).strftime("%H:%M"),
    "today": lambda _row, _now, today: today,
    "today_weekday": lambda _row, _now, today: str(today.weekday()),
    "today_workday": lambda _row, _now, today: is_workday(today),
    "now_time": lambda _row, now, _today: now.astimezone(TOKYO).strftime("%H:%M"),
    "provisional": lambda row, _now, _today: row["phase"] == "provisional",
    "channel_marks": lambda row, _now, _today: frozenset(fold(mark) for mark in row["flags"]),
    "buyer_mail_domain": lambda row, _now, _today: row["buyer_email"].rpartition("@")[2],
    "coupons": lambda row, _now, _today: row["coupons_shop"] + row["coupons_channel"],
    "coupon_names": lambda row, _now, _today: frozenset(fold(coupon[0]) for coupon in _list(row["coupon_list"])),
    "ordered_at": lambda row, _now, _today: row["ordered_at"].astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M"),
    "cod_amount": lambda row, _now, _today: (row["total"] or 0) if row["payment_method"] == "cod" else 0,
    "authorized_until": lambda row, _now, _today: _day(row["authorized_until"]),
    "pay_by": lambda row, _now, _today: _day(row["pay_by"]),
    "remarks_date": lambda row, _now, _today: _names_a_day(row),
    "days_until_wish": lambda row, _now, today: (row["wish_date"] - today).days if row["wish_date"] else None,
    "ship_by": lambda row, _now, _today: _day(row["ship_by"]),
    "rules_matched": lambda _row, _now, _today: frozenset(),  # until rules are asked
    "location": lambda _row, _now, _today: "",  # until `_name_locations` knows
    "noshi_name_missing": lambda row, _now, _today: _noshi_name_missing(row),
    "remarks_rest": lambda row, _now, _today: _remark(row).rest,
    "remarks_wish": lambda row, _now, _today: bool(_remark(row).wish_date or _remark(row).wish_slot),
    "has_member": lambda row, _now, _today: row["member_id"] is not None,
    "tags": lambda row, _now, _today: frozenset(fold(tag) for tag in row["tags"]),
    "priority": lambda row, _now, _today: str(row["priority"]),
    "waited_hours": lambda row, now, _today: round((now - row["stage_since"]).total_seconds() / 3600, 2),
}


def _order_facts(row: Row, keys: Collection[str], now: datetime, today: date) -> Facts:
    facts: Facts = {
        "id": row["id"],
        "channel": row["channel"],
        "shop": row["shop"],
        "member_id": row["member_id"],
        "order_key": f"{row['shop']}:{row['channel_order_no']}",
        "fulfillment_state": row["fulfillment_state"],
        "location_codes": frozenset(),
        "tags": frozenset(fold(tag) for tag in row["tags"]),
        "lines": [],
    }
    return facts | {key: GETTERS[key](row, now, today) for key in keys if key in GETTERS}


def _name_locations(facts: Mapping[int, Facts], rows: Mapping[int, Row]) -> None:
    """Where an order ships from is known by the places' names; scopes name codes."""
    if any(row["location_label"] for row in rows.values()):
        codes = dict(Location.objects.values_list("name", "code"))
        for id_, row in rows.items():
            names = [name.strip() for name in row["location_label"].replace("、", ",").split(",")]
            found = sorted(codes[name] for name in names if name in codes)
            facts[id_] |= {"location": "、".join(found), "location_codes": frozenset(found)}


# ---- what hangs on it


def _add_recipients(facts: Mapping[int, Facts], orders: Mapping[int, Row], keys: Collection[str]) -> None:
    found = {row["order_id"]: row for row in _rows(RECIPIENT, [list(facts)])}
    empty: Row = dict.fromkeys(
        ("name", "company", "phone", "postal_code", "prefecture", "city", "address", "country"), ""
    )
    for id_, own in facts.items():
        row = found.get(id_) or {**empty, "n": 0}
        own |= {
            "recipient_name": row["name"], "recipient_company": row["company"], "recipient_phone": row["phone"],
            "postal_code": row["postal_code"], "prefecture": row["prefecture"], "city": row["city"],
            "address": row["address"], "country": row["country"], "recipients": row["n"],
            "address_length": len(row["prefecture"] + row["city"] + row["address"]),
        }  # fmt: skip
        if "address_valid" in keys:
            place = (row["postal_code"], row["prefecture"], row["city"], row["address"])
            own["address_valid"] = bool(row["n"]) and not check_address(*place)
        if "island" in keys:
            own["island"] = is_remote_island(row["postal_code"])
        if "same_person" in keys:
            order = orders[id_]
            buyer = (order["buyer_name"], order["buyer_postal_code"], order["buyer_address"])
            own["same_person"] = buyer == (row["name"], row["postal_code"], row["address"])


def _add_lines(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str], today: date) -> None:
    own_fields = [(key, key.partition(":")[2]) for key in keys if key.startswith("line.custom:")]
    for row in _rows(LINES, [today, list(ids)]):
        tags, custom = row.pop("tags"), row.pop("custom")
        if "line.tags" in keys:
            row["line.tags"] = frozenset(fold(tag) for tag in _list(tags) or ())
        if own_fields:
            told = _list(custom) or {}
            row |= {key: told.get(name, "") for key, name in own_fields}
        facts[row.pop("order_id")]["lines"].append(row)
    for own in facts.values():
        sizes = [line["line.size"] for line in own["lines"]]
        own |= {
            "item_count": len(own["lines"]),
            "size_total": sum(sizes),
            "size_max": max(sizes, default=0),
            "temperatures": frozenset(line["line.temperature"] for line in own["lines"]),
        }


WEIGHTS = frozenset({"weight_total", "line.weight"})


def _add_weights(facts: Mapping[int, Facts]) -> None:
    """Nothing where one weight is missing: half a weight would pass for a light parcel. One query."""
    grams = sku_facts.unit_weights({line["sku_id"] for own in facts.values() for line in own["lines"]} - {None})
    for own in facts.values():
        for line in own["lines"]:
            one = grams.get(line["sku_id"])
            line["line.weight"] = None if one is None else one * line["pieces"]
        weights = [line["line.weight"] for line in own["lines"]]
        own["weight_total"] = sum(weights) if weights and None not in weights else None


def _add_reasons(facts: Mapping[int, Facts], ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(REASONS, [list(ids)])
        codes = dict(cursor.fetchall())
    for id_, own in facts.items():
        own["reasons"] = frozenset(codes.get(id_, ()))


def _add_blacklisted(facts: Mapping[int, Facts], orders: Mapping[int, Row]) -> None:
    """Asked of the list itself: the reason for it may be closed by now, or not looked for. Three queries."""
    people = {id_: [_person(row, "buyer_")] for id_, row in orders.items()}
    for row in _rows(EVERY_RECIPIENT, [list(orders)]):
        people[row["order_id"]].append(_person(row))
    settings = reason_settings.read()
    enough = settings.tuned("blacklist_match", "match_score")
    wheres = [Where(row["shop"], row["payment_method"]) for row in orders.values()]
    for id_, found in zip(people, listed.look(list(people.values()), wheres, settings), strict=True):
        facts[id_]["blacklisted"] = found is not None and found.reaches(enough)


def _person(row: Row, lead: str = "") -> Person:
    told = {name: row[f"{lead}{name}"] for name in ("name", "phone", "postal_code", "prefecture")}
    return Person(**told, email=row.get(f"{lead}email", ""), address=row[f"{lead}city"] + row[f"{lead}address"])


def _add_places(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str]) -> None:
    asked = {key: key.partition(":")[2] for key in keys if key.startswith("least_stock:")}
    if not asked:
        return
    with connection.cursor() as cursor:
        cursor.execute(PLACES, [list(ids), sorted(set(asked.values()))])
        found = {(order_id, code): units for order_id, code, units in cursor.fetchall()}
    for key, code in asked.items():
        for id_, own in facts.items():
            own[key] = found.get((id_, code), 0)


def _add_stock(facts: Mapping[int, Facts], keys: Collection[str]) -> None:
    """What may still be promised of a SKU, or what lies unpromised at one place: two queries at most each."""
    asked = {key: key.partition(":")[2].partition("\t") for key in keys if key.startswith("stock:")}
    if not asked:
        return
    skus = dict(Sku.objects.filter(code__in={code for code, _tab, _place in asked.values()}).values_list("code", "pk"))
    free = stock.available(skus.values())
    placed = _placed({(code, place) for code, _tab, place in asked.values() if place})
    for key, (code, _tab, place) in asked.items():
        units = placed.get((code, place), 0) if place else free.get(skus.get(code, 0), 0)
        for own in facts.values():
            own[key] = units


def _placed(pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    if not pairs:
        return {}
    codes, places = zip(*sorted(pairs), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(PLACED, [list(codes), list(places)])
        return {(code, place): units for code, place, units in cursor.fetchall()}


def _add_registered(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str]) -> None:
    """Fields of upper apps."""
    for code, load_one in LOADERS.items():
        if code in keys:
            values = load_one(ids)
            for id_, own in facts.items():
                own[code] = values.get(id_)

"""Where it goes: addresses that no parcel reaches, or that ask for care."""

import re
from collections.abc import Iterator

from oms.kernel import address as addresses
from oms.kernel.address import AddressProblem
from oms.kernel.label import COUNTS_FULL_WIDTH, width
from oms.kernel.postal import is_remote_island, places, postal_digits
from oms.kernel.said import said, together
from orders.decide import areas
from orders.decide.areas import Area, Parcel
from orders.decide.catalogue import CATALOGUE
from orders.decide.checks.delivery import by_mailbox
from orders.decide.checks.wishes import listed, other_people
from orders.decide.found import Address, Found, OrderFacts
from orders.models.order import Carrier, PaymentMethod

# Half-width units of the name field, by the carriers' published file layouts.
NAME_WIDTH = {"yamato": 32, "sagawa": 64, "japanpost": 40, "other": 40}
FLATS = re.compile(r"マンション|ハイツ|コーポ|アパート|メゾン|レジデンス|ハイム|荘$|団地")
DEPOT = re.compile(r"営業所(?:止|留)め?|センター(?:止|留)め?|局留め?|コンビニ受取|PUDO", re.IGNORECASE)


def _deliverable(facts: OrderFacts) -> Iterator[Found]:
    for recipient in facts.recipients:
        if facts.provisional and not recipient.is_told:
            continue  # the channel tells the address when the order becomes firm
        if recipient.country not in {"", "JP"}:
            yield Found("overseas", said("届け先の国は %(country)s です。", country=recipient.country), "recipient")
            continue
        yield from _written(recipient, facts)
        yield from _region(recipient, facts)


def _written(recipient: Address, facts: OrderFacts) -> Iterator[Found]:
    problems = addresses.check_address(
        recipient.postal_code, recipient.prefecture, recipient.city, recipient.address, carrier=facts.carrier
    )  # fmt: skip
    for problem in problems:
        if problem.code in CATALOGUE:
            yield Found(problem.code, _why_wrong(problem, recipient, facts), "recipient")
    for problem in addresses.check_phone(recipient.phone or facts.buyer_phone):
        yield Found(
            problem.code, said("電話番号「%(evidence)s」では連絡がつきません。", evidence=problem.evidence), "phone"
        )
    flat = FLATS.search(recipient.address)
    if flat and not re.search(r"\d", recipient.address[flat.end() :].translate(_DIGITS)):
        yield Found(
            "room_no_missing",
            said("建物名のあとに部屋番号がありません（%(address)s）。", address=recipient.address),
            "recipient",
        )
    limit = NAME_WIDTH.get(facts.carrier, NAME_WIDTH["other"])
    if width(recipient.name, full=facts.carrier in COUNTS_FULL_WIDTH) > limit:
        yield Found(
            "name_too_long",
            said("宛名は全角%(limit)s文字までです（%(n)s文字）。", limit=limit // 2, n=len(recipient.name)),
            "recipient",
        )


def _why_wrong(problem: AddressProblem, recipient: Address, facts: OrderFacts) -> str:
    """The evidence in a sentence."""
    if problem.code == "street_no_missing":
        return said("番地がありません（%(address)s）。", address=problem.evidence)
    if problem.code == "address_too_long":
        carrier = said(Carrier(facts.carrier).label)
        return said("住所が長く（%(n)s文字）、%(carrier)sの送り状に入りません。", n=problem.evidence, carrier=carrier)
    known = places(postal_digits(recipient.postal_code))
    if not known:
        return said("郵便番号「%(code)s」は見つかりません。", code=problem.evidence)
    region = recipient.prefecture + recipient.city
    same_region = region in {place.prefecture + place.city for place in known}
    written = region + recipient.address if same_region else region
    return said("郵便番号は %(place)s ですが、住所は「%(written)s」です。", place=problem.evidence, written=written)


_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")


def _region(recipient: Address, facts: OrderFacts) -> Iterator[Found]:
    parcel = parcel_of(recipient, facts)
    if is_remote_island(recipient.postal_code) or _area(facts, "remote_island", parcel):
        yield Found(
            "remote_island",
            said("〒%(postal_code)s は離島・中継地域です。", postal_code=recipient.postal_code),
            "recipient",
        )
    if area := _area(facts, "area_unservable", parcel):
        yield Found("area_unservable", _unservable(area, parcel), "recipient")
    if area := _area(facts, "area_suspended", parcel):
        yield Found("area_suspended", _suspended(area, parcel), "recipient")


def parcel_of(recipient: Address, facts: OrderFacts) -> Parcel:
    """Where it goes and in what way, as `orders.decide.areas` looks at it."""
    kinds = {item.temperature for item in facts.items}
    ways = {
        "冷蔵": "chilled" in kinds,
        "冷凍": "frozen" in kinds,
        "代引": facts.payment_method == PaymentMethod.COD,
        "時間帯": bool(facts.wish_slot),
        "希望日": facts.wish_date is not None,
        "ポスト投函": by_mailbox(facts),
        "宅配": not by_mailbox(facts),
    }
    chosen = frozenset(way for way, is_so in ways.items() if is_so)
    return Parcel(recipient.prefecture, recipient.postal_code, facts.carrier, chosen)


def _area(facts: OrderFacts, reason: str, parcel: Parcel) -> Area | None:
    written = facts.tuned(reason, "areas")
    return areas.first(areas.known(written), parcel, facts.today) if written else None


def _unservable(area: Area, parcel: Parcel) -> str:
    how = [said(Carrier(parcel.carrier).label)] if area.carriers else []
    how += [said(way) for way in area.told_ways(parcel)]
    if not how:
        return said("〒%(postal_code)s はお届けできない地域です。", postal_code=parcel.postal_code)
    return said(
        "〒%(postal_code)s には、この方法ではお届けできません（%(how)s）。",
        postal_code=parcel.postal_code,
        how=together(how, "・"),
    )


def _suspended(area: Area, parcel: Parcel) -> str:
    if area.until is None:
        return said("〒%(postal_code)s は配送を停止している地域です。", postal_code=parcel.postal_code)
    return said(
        "〒%(postal_code)s は配送を停止している地域です（%(day)sまで）。",
        postal_code=parcel.postal_code,
        day=f"{area.until:%Y/%m/%d}",
    )


def _places(facts: OrderFacts) -> Iterator[Found]:
    if len(facts.recipients) > 1:
        yield Found("multi_ship_to", said("%(n)sか所に届けます。", n=len(facts.recipients)), "recipient")
    if other_people(facts):
        yield Found("buyer_recipient_differ", said("注文者とは別の方に届けます。"), "recipient")
    words = " ".join(f"{r.company} {r.address} {r.name}" for r in facts.recipients).lower()
    if DEPOT.search(f"{facts.delivery_method} {words}"):
        yield Found("depot_pickup", said("営業所・コンビニなどでの受け取りです。"), "recipient")
    hits = [word for word in listed(facts.tuned("forwarder_address", "words")) if word.lower() in words]
    if hits:
        yield Found(
            "forwarder_address", said("届け先に「%(names)s」とあります。", names=together(hits, "」「")), "recipient"
        )


def serves(facts: OrderFacts) -> bool:
    """Whether nothing says that no parcel gets there in this way."""
    return not any(
        _area(facts, reason, parcel_of(recipient, facts))
        for recipient in facts.recipients
        for reason in ("area_unservable", "area_suspended")
    )


CHECKS = [_deliverable, _places]

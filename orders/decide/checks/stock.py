"""What the goods ask for: mixtures, limits, goods that have to be got first. Shortage itself is a stage."""

from collections import Counter
from collections.abc import Iterator, Sequence

from oms.kernel.postal import is_remote_island
from oms.kernel.said import said, sentences, together
from orders.decide.checks.delivery import by_mailbox
from orders.decide.checks.wishes import listed
from orders.decide.found import Found, Item, OrderFacts

TEMPERATURES = {"ambient": said("常温"), "chilled": said("冷蔵"), "frozen": said("冷凍")}


def _mixtures(facts: OrderFacts) -> Iterator[Found]:
    if facts.today:
        later = [
            item for item in facts.items if item.release_date and item.release_date > facts.today and not item.apart
        ]
        if later and len(later) < len(facts.items):
            yield Found(
                "mixed_preorder", said("予約の商品 %(names)s と通常の商品が一緒です。", names=_codes(later)), "lines"
            )
    kinds = sorted({item.temperature for item in facts.items if item.temperature})
    if len(kinds) > 1:
        names = together((TEMPERATURES.get(kind, kind) for kind in kinds), "・")
        yield Found("temperature_mixed", said("温度帯が混ざっています（%(names)s）。", names=names), "lines")


def _sources(facts: OrderFacts) -> Iterator[Found]:
    if ordered := [item for item in facts.items if item.made_to_order]:
        yield Found("made_to_order", said("取寄せの商品があります: %(names)s", names=_codes(ordered)), "lines")
    if ended := [item for item in facts.items if not item.active]:
        yield Found("discontinued", said("取扱いを終えた商品があります: %(names)s", names=_codes(ended)), "lines")


def _limit(facts: OrderFacts) -> Iterator[Found]:
    most, own = facts.tuned("quantity_limit", "pieces"), limits_of(facts.tuned("quantity_limit", "limits"))
    wanted, limits = Counter[str](), dict[str, int]()
    for item in facts.items:
        if item.sku_id is not None:
            wanted[item.code] += item.pieces
            limits[item.code] = own.get(item.code.lower(), own.get(item.category.lower(), most))
    over: dict[int, list[str]] = {}
    for code, pieces in sorted(wanted.items()):
        if (bought := pieces + facts.history.bought.get(code, 0)) > limits[code]:
            over.setdefault(limits[code], []).append(f"{code} ×{bought}")
    if over:
        days = facts.tuned("quantity_limit", "days")
        told = [
            said("お一人%(most)s個までのところ、%(days)s日間で %(shown)s です。", most=limit, days=days, shown=shown)
            for limit, shown in sorted(over.items())
        ]
        yield Found("quantity_limit", sentences(*told), "lines")


def limits_of(text: str) -> dict[str, int]:
    """Lines 「コードかカテゴリ 個数」 → pieces by the lowered name; what is written otherwise is left out."""
    rows = (line.rsplit(maxsplit=1) for line in text.splitlines())
    return {row[0].strip().lower(): int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}


def _size(facts: OrderFacts) -> Iterator[Found]:
    """Goods that do not fit into the letter box they are sent to."""
    size, most = sum(item.size_factor * item.pieces for item in facts.items), facts.tuned("oversize", "mailbox_size")
    if size > most and by_mailbox(facts):
        yield Found(
            "oversize",
            said(
                "サイズ係数の合計 %(size)s は「%(delivery_method)s」の %(most)s を超えています。",
                size=size,
                delivery_method=facts.delivery_method,
                most=most,
            ),
            "lines",
        )


def _restricted(facts: OrderFacts) -> Iterator[Found]:
    """Goods of which the company says that they may not fly, need a check of age, or carry a text."""
    overseas = any(r.prefecture == "沖縄県" or is_remote_island(r.postal_code) for r in facts.recipients)
    if overseas and (flying := _named(facts, "air_restricted")):
        yield Found(
            "air_restricted", said("飛行機に載せられない商品があります: %(names)s", names=_codes(flying)), "lines"
        )
    if aged := _named(facts, "age_restricted"):
        yield Found("age_restricted", said("年齢の確認がいる商品があります: %(names)s", names=_codes(aged)), "lines")
    blank = [item for item in _named(facts, "engraving_missing") if not item.wishes.strip()]
    if blank:
        yield Found(
            "engraving_missing", said("名入れの文字がない商品があります: %(names)s", names=_codes(blank)), "lines"
        )


def _named(facts: OrderFacts, reason: str) -> list[Item]:
    """The goods that a reason's setting names by SKU code or category."""
    names = {name.lower() for name in listed(facts.tuned(reason, "goods"))}
    return [item for item in facts.items if names & {item.code.lower(), item.category.lower()}]


def _codes(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(item.code for item in items))


CHECKS = [_mixtures, _sources, _limit, _size, _restricted]

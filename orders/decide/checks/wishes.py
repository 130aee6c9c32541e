"""What the customer wishes, in words and in fields."""

from collections.abc import Iterator

from orders.decide import remarks
from orders.decide.found import Found, OrderFacts


def _buyer_note(facts: OrderFacts) -> Iterator[Found]:
    if not facts.remarks or not (rest := remarks.read(facts.remarks, facts.ordered_on).rest):
        return
    yield Found("buyer_note", rest, "remarks")
    if found := remarks.find_date(rest, facts.ordered_on):
        yield Found("note_has_date", f"備考に「{found}」とあります。", "remarks")
    words = [word for word in listed(facts.tuned("note_cancel_word", "words")) if word in rest]
    if words:
        yield Found("note_cancel_word", f"備考に「{'」「'.join(words)}」とあります。", "remarks")


def _receipt(facts: OrderFacts) -> Iterator[Found]:
    if "領収" in facts.remarks:
        yield Found("receipt_request", "備考で領収書を希望しています。", "remarks")


def _gift(facts: OrderFacts) -> Iterator[Found]:
    if facts.noshi and not _has_noshi_name(facts.noshi):
        yield Found("noshi", f"のし「{facts.noshi}」に名入れがありません。", "noshi")
    if facts.gift:
        yield Found("gift_wrap", f"ラッピング: {facts.gift}", "gift")
    if facts.message_card:
        yield Found("message_card", f"メッセージカード {len(facts.message_card)}文字", "message_card")
    if (facts.gift or facts.noshi) and other_people(facts):
        yield Found("price_hidden", "注文者とは別の方への贈り物です。", "gift")


def other_people(facts: OrderFacts) -> bool:
    """Somebody else than the buyer receives goods."""
    buyer = facts.buyer
    return buyer is not None and any(r.name and r.name != buyer.name for r in facts.recipients)


def _has_noshi_name(noshi: str) -> bool:
    """A purpose alone (御祝, 内祝 …) is complete; only a name asked for and left empty is not."""
    return not noshi.rstrip().endswith(("名入れ:", "名入れ：", "名入れあり"))


def listed(text: str) -> list[str]:
    """The words of a threshold that is a list."""
    return [word.strip() for word in text.replace(",", "、").split("、") if word.strip()]


CHECKS = [_buyer_note, _receipt, _gift]

"""What the customer wishes, in words and in fields."""

import re
from collections.abc import Iterator

from oms.kernel.said import said, together
from orders.decide import remarks
from orders.decide.found import Found, OrderFacts
from orders.documents.noshi import lacks_name, lacks_purpose


def _buyer_note(facts: OrderFacts) -> Iterator[Found]:
    if not facts.remarks or not (rest := remarks.read(facts.remarks, facts.ordered_on).rest):
        return
    yield Found("buyer_note", rest, "remarks")
    if found := remarks.find_when(rest, facts.ordered_on):
        yield Found("note_has_date", said("備考に「%(found)s」とあります。", found=found), "remarks")
    words = [word for word in listed(facts.tuned("note_cancel_word", "words")) if word in rest]
    if words:
        yield Found(
            "note_cancel_word", said("備考に「%(names)s」とあります。", names=together(words, "」「")), "remarks"
        )


NOT_WANTED = r"(?![^。\n]{0,8}(?:不要|いりません|要りません|なし|無し|希望しない|必要ありません|不用))"
RECEIPT = re.compile(rf"領収{NOT_WANTED}")
WRAPPING = re.compile(rf"(?:ラッピング|ギフト包装|プレゼント包装|贈り物|のし|熨斗){NOT_WANTED}")


def _receipt(facts: OrderFacts) -> Iterator[Found]:
    if RECEIPT.search(facts.remarks):
        yield Found("receipt_request", said("備考で領収書を希望しています。"), "remarks")
    elif asked := next((item.options for item in facts.items if RECEIPT.search(item.options)), ""):
        yield Found("receipt_request", said("選択肢で領収書を希望しています（%(text)s）。", text=asked), "lines")


def _gift(facts: OrderFacts) -> Iterator[Found]:
    if facts.noshi and lacks_purpose(facts.noshi):
        yield Found("noshi", said("のし「%(noshi)s」に表書きがありません。", noshi=facts.noshi), "noshi")
    elif facts.noshi and lacks_name(facts.noshi):
        yield Found("noshi", said("のし「%(noshi)s」に名入れがありません。", noshi=facts.noshi), "noshi")
    if facts.gift:
        yield Found("gift_wrap", said("ラッピング: %(gift)s", gift=facts.gift), "gift")
    elif not facts.noshi and (word := WRAPPING.search(facts.remarks)):
        yield Found("gift_wrap", said("備考に「%(word)s」とあります。", word=word[0]), "gift")
    if facts.message_card:
        yield Found("message_card", said("メッセージカード %(n)s文字", n=len(facts.message_card)), "message_card")
    if (facts.gift or facts.noshi) and other_people(facts):
        yield Found("price_hidden", said("注文者とは別の方への贈り物です。"), "gift")


def other_people(facts: OrderFacts) -> bool:
    """Somebody else than the buyer receives goods."""
    buyer = facts.buyer
    return buyer is not None and any(r.name and r.name != buyer.name for r in facts.recipients)


def listed(text: str) -> list[str]:
    """The words of a threshold that is a list."""
    return [word.strip() for word in text.replace(",", "、").split("、") if word.strip()]


CHECKS = [_buyer_note, _receipt, _gift]

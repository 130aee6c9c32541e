"""Who buys: people to look at before shipping, people known and unknown."""

from collections.abc import Iterator

from oms.kernel.said import said
from orders.decide.found import Found, OrderFacts

# Beginnings of the marks with which channels warn of a buyer or look into an order themselves.
CAUTION_FLAGS = ("caution", "rakuten_checking", "suspect", "fraud_hold", "black_order", "contact_later")


def _blacklist(facts: OrderFacts) -> Iterator[Found]:
    listed = facts.listed
    if listed is None:
        return
    if listed.reaches(facts.tuned("blacklist_match", "match_score")):
        yield Found("blacklist_match", listed.evidence, listed.field, at_most=listed.at_most)
    elif listed.score >= facts.tuned("blacklist_similar", "similar_score"):
        yield Found("blacklist_similar", listed.evidence, listed.field, at_most=listed.at_most)


def _refused(facts: OrderFacts) -> Iterator[Found]:
    if facts.history.refused:
        yield Found("refusal_history", facts.history.refused, "buyer")


def _duplicate_member(facts: OrderFacts) -> Iterator[Found]:
    if facts.history.duplicate:
        yield Found("member_duplicate", facts.history.duplicate, "buyer")


def _promised(facts: OrderFacts) -> Iterator[Found]:
    if facts.history.promises:
        yield Found("open_promise", facts.history.promises, "buyer")


def _caution(facts: OrderFacts) -> Iterator[Found]:
    marks = [flag for flag in facts.flags if flag.startswith(CAUTION_FLAGS)]
    if marks:
        yield Found(
            "channel_caution", said("モールがこの注文に注意を促しています（%(names)s）。", names=marks), "flags"
        )


def _known(facts: OrderFacts) -> Iterator[Found]:
    before = facts.history.orders_before
    if before is None:
        return
    if before == 0:
        yield Found("first_order", said("これまでの購入はありません。"), "buyer")
    if rank := facts.history.good_rank:
        yield Found("vip", said("会員ランクは「%(rank)s」です。", rank=rank), "buyer")
    elif before >= facts.tuned("vip", "pieces"):
        yield Found("vip", said("%(pieces)s回以上お買い上げの会員です。", pieces=facts.tuned("vip", "pieces")), "buyer")


def _after(facts: OrderFacts) -> Iterator[Found]:
    if facts.history.mail_failed:
        yield Found("mail_failed", facts.history.mail_failed, "buyer")


CHECKS = [_blacklist, _refused, _duplicate_member, _promised, _caution, _known, _after]

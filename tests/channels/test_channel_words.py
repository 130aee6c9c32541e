"""What connectors keep beside an order has a name that people read, and hides what they may not see."""

import re

import pytest

from channels.connectors.amazon import marks as amazon
from channels.connectors.futureshop import facts as futureshop
from channels.connectors.futureshop import wire as futureshop_wire
from channels.connectors.qoo10 import codes as qoo10_codes
from channels.connectors.qoo10 import parse as qoo10
from channels.connectors.rakuten import facts as rakuten
from channels.connectors.rakuten import state as rakuten_state
from channels.connectors.yahoo import parse as yahoo
from channels.connectors.yahoo import states as yahoo_states
from oms.kernel.privacy import HIDDEN
from orders.decide import channel_words

MARKS = {
    *amazon.PROGRAM_FLAGS.values(),
    *amazon.CONSTRAINT_FLAGS.values(),
    *amazon.ASSOCIATIONS.values(),
    *rakuten_state.ORDER_FLAGS.values(),
    *rakuten_state.ITEM_FLAGS.values(),
    *rakuten_state.ORDER_TYPES.values(),
    *rakuten_state.MEMBERSHIPS.values(),
    *rakuten_state.TEMPERATURES.values(),
    *yahoo_states.FLAGS.values(),
    *yahoo_states.SWITCHES.values(),
    *qoo10_codes.CLAIM_FLAGS.values(),
    *futureshop_wire.TYPE_FLAGS.values(),
}
FACTS = {
    *rakuten.ORDER_FACTS,
    *rakuten.COUNTED,
    *rakuten.DUE_DATES.values(),
    *yahoo.EXTRA,
    *qoo10.EXTRA,
    *futureshop.ORDER_FACTS,
    *futureshop.BUYER_FACTS,
}


@pytest.mark.parametrize("table", ["MARKS", "FACTS"])
def test_every_code_of_a_connectors_tables_has_a_name(table):
    named = channel_words.MARKS if table == "MARKS" else {**channel_words.FACTS, **channel_words.CODES}
    told = MARKS if table == "MARKS" else FACTS
    assert len(told) > 25 and told <= set(named), sorted(told - set(named))


def test_names_are_japanese_and_details_stay():
    assert channel_words.marks(["asuraku", "caution:3", "new_program"]) == [
        "あす楽",
        "モールの確認待ち 3",
        "new_program",
    ]
    assert all(re.search("[ぁ-んァ-ヶ一-龠]", str(name)) for name in channel_words.FACTS.values())


def test_without_the_right_a_sender_and_whatever_has_no_name_are_hidden():
    extra = {"sender_tel": "09012345678", "settle_amount": "6534", "order_nos": "1,2", "unknown": "山田"}
    seen = {fact.name: fact.value for fact in channel_words.facts(extra, personal=False)}
    assert seen == {"モールとの精算額": "6534", "送り主の電話": HIDDEN, "モールの明細番号": "1,2", "unknown": HIDDEN}
    assert [fact.value for fact in channel_words.facts(extra, personal=True)] == ["09012345678", "6534", "1,2", "山田"]
    assert [fact.code for fact in channel_words.facts(extra, personal=True)] == [False, False, True, True]

"""Terms, states, keys and proposals: pure."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.decide import bank_formats
from orders.decide.matching import OpenOrder, Transfer, digits_in, loose_key, payer_key, propose, shares
from orders.decide.payments import (
    STANDARD,
    Terms,
    Waiting,
    cancel_on,
    is_paid_enough,
    standard,
    state_after,
    step_due,
    terms_for,
)
from orders.models.order import PaymentMethod
from tests.orders.payments.builders import notice, statement

TODAY = date(2026, 11, 28)


# ---- terms


@pytest.mark.parametrize("method", PaymentMethod.values)
def test_every_method_has_terms(method):
    assert standard(method, own_payments=True).method == method


def test_a_code_wins_over_its_method_and_the_method_over_the_standard():
    rows = [
        Terms("bank_transfer", "channel", "at_once"),
        Terms("bank_transfer", "us", "paid", code="payment_b1"),
    ]
    assert terms_for(rows, method="other", code="payment_b1", own_payments=False).collector == "us"
    assert terms_for(rows, method="bank_transfer", code="", own_payments=False).ships_when == "at_once"
    assert terms_for([], method="bank_transfer", code="x", own_payments=False) == STANDARD["bank_transfer"]


def test_a_mall_takes_cards_itself_and_an_own_shop_has_a_provider():
    assert standard("card", own_payments=False).collector == "channel"
    assert standard("card", own_payments=True).collector == "provider"


@pytest.mark.parametrize(
    ("ships_when", "state", "enough"),
    [
        ("at_once", "unpaid", True),
        ("authorized", "unpaid", False),
        ("authorized", "authorized", True),
        ("credit", "authorized", True),
        ("paid", "authorized", False),
        ("paid", "partially_paid", False),
        ("authorized", "partially_paid", False),
        ("paid", "paid", True),
        ("paid", "overpaid", True),
        ("paid", "failed", False),
        ("paid", "refunded", False),
    ],
)
def test_the_gate(ships_when, state, enough):
    assert is_paid_enough(ships_when, state) is enough


@pytest.mark.parametrize(
    ("total", "balance", "refunded", "due", "cancelled", "state"),
    [
        (1000, 0, 0, False, False, "unpaid"),
        (1000, 400, 0, False, False, "partially_paid"),
        (1000, 1000, 0, False, False, "paid"),
        (1000, 1200, 0, False, False, "overpaid"),
        (1000, 1000, 200, False, False, "paid"),  # 1,200 came, 200 too much went back
        (1000, 700, 300, False, False, "paid"),  # a part went back as goodwill
        (1000, 1000, 0, True, True, "refund_due"),
        (1000, 400, 0, True, False, "partially_paid"),  # a refund never opens the gate
        (1000, 0, 1000, False, True, "refunded"),
        (None, 400, 0, False, False, "partially_paid"),
    ],
)
def test_the_state_that_the_ledger_gives(total, balance, refunded, due, cancelled, state):  # noqa: PLR0917
    assert state_after(total=total, balance=balance, refunded=refunded, refund_due=due, cancelled=cancelled) == state


def test_reminding_goes_by_days_and_the_buyer_keeps_the_day_that_was_given():
    terms = STANDARD["bank_transfer"]
    ordered = date(2026, 11, 10)

    def step(day: int, pay_by: date | None = None) -> str:
        return step_due(terms, Waiting(ordered, pay_by), date(2026, 11, day))

    assert [step(day) for day in (12, 13, 15, 16, 19, 20)] == ["", "first", "first", "final", "final", "cancel"]
    assert step(20, pay_by=date(2026, 11, 25)) == "final"
    assert step(26, pay_by=date(2026, 11, 25)) == "cancel"


def test_scarce_goods_are_kept_for_fewer_days():
    terms = Terms("bank_transfer", "us", "paid", cancel_days=10, scarce_days=4)
    assert cancel_on(terms, Waiting(date(2026, 11, 10), None)) == date(2026, 11, 20)
    assert cancel_on(terms, Waiting(date(2026, 11, 10), None, scarce=True)) == date(2026, 11, 14)


# ---- names


@pytest.mark.parametrize(
    "written",
    ["ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマタ゛　タロウ", "やまだたろう", "カ)ヤマダ タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ(ｶ", "1234 ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀ ﾞﾀﾛｳ"],
)
def test_spellings_of_one_payer_are_one_key(written):
    assert payer_key(written) == "ヤマダタロウ"


def test_small_kana_long_vowels_and_twin_sounds_do_not_matter():
    assert payer_key("キョウコ ショージ") == payer_key("ｷﾖｳｺ ｼﾖｼﾞ") == payer_key("キヨウコ シヨヂ")
    assert payer_key("ユ)アオバショウテン") == payer_key("アオバシヨウテン") != payer_key("アオハシヨウテン")
    assert loose_key(payer_key("アオバ")) == loose_key(payer_key("アオハ"))


def test_a_name_that_begins_like_a_company_form_stays_whole():
    assert payer_key("カトウ ユウコ") == "カトウユウコ" and payer_key("シヤチ") == "シヤチ"


def test_digits_are_read_through_hyphens():
    assert digits_in("ヤマダ 090-1234-5678", "No.12") == ["09012345678"]


# ---- proposals


def order(id_: int, due: int, name: str = "ヤマダタロウ", **fields) -> OpenOrder:
    return OpenOrder(id_, fields.pop("number", f"A-{id_:04d}"), due, frozenset({name}), **fields)


def one(transfer: Transfer, *orders: OpenOrder):
    (found,) = propose([transfer], orders)
    return found


def test_name_and_amount_are_sure_and_one_of_them_is_likely():
    ours, other = order(1, 1500), order(2, 900, "サトウハナコ")
    assert one(Transfer(9, 1500, "ヤマダタロウ"), ours, other).group == "sure"
    assert one(Transfer(9, 1400, "ヤマダタロウ"), ours, other).group == "likely"
    assert one(Transfer(9, 900, "ダレカ"), ours, other).orders == (2,)
    assert one(Transfer(9, 77, "ダレカ"), ours, other).group == "unknown"


def test_two_orders_that_fit_alike_are_no_sure_thing():
    found = one(Transfer(9, 1500, "ヤマダタロウ"), order(1, 1500), order(2, 1500))
    assert (found.group, found.orders, found.others) == ("likely", (1,), (2,))


def test_one_order_is_promised_to_one_transfer():
    first, second = propose([Transfer(1, 1500, "ヤマダタロウ"), Transfer(2, 1500, "ヤマダタロウ")], [order(1, 1500)])
    assert (first.group, second.group) == ("sure", "unknown")


def test_a_number_that_the_payer_wrote_counts():
    ours = order(1, 1500, number="20261120-0001234", phone="09012345678")
    assert one(Transfer(9, 1500, "ベツジン", ["0001234"]), ours).group == "sure"
    assert one(Transfer(9, 1500, "ベツジン", ["5678"]), ours).why[0] == "phone"
    assert one(Transfer(9, 1000, "ベツジン", ["5678"]), ours).group == "likely"


def test_a_learned_name_with_the_amount_is_likely():
    theirs = [order(1, 1500, "ア", member_id=7), order(2, 1500, "イ", member_id=8)]
    found = one(Transfer(9, 1500, "メイギ", (), frozenset({8})), *theirs)
    assert (found.group, found.orders, found.why[0]) == ("likely", (2,), "alias")


def test_several_orders_of_one_payer_are_paid_together_when_only_one_way_adds_up():
    assert one(Transfer(9, 2500, "ヤマダタロウ"), order(1, 1000), order(2, 1500), order(3, 700)).orders == (1, 2)
    assert one(Transfer(9, 2000, "ヤマダタロウ"), order(1, 1000), order(2, 1000), order(3, 1000)).group == "likely"


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**5), min_size=1, max_size=6))
def test_a_transfer_is_shared_out_whole_and_no_share_is_empty(amount, dues):
    found = shares(amount, dict(enumerate(dues)))
    assert sum(found.values()) == amount and all(part > 0 for part in found.values())


# ---- bank files


@pytest.mark.parametrize("breaks", [b"", b"\r\n", b"\n"])
def test_a_zengin_notice_is_read_with_and_without_line_breaks(breaks):
    content = notice(
        [(date(2026, 11, 20), 1500, "ヤマダ タロウ"), (date(2026, 11, 21), 7, "ア")], breaks=breaks, edi="A-1"
    )
    read = bank_formats.read_zengin(content, today=TODAY)
    assert bank_formats.is_zengin(content) and read.account == "0009-123-1234567"
    assert [(line.on, line.amount, line.payer, line.text) for line in read.lines] == [
        (date(2026, 11, 20), 1500, "ヤマダ タロウ", "A-1"),
        (date(2026, 11, 21), 7, "ア", "A-1"),
    ]


def test_a_cancelled_transfer_is_left_out():
    content = notice([(TODAY, 1500, "ア"), (TODAY, 900, "イ")], cancelled=0)
    assert [line.payer for line in bank_formats.read_zengin(content, today=TODAY).lines] == ["イ"]


def test_a_zengin_statement_gives_incoming_transfers_alone():
    content = statement([(TODAY, 1500, "ヤマダ タロウ", "1"), (TODAY, 900, "デンキ", "2")])
    read = bank_formats.read_zengin(content, today=TODAY)
    assert [(line.amount, line.payer, line.text) for line in read.lines] == [(1500, "ヤマダ タロウ", "フリコミ")]
    assert read.account == "0009-123-1234567"


def test_a_file_that_is_cut_off_says_so():
    with pytest.raises(bank_formats.Unreadable, match="途中で切れ"):
        bank_formats.read_zengin(notice([(TODAY, 1, "ア")])[:330], today=TODAY)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=900))
def test_rubbish_is_read_or_refused_in_words(content):
    try:
        if bank_formats.is_zengin(content):
            bank_formats.read_zengin(content, today=TODAY)
        rows = bank_formats.table_of(bank_formats.decoded(content))
        columns, skip = bank_formats.guess_columns(rows)
        if columns:
            bank_formats.read_csv(rows, columns, skip, today=TODAY)
    except bank_formats.Unreadable as problem:
        assert str(problem)


CSVS = {
    '取引日,お取引内容,お支払金額,お預り金額,残高\n2026/11/20,振込 ヤマダ タロウ,,"1,500",10000\n'
    "2026/11/21,デンキ,900,,9100\n": 1,
    "操作日(年),操作日(月),操作日(日),摘要,お支払金額,お預り金額\n2026,11,20,振込 ヤマダ タロウ,,1500\n": 1,
    "年月日\t入金金額\t振込依頼人名\n20261120\t1500\tヤマダ タロウ\n": 1,
}


@pytest.mark.parametrize("text", CSVS)
def test_csv_is_read_by_its_headings(text):
    rows = bank_formats.table_of(text)
    columns, skip = bank_formats.guess_columns(rows)
    (line,) = bank_formats.read_csv(rows, columns, skip, today=TODAY)
    assert (line.on, line.amount, line.payer) == (date(2026, 11, 20), 1500, "ヤマダ タロウ")


@pytest.mark.parametrize(
    "day", ["2026/11/20", "20261120", "2026年11月20日", "R8.11.20", "令和8年11月20日", "08-11-20", "26.11.20"]
)
def test_days_are_read_as_banks_write_them(day):
    assert bank_formats.day_of(day, today=TODAY) == date(2026, 11, 20)


def test_pasted_lines_are_read_and_a_strange_one_is_named():
    (line,) = bank_formats.read_pasted("2026/11/20\t1,500円\tヤマダ タロウ", today=TODAY)
    assert (line.amount, line.payer) == (1500, "ヤマダ タロウ")
    with pytest.raises(bank_formats.Unreadable, match="2行目"):
        bank_formats.read_pasted("2026/11/20 1,500 ア\nなにか", today=TODAY)

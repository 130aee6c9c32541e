"""Payloads of other versions: fields dropped, added, renamed, reordered, spoiled. Nothing but Unreadable may come."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.connectors.contract import ChannelDown, Unreadable
from channels.connectors.qoo10.fetch import group
from channels.connectors.qoo10.parse import parse_order
from channels.connectors.qoo10.transport import as_list, read_envelope
from channels.sandbox.qoo10.render import old_spelling
from orders.channel_order import ChannelOrder
from tests.channels.qoo10.test_parse import ROW, SECOND, claim

NEEDED = {"OrderNo", "OrderDate", "OrderQty"}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        ["", " ", "0", "-1", "1500.00", "1,500", "1e3", "NaN", "Infinity", "２０", "On request(2)", "(2)", "(77)",
         "2026-02-30", "2026/08/01 09:00", "9999-12-31 23:59:59", "0001-01-01", "髙﨑", "😊", "+81-", "1" * 5000]
    ),
    st.text(max_size=20),
)  # fmt: skip
ANYTHING = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.text(max_size=4), SCALARS, max_size=2))


def basket(rows, claims=()):
    return json.dumps({"PackNo": "845670011", "Rows": list(rows), "Claims": list(claims)})


def parsed(text):
    order = parse_order(text)
    assert isinstance(order, ChannelOrder)
    assert order.channel_order_no and order.ordered_at.tzinfo is not None
    return order


@settings(max_examples=60, deadline=None)
@given(st.permutations(list(ROW)), st.booleans())
def test_the_order_of_fields_and_rows_tells_nothing(names, turned):
    rows = [{name: ROW[name] for name in names}, SECOND]
    assert parsed(basket(rows[::-1] if turned else rows)) == parsed(basket([ROW, SECOND]))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_optional_field_may_be_missing_and_new_ones_may_come(data):
    rows = [
        {name: value for name, value in row.items() if name in NEEDED or data.draw(st.booleans())}
        for row in (ROW, SECOND)
    ]
    for row in rows:
        row |= {f"New{number}": data.draw(ANYTHING) for number in range(data.draw(st.integers(0, 2)))}
    order = parsed(basket(rows))
    assert [line.line_id for line in order.lines] == ["3147483650", "3147483651"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_spellings_do_not_matter(data):
    def spelled(name):
        return data.draw(
            st.sampled_from([name, name.lower(), name.upper(), "_".join(name), name[:1].lower() + name[1:]])
        )

    rows = [{spelled(name): value for name, value in row.items()} for row in (ROW, SECOND)]
    assert parsed(basket(rows)) == parsed(basket([ROW, SECOND]))


def test_the_older_version_of_a_row_says_the_same():
    new, old = parsed(basket([ROW, SECOND])), parsed(basket([old_spelling(row) for row in (ROW, SECOND)]))
    assert (old.lines, old.totals, old.buyer, old.recipients) == (new.lines, new.totals, new.buyer, new.recipients)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_spoiled_values_end_in_an_order_or_in_unreadable(data):
    rows = [
        {name: data.draw(ANYTHING) if data.draw(st.integers(0, 5)) == 0 else value for name, value in row.items()}
        for row in (ROW, SECOND)
    ]
    claims = [{name: data.draw(ANYTHING) for name in ("orderNo", "claimStatus", "requestDate", "reason")}]
    claims += [claim(3147483650, data.draw(SCALARS))]
    try:
        parsed(basket(rows, claims))
    except Unreadable as told:
        assert told.cause


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    )
)
def test_what_is_no_basket_is_unreadable(body):
    with pytest.raises(Unreadable):
        parse_order(json.dumps(body))
    with pytest.raises(Unreadable):
        parse_order(json.dumps({"PackNo": "1", "Rows": body, "Claims": body}))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(SCALARS, st.dictionaries(st.sampled_from([*ROW, "x"]), ANYTHING, max_size=6)), max_size=5))
def test_odd_rows_in_a_list_are_problems_and_stop_nothing(rows):
    baskets, problems = group([*rows, ROW], [*rows, claim(3147483650, 3)])
    assert "845670011" in baskets
    assert all(isinstance(trouble, Unreadable) for _no, trouble in problems)
    for one in baskets.values():
        assert one.payload()


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=60), ANYTHING.map(lambda body: json.dumps(body).encode("utf-8", "replace"))))
def test_any_answer_is_an_envelope_or_the_channel_is_down(content):
    try:
        code, _message, result = read_envelope(content, uncertain=False)
    except ChannelDown:
        return
    assert isinstance(code, int) and isinstance(as_list(result), list)


@pytest.mark.parametrize(
    "content",
    [
        '{"ResultCode":"0","ResultMsg":"成功","ResultObject":null}',
        '\ufeff{"ResultCode":0,"ResultMsg":"SUCCESS","ResultObject":""}',
        '{"ResultObject":[],"ResultCode":0}',
        '<?xml version="1.0"?><StdResult><ResultCode>0</ResultCode><ResultMsg>成功</ResultMsg></StdResult>',
        '<StdCustomResultOfListOfShippingInfo xmlns="urn:x"><ResultObject/><ResultCode>0</ResultCode>'
        "</StdCustomResultOfListOfShippingInfo>",
    ],
)
def test_success_without_rows_in_all_its_shapes(content):
    code, _message, result = read_envelope(content.encode(), uncertain=False)
    assert (code, as_list(result)) == (0, [])


def test_rows_in_xml_are_read_as_in_json():
    inner = "".join(f"<{name}>{value or ''}</{name}>" for name, value in ROW.items())
    text = f"<Std><ResultObject><ShippingInfo>{inner}</ShippingInfo></ResultObject><ResultCode>0</ResultCode></Std>"
    _code, _message, result = read_envelope(text.encode(), uncertain=False)
    assert parsed(basket(as_list(result))).lines == parsed(basket([ROW])).lines

"""Payloads of other versions: fields dropped, added, reordered, emptied, spoiled. Nothing but Unreadable may come."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from channels.connectors.contract import Unreadable
from channels.connectors.yahoo import codes
from channels.connectors.yahoo.parse import parse_order, read_order
from channels.connectors.yahoo.transport import declared_encoding, read_xml
from orders.channel_order import ChannelOrder
from tests.channels.yahoo.test_parse import DETAIL, ITEMS, ORDER, PAY, SHIP, payload

GROUPS = {"Order": ORDER, "Pay": PAY, "Ship": SHIP, "Detail": DETAIL}
NEEDED = {"OrderId", "OrderTime", "LineId", "Quantity"}
NASTY = st.one_of(
    st.sampled_from(
        ["", " ", "\n", "0", "-1", "9", "99", "true", "True", "null", "None", "1,500", "1500.0", "1e3", "NaN",
         "２０２６", "2026-02-30", "2026-08-01", "20260801", "2026-08-01T09:12:44", "0000-00-00 00:00:00", "9999-12-31",
         "24:00-30:00", "～", "髙﨑", "😊", "<b>", "&amp;amp;", "1" * 5000]
    ),
    st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=30),
)  # fmt: skip


def element(name, text):
    made = etree.Element(name)
    try:
        made.text = text
    except ValueError:  # characters that XML cannot hold are another test's matter
        made.text = ""
    return made


def document(groups, items, shuffle):
    """The XML of one reply; `shuffle` orders lists of elements."""
    info = etree.Element("OrderInfo")
    parts = []
    for name, fields in groups.items():
        children = [element(key, value) for key, value in fields]
        if name == "Order":
            parts += children
        else:
            group = etree.Element(name)
            group.extend(shuffle(children))
            parts.append(group)
    for fields in items:
        item = etree.Element("Item")
        item.extend(shuffle([element(key, value) for key, value in fields]))
        parts.append(item)
    # Items keep their order among themselves: it is the order of lines.
    first = [part for part in parts if part.tag != "Item"]
    info.extend([*shuffle(first), *(part for part in parts if part.tag == "Item")])
    root = etree.Element("ResultSet")
    etree.SubElement(etree.SubElement(root, "Result"), "Status").text = "OK"
    root[0].append(info)
    return etree.tostring(root, encoding="unicode")


def plain(value):
    return value.removeprefix("<![CDATA[").removesuffix("]]>")


BASE = {name: [(key, plain(value)) for key, value in fields.items()] for name, fields in GROUPS.items()}
BASE_ITEMS = [[(key, value) for key, value in item.items() if key != "ItemOption"] for item in ITEMS]


def parsed(text):
    order = parse_order(text)
    assert isinstance(order, ChannelOrder)
    assert order.channel_order_no and order.ordered_at.tzinfo is not None
    return order


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_elements_tells_nothing(random):
    def shuffle(parts):
        return random.sample(parts, len(parts))

    assert parse_order(document(BASE, BASE_ITEMS, shuffle)) == parse_order(document(BASE, BASE_ITEMS, list))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_optional_field_may_be_missing_and_new_ones_may_come(data):
    kept = {
        name: [pair for pair in fields if pair[0] in NEEDED or data.draw(st.booleans())]
        for name, fields in BASE.items()
    }
    items = [[pair for pair in item if pair[0] in NEEDED or data.draw(st.booleans())] for item in BASE_ITEMS]
    for fields in (*kept.values(), *items):
        fields += [(f"New{number}", data.draw(NASTY)) for number in range(data.draw(st.integers(0, 2)))]
    order = parsed(document(kept, items, list))
    assert [line.line_id for line in order.lines] == ["1", "2"]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_spoiled_values_end_in_an_order_or_in_unreadable(data):
    spoiled = {
        name: [(key, data.draw(NASTY) if data.draw(st.integers(0, 5)) == 0 else value) for key, value in fields]
        for name, fields in BASE.items()
    }
    items = [
        [(key, data.draw(NASTY) if data.draw(st.integers(0, 5)) == 0 else value) for key, value in item]
        for item in BASE_ITEMS
    ]
    try:
        parsed(document(spoiled, items, list))
    except Unreadable as told:
        assert told.cause


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_documented_field_may_carry_anything(data):
    name = data.draw(st.sampled_from(codes.INFO_FIELDS.split(",")))
    group = data.draw(st.sampled_from(["Order", "Pay", "Ship", "Detail"]))
    changed = {**BASE, group: [(name, data.draw(NASTY)), *BASE[group]]}
    try:
        parsed(document(changed, BASE_ITEMS, list))
    except Unreadable as told:
        assert told.cause


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 60), st.binary(max_size=8))
def test_torn_and_soiled_bytes_end_in_an_order_or_in_unreadable(at, length, put):
    text = payload().encode()
    at = min(at, len(text))
    torn = (text[:at] + put + text[at + length :]).decode("utf-8", "replace")
    try:
        parse_order(torn)
    except Unreadable as told:
        assert told.cause


@pytest.mark.parametrize(
    "text", ["", "null", "{}", "<a/>", "<OrderInfo/>", "\ud800", "<OrderInfo><OrderId>1</OrderId></OrderInfo>"]
)
def test_what_is_no_order_is_unreadable(text):
    with pytest.raises(Unreadable):
        parse_order(text)


# ---- encodings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("Shift_JIS", "cp932"),
        ("Windows-31J", "cp932"),
        ("EUC-JP", "euc_jis_2004"),
    ],
)
def test_replies_in_japans_encodings_are_read_by_what_they_declare(declared, used):
    words, text = "髙橋①号室、㈱架空へ", payload(order={"BuyerComments": "髙橋①号室、㈱架空へ"})
    if declared == "EUC-JP":  # which has no place for these
        words, text = (one.translate(str.maketrans("髙﨑", "高崎")) for one in (words, text))
    root = read_xml(text.replace('encoding="UTF-8"', f'encoding="{declared}"').encode(used))
    assert root.findtext(".//BuyerComments") == words
    assert parse_order(etree.tostring(root, encoding="unicode")).remarks == words


def test_bytes_of_cp932_under_a_utf_8_name_spoil_only_themselves():
    text = payload(order={"BuyerComments": "@@"}).encode().replace(b"@@", "ｶﾅ".encode("cp932"))
    root = read_xml(text)
    assert root.findtext(".//OrderId") == ORDER["OrderId"]
    assert "�" in root.findtext(".//BuyerComments")


@pytest.mark.parametrize("control", ["\x0b", "\x08", "\x1f", "&#11;", "&#x1F;", "\ufffe"])
def test_control_characters_that_buyers_paste_are_dropped(control):
    order, _ = read_order(payload(order={"BuyerComments": f"午前{control}中"}))
    assert order["BuyerComments"] == "午前中"


def test_an_encoding_nobody_knows_is_taken_as_utf_8():
    assert declared_encoding(b'<?xml version="1.0" encoding="x-martian"?><a/>') == "utf-8"
    assert codecs.lookup(declared_encoding(b"<a/>")).name == "utf-8"


def test_tabs_and_line_breaks_stay():
    order, _ = read_order(payload(order={"BuyerComments": "一行目&#10;二行目\t続き\x0b"}))
    assert order["BuyerComments"] == "一行目\n二行目\t続き"

"""Tracking numbers as people type and paste them."""

import pytest

from fulfillment.tracking import has_right_check_digit, looks_wrong, normal_tracking_no, read_pasted, tracking_url


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("4712-0398-4414", "471203984414"),
        (" ４７１２－０３９８－４４１４ ", "471203984414"),
        ("ab123456789jp", "AB123456789JP"),
        ("", ""),
    ],
)
def test_numbers_are_stored_without_what_is_only_for_reading(typed, stored):
    assert normal_tracking_no(typed) == stored


def test_the_last_digit_is_the_first_eleven_modulo_seven():
    assert has_right_check_digit("471203984414")
    assert [digit for digit in "0123456789" if has_right_check_digit("47120398441" + digit)] == ["4"]
    assert not has_right_check_digit("4712039844") and not has_right_check_digit("47120398441X")


def test_a_wrong_digit_is_only_noticed_where_the_carrier_has_one():
    assert looks_wrong("yamato", "471203984412") and looks_wrong("sagawa", "1") and not looks_wrong("other", "X-1")
    assert not looks_wrong("yamato", "471203984414") and not looks_wrong("yamato", "")


def test_the_carriers_page_is_known_for_known_carriers():
    assert tracking_url("sagawa", "471203984414").endswith("okurijoNo=471203984414")
    assert tracking_url("other", "1") == "" and tracking_url("yamato", "") == ""


def test_pasted_lines_are_read_by_comma_or_tab_with_a_head_line():
    pasted = read_pasted(
        "出荷番号,お問い合わせ番号\nS0000012,4712-0398-4414\n13\t471203984425\t佐川急便\n"
        '"S0000014","471203984436","yamato"\n\n'
    )
    assert {pk: (line.tracking_no, line.carrier) for pk, line in pasted.lines.items()} == {
        12: ("471203984414", ""),
        13: ("471203984425", "sagawa"),
        14: ("471203984436", "yamato"),
    }
    assert not pasted.unreadable and not pasted.doubled and not pasted.shared


def test_what_cannot_be_read_or_is_doubled_is_reported():
    pasted = read_pasted("S0000012,1\nS0000012,2\nS0000012,1\nS0000013,1\nX99,3\nS0000014\nS0000015,番号なし")
    assert list(pasted.lines) == [12, 13] and pasted.lines[12].tracking_no == "1"
    assert list(pasted.doubled) == [12] and list(pasted.shared) == ["1"]
    assert list(pasted.unreadable) == ["X99,3", "S0000014", "S0000015,番号なし"]

"""Registration numbers, barcodes, and text that wraps."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oms.kernel.pdf.flow import wrap
from oms.kernel.pdf.page import Style
from orders.documents.barcode import code128, code128_values
from orders.documents.registration import corporate_check_digit, normal_registration_number, registration_fault

BODY = Style(9)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("T7000012050002", ""),  # 国税庁
        ("ｔ７０００－０１２０－５０００２", ""),
        ("T8000012050002", "check_digit"),
        ("7000012050002", "form"),
        ("T700001205000", "form"),
        ("", "form"),
    ],
)
def test_registration_numbers(typed, fault):
    assert registration_fault(typed) == fault


def test_a_registration_number_is_stored_in_one_form():
    assert normal_registration_number("ｔ７０００ー０１２０５０００２") == "T7000012050002"
    assert normal_registration_number(" 申請中 ") == "申請中"


@given(st.integers(0, 10**12 - 1))
def test_the_check_digit_is_never_zero_and_sees_every_single_slip(number):
    base = f"{number:012d}"
    digit = corporate_check_digit(base)
    assert 1 <= digit <= 9
    slipped = f"{(int(base[-1]) + 1) % 10}"
    if {base[-1], slipped} != {"0", "9"}:
        assert corporate_check_digit(base[:-1] + slipped) != digit


def test_code_128_of_known_texts():
    assert code128_values("PJJ123C") == [104, 48, 42, 42, 17, 18, 19, 35, 55, 106]
    assert code128_values("123456") == [105, 12, 34, 56, 44, 106]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_every_bar_lies_inside_and_none_overlap(text):
    bars, modules = code128(text)
    ends = [start + width for start, width in bars]
    assert ends[-1] <= modules - 10
    assert all(end < start for end, (start, _) in zip(ends, bars[1:], strict=False))


@pytest.mark.parametrize("text", ["", "あ", "a\n"])
def test_what_no_scanner_reads_is_refused(text):
    with pytest.raises(ValueError):
        code128_values(text)


@given(st.text(max_size=120), st.floats(8, 120))
@example("「お届け」、「ご連絡」。ABCDEFGHIJKLMNOPQRSTUVWXYZ", 20.0)
def test_wrapped_text_is_whole_and_fits(text, width):
    lines = wrap(text, BODY, width, max_lines=500)
    assert all(BODY.width(line) <= width + 4 * 9 / 2.8 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_no_line_begins_with_a_comma_or_ends_with_an_opening_bracket():
    lines = wrap("これは、「長い」文章、です。" * 12, BODY, 40)
    assert len(lines) > 5
    assert not any(line[0] in "、。」" for line in lines)
    assert not any(line[-1] in "「（" for line in lines)


def test_a_text_of_too_many_lines_ends_in_dots():
    lines = wrap("あ" * 500, BODY, 30, max_lines=3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")

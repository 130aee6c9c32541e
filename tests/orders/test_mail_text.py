"""Texts with placeholders and conditions, as pure functions."""

import pytest

from orders.decide import mail_text
from orders.services.mail_texts import STANDARD_TEMPLATES
from orders.services.mail_values import NAMES

VALUES = {"a.name": "佐藤 恵", "a.cod": "1", "a.empty": ""}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{ a.name }} 様", "佐藤 恵 様"),
        ("{% if a.cod %}代引{% endif %}です", "代引です"),
        ("{% if a.empty %}あり{% else %}なし{% endif %}", "なし"),
        ("{% if not a.empty %}なし{% endif %}", "なし"),
        ("{% if a.cod %}{% if a.empty %}x{% else %}y{% endif %}{% else %}z{% endif %}", "y"),
        ("一\n{% if a.empty %}\n二\n{% endif %}\n三\n", "一\n三\n"),
        ("波括弧 { は } そのまま 100%", "波括弧 { は } そのまま 100%"),
    ],
)
def test_a_text_is_filled_and_a_branch_not_taken_leaves_nothing(text, filled):
    assert mail_text.fill(text, VALUES) == filled


def test_a_hole_counts_only_where_the_text_goes_through():
    text = "{{ a.empty }}{% if a.empty %}{{ b.nothing }}{% endif %}{{ a.name }}"
    assert mail_text.holes(text, VALUES) == ["a.empty"]
    assert mail_text.holes(text, VALUES, optional={"a.empty"}) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{% if a.cod %}", ["{% if a.cod %}"]),
        ("{% endif %}", ["{% endif %}"]),
        ("{% else %}", ["{% else %}"]),
        ("{% if a.cod %}{% else %}{% else %}{% endif %}", ["{% else %}"]),
        ("{% if a.cod or a.name %}x{% endif %}", ["{% if a.cod or a.name %}", "{% endif %}"]),
        ("{% for x in y %}", ["{% for x in y %}"]),
        ("{{ a.nmae }} {{", ["{{ a.nmae }}", "{{"]),
        ("{% if a.cod %}{{ a.name }}{% endif %}", []),
    ],
)
def test_what_cannot_be_read_is_named_as_written(text, wrong):
    assert mail_text.mistakes(text, VALUES) == wrong


def test_values_cannot_bring_markup_into_an_html_mail():
    values = {"a.name": '<img src="https://evil.example/x">\n二行目'}
    filled = mail_text.fill("<p>{{ a.name }}</p>", values, as_html=True)
    assert filled == "<p>&lt;img src=&quot;https://evil.example/x&quot;&gt;<br>二行目</p>"
    page = mail_text.html_of('<script>alert(1)</script>\n\nhttps://example.jp/?a=1&b="2"')
    assert "<script>" not in page and '<a href="https://example.jp/?a=1&amp;b=">' in page


@pytest.mark.parametrize("event", sorted(STANDARD_TEMPLATES))
def test_every_standard_text_uses_known_names_and_a_short_subject(event):
    standard = STANDARD_TEMPLATES[event]
    assert mail_text.mistakes(standard.subject + standard.body, NAMES) == []
    assert "\n" not in standard.subject and "{{ buyer.name }} 様" in standard.body

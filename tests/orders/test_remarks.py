import random
from datetime import date

import pytest

from channels.sandbox import remarks as buyers
from orders.decide.remarks import find_when, read

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize("text", buyers.SLIP_TEXTS)
def test_words_for_the_carrier_stop_nothing(text):
    assert read(text, TODAY).rest == ""


@pytest.mark.parametrize("text", buyers.QUESTIONS)
def test_a_question_is_left_for_a_person(text):
    assert read(text, TODAY).rest


@pytest.mark.parametrize("seed", range(60))
def test_whatever_slip_text_a_buyer_writes_is_understood(seed):
    text = buyers.slip_text(random.Random(seed), TODAY)
    assert read(text, TODAY).rest == "", text


@pytest.mark.parametrize(
    ("text", "day", "slot"),
    [
        ("[配送日時指定:]\n2026-11-29(日)\n14:00〜16:00\n[備考:]\n特になし", date(2026, 11, 29), "1416"),
        ("配達希望日：11月28日 午前中", date(2026, 11, 28), "am"),
        ("11/27(金)着でお願いします。", date(2026, 11, 27), ""),
        ("時間指定：19-21時", None, "1921"),
        ("1月5日 18時～20時", date(2027, 1, 5), "1820"),
        ("2026/11/27 16:00-18:00 希望", date(2026, 11, 27), "1618"),
    ],
)
def test_a_wish_in_words_becomes_date_and_slot(text, day, slot):
    remark = read(text, TODAY)
    assert (remark.wish_date, remark.wish_slot, remark.rest) == (day, slot, "")


def test_a_wish_with_a_question_beside_it_keeps_both():
    remark = read("11/28着希望。玄関の色は何色ですか？", TODAY)
    assert remark.wish_date == date(2026, 11, 28) and "玄関の色" in remark.rest


@pytest.mark.parametrize(
    "text", ["宅配ボックスの暗証番号を変更したので連絡ください", "不在がちなのでキャンセルしたい", "13月45日希望"]
)
def test_what_is_not_plain_is_never_waved_through(text):
    assert read(text, TODAY).rest


@pytest.mark.parametrize(
    "text",
    [
        "時間帯の希望はありません",
        "配達日時のご希望は特にありません。",
        "お届け日・時間帯の指定なし",
        "日にちの指定はございません",
        "時間指定は不要です。",
        "お届けの時間はいつでも大丈夫です。",
    ],
)
def test_that_nothing_is_wished_for_the_delivery_stops_nothing(text):
    assert read(text, TODAY).rest == ""


@pytest.mark.parametrize(
    "text",
    [
        "配達は不要です",
        "配達を希望しません",
        "受け取りできません",
        "希望の日に届けに来ていません",
        "時間帯の希望はありませんが、色を変えてください",
        "指定の色がありません",
        "配達日の指定ができません",
        "お届けはいつでもキャンセルできますか",
        "日時の希望はありませんか",
        "領収書の指定はありません",
        "ラッピングの希望はありません",
        "いつ届きますか",
    ],
)
def test_words_that_only_look_like_no_wish_are_left_for_a_person(text):
    assert read(text, TODAY).rest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("土曜日に受け取れますか？", "土曜日"), ("来週の届けは可能ですか", "来週"), ("18:30に電話ください", "18:30"),
        ("夕方6時に在宅です、教えて", "夕方6時"), ("12/3より前に届きますか？", "12/3"),
        ("24時間以内に返事をください", ""),
        ("色を教えてください", ""),
    ],
)  # fmt: skip
def test_a_day_or_an_hour_in_whatever_words_is_found(text, told):
    assert find_when(text, TODAY) == told

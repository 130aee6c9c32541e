"""The next step of an order in words, gate by gate. No database."""

from datetime import date

import pytest

from orders.models.order import Stage
from orders.queries.next_step import FIELDS, Step, next_step


def step_of(stage: str, *reasons: tuple[str, str], **facts: object) -> Step:
    order = dict.fromkeys(FIELDS, "") | {
        "stage": stage, "phase": "open", "payment_method": "card", "payment_state": "paid", "allocation_state": "none",
        "release_date": None, "planned_ship_date": None, "channel_sync": "none", "fulfilled_by_channel": False,
    }  # fmt: skip
    return next_step(order | facts, reasons)


@pytest.mark.parametrize(
    ("stage", "facts", "text", "action"),
    [
        ("new", {"phase": "provisional"}, "モールの注文情報がそろうのを待つ", ""),
        ("new", {"phase": "to_confirm"}, "モールへ注文を確定する", "confirm"),
        ("new", {"phase": "to_confirm", "channel_sync": "pending"}, "モールへの注文確定の結果を待つ", ""),
        ("new", {"phase": "to_confirm", "channel_sync": "failed"}, "モールへの注文確定をやり直す", ""),
        ("awaiting_payment", {"payment_method": "bank_transfer"}, "入金を確かめて登録する", "pay"),
        ("awaiting_payment", {"payment_method": "convenience"}, "コンビニでの支払いを待つ", "pay"),
        ("awaiting_payment", {"payment_method": "deferred"}, "後払いの審査結果を待つ", ""),
        ("awaiting_payment", {"payment_state": "failed"}, "決済エラーを購入者に知らせる", ""),
        ("awaiting_payment", {}, "モールでの決済完了を待つ", ""),
        ("awaiting_stock", {}, "在庫の引当を待つ", ""),
        ("awaiting_stock", {"allocation_state": "partial"}, "残りの在庫の引当を待つ", ""),
        ("awaiting_release", {"release_date": date(2026, 12, 1)}, "発売日 12/1 を待つ", ""),
        ("scheduled", {"planned_ship_date": date(2026, 11, 28)}, "出荷日 11/28 を待つ", ""),
        ("ready", {}, "出荷指示を出す", "instruct"),
        ("on_hold", {"hold_reason": "電話中"}, "保留を解除する（電話中）", "lift"),
        ("on_hold", {}, "保留を解除する", "lift"),
        ("in_fulfillment", {"location_label": "東京倉庫"}, "東京倉庫の出荷を待つ", ""),
        ("in_fulfillment", {"fulfilled_by_channel": True}, "モールからの出荷を待つ", ""),
        ("partially_shipped", {}, "残りの出荷を待つ", ""),
        ("shipped", {}, "", ""),
        ("shipped", {"channel_sync": "failed"}, "モールへの出荷反映をやり直す", ""),
        ("shipped", {"payment_state": "refund_due"}, "返金を済ませる", ""),
        ("cancelled", {"payment_state": "refund_due"}, "返金を済ませる", ""),
        ("cancelled", {"channel_sync": "failed"}, "モールへのキャンセル反映をやり直す", ""),
    ],
)
def test_a_gate_in_words(stage, facts, text, action):
    assert (step_of(stage, **facts).text, step_of(stage, **facts).action) == (text, action)


def test_under_review_the_first_blocking_reason_speaks_and_the_others_are_counted():
    reasons = (("gift_wrap", "info"), ("postal_mismatch", "block"), ("buyer_note", "block"))
    assert step_of("review", *reasons).text == "郵便番号か住所を直す（ほか1件）"
    assert step_of("review", ("buyer_note", "block")).text == "備考を読む"


def test_a_reason_the_catalogue_does_not_know_is_still_to_be_looked_at():
    assert step_of("review", ("of_a_later_version", "block")).text == "確認理由を見る"


def test_every_stage_has_an_answer():
    for stage in Stage.values:
        assert isinstance(step_of(stage), Step)

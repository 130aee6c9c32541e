"""A rule's document is read strictly, and what it says can be said in words."""

import pytest

from orders.decide.rules import document as documents
from orders.decide.rules.actions import SPECS
from orders.decide.rules.checked import Known
from orders.decide.rules.document import check
from orders.decide.rules.fields import FIELDS, LOADERS, OPERATORS, operators_of
from orders.decide.rules.sentence import sentence
from orders.services.rules.facts import GETTERS
from orders.services.rules.ready_made import BY_CODE
from orders.services.rules.verbs import VERBS
from tests.orders.rules.builders import cond, do, document, group

KNOWN = Known(
    channels=frozenset({"rakuten"}), shops=frozenset({"r1"}), locations=frozenset({"W1"}), skus=frozenset({"CHAIR"}),
    users=frozenset({"aoi"}), teams=frozenset({"operator"}), reasons=frozenset({"buyer_note"}), lists=frozenset({"島"}),
)  # fmt: skip
TAG = do("add_tag", tag="A")


def faults(*conditions, **more):
    return check(document(*conditions, then=more.pop("then", TAG), **more), KNOWN).faults


def test_a_good_document_has_no_faults_and_comes_back_in_its_normal_form():
    found = check(document(cond("total", "ge", "50,000"), group("any", cond("island", "yes")), then=TAG), KNOWN)
    assert found.faults == []
    assert found.document["if"]["items"][0]["value"] == 50_000
    assert found.document["then"] == [{"do": "add_tag", "tag": "A", "undo": True}]
    assert check(found.document, KNOWN).document == found.document


@pytest.mark.parametrize(
    ("conditions", "more", "place", "words"),
    [
        ([cond("nothing", "is", 1)], {}, "if.0", "項目を選んで"),
        ([cond("total", "starts", ["1"])], {}, "if.0", "比べ方を選んで"),
        ([cond("total", "ge", "many")], {}, "if.0", "数を入力"),
        ([cond("total", "ge", "inf")], {}, "if.0", "数を入力"),
        ([cond("total", "between", [5, 1])], {}, "if.0", "始まりは終わり以下"),
        ([cond("wish_date", "before", "明日")], {}, "if.0", "2026-06-01"),
        ([cond("ordered_time", "lt", "25:00")], {}, "if.0", "09:30"),
        ([cond("shop", "is", "nowhere")], {}, "if.0", "「nowhere」は見つかりません"),
        ([cond("stage", "is", "nowhere")], {}, "if.0", "「nowhere」は見つかりません"),
        ([cond("stock", "gt", 0, sku="NONE")], {}, "if.0", "SKU「NONE」"),
        ([cond("postal_code", "in_list", "無い")], {}, "if.0", "リスト「無い」"),
        ([cond("remarks", "matches", "(a")], {}, "if.0", "パターン"),
        ([cond("remarks", "matches", r"(a)\1")], {}, "if.0", "パターン"),
        ([cond("remarks", "contains_any", [])], {}, "if.0", "値を一つ以上"),
        ([cond("remarks", "is", "x" * 201)], {}, "if.0", "200 字まで"),
        ([cond("line.sku", "is", "CHAIR")], {}, "if.0", "明細行の条件の中"),
        ([group("lines_any", cond("total", "ge", 1))], {}, "if.0.0", "明細行の項目"),
        ([group("lines_any", group("lines_all", cond("line.sku", "is", "A")))], {}, "if.0.0", "中に"),
        ([group("lines_sum", of="weight", op="ge", value=1)], {}, "if.0", "合計する項目"),
        ([group("any")], {}, "if.0", "一つ以上"),
        ([group("some", cond("total", "ge", 1))], {}, "if.0", "まとめ方"),
        ([{**cond("total", "ge", 1), "extra": 1}], {}, "if.0", "「extra」という項目"),
        ([], {"then": []}, "then", "一つ以上"),
        ([], {"then": do("fly")}, "then.0", "することを選んで"),
        ([], {"then": do("add_tag", tag="")}, "then.0", "「タグ」を入力"),
        ([], {"then": do("assign", user="nobody")}, "then.0", "「nobody」は見つかりません"),
        ([], {"then": do("add_line", sku="CHAIR", quantity=0)}, "then.0", "1 から 99"),
        ([], {"then": do("set_planned_date", mode="fixed")}, "then.0", "日付を入力"),
        ([], {"then": do("call_webhook", url="file:///etc/passwd")}, "then.0", "https://"),
        ([], {"priority": 0}, "priority", "1 から 9999"),
        ([], {"shops": ["x"]}, "shops", "「x」は見つかりません"),
        ([], {"from": "2026-06-10", "until": "2026-06-01"}, "until", "終了日"),
        ([], {"when": {"event": "never"}}, "when", "いつ判定するか"),
        ([], {"when": {"event": "stage_waited", "stage": "ready", "hours": 0}}, "when", "1 から"),
        ([], {"surprise": 1}, "surprise", "「surprise」という項目"),
    ],
)
def test_each_fault_has_its_place_and_says_what_to_do(conditions, more, place, words):
    found = faults(*conditions, **more)
    assert any(at == place and words in text for at, text in found), found


def test_a_tree_that_is_too_deep_or_too_big_is_refused():
    deep = cond("total", "ge", 1)
    for _ in range(8):
        deep = group("all", deep)
    assert any("深すぎ" in text for _place, text in faults(deep))
    assert any("100 個まで" in text for _place, text in faults(*[cond("total", "ge", 1)] * 101))


@pytest.mark.parametrize(
    "raw", [None, [], "x", {"if": 3, "then": 4}, {"if": {"items": [5]}}, {"when": [], "then": [1]}]
)
def test_whatever_comes_in_is_answered_with_faults_not_with_an_error(raw):
    assert check(raw, KNOWN).faults


def test_every_field_has_a_source_and_every_action_a_verb():
    loaded = {
        "recipient", "lines", "reasons", "member", "member_skus", "stock", "counter", "registered",
        "returns", "places", "blacklist", "profile",
    }  # fmt: skip
    drawn_or_own = {"random_percent"}
    for field in FIELDS.values():
        assert field.source in loaded or field.code in GETTERS or field.code in drawn_or_own, field.code
        assert field.source != "registered" or field.code in LOADERS
        assert operators_of(field.kind)
    assert SPECS.keys() == VERBS.keys()
    assert {code for code, spec in SPECS.items() if spec.undoable} == {
        code for code, verb in VERBS.items() if verb.undo is not None
    }


def test_every_operator_and_action_reads_as_a_sentence():
    for field in FIELDS.values():
        for operator in operators_of(field.kind):
            value = {"list": ["a"], "pair": [1, 2], "nothing": None}.get(operator.takes, "1")
            text = sentence(document(cond(field.code, operator.code, value), then=TAG))
            assert str(field.label) in text and "%" not in text, text
    assert all("○" not in operator.label or operator.takes != "nothing" for operator in OPERATORS.values())
    assert sentence(BY_CODE["high-first"].document) == (
        "取り込んだとき、次のすべてに当てはまる（合計金額が50,000以上；「初めての注文」に当てはまる；"
        "「上位会員（会員ランクによる）」に当てはまらない；タグが「VIP」をどれも含まない）なら、"
        "保留にする: 高額・初回。"
    )
    assert documents.EVENTS.keys() >= {"imported", "paid", "schedule"}

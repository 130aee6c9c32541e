"""What a code and a name probably stand for: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.decide.matching import Rule, Wanted, fault_in, goods_of, match, rewrite

GOODS = goods_of(
    [
        (1, "CH-BK01", "4900000000011", "オフィスチェア", "ブラック"),
        (2, "CH-WH01", "4900000000028", "オフィスチェア", "ホワイト"),
        (3, "DESK-120", "4900000000035", "木製デスク 幅120cm", ""),
        (4, "TWIN", "4900000000042", "双子A", ""),
        (5, "twin", "4900000000042", "双子B", ""),
    ]
)


def found(code="X", **fields):
    best = match(Wanted(1, code, **fields), GOODS)
    return best and (best.sku_id, best.units, best.reason)


@pytest.mark.parametrize("code", ["CH-BK01", "ch_bk 01", "ＣＨ－ＢＫ０１"])
def test_the_same_code_is_sure_however_it_is_written(code):
    best = match(Wanted(1, code), GOODS)
    assert (best.sku_id, best.reason, best.score) == (1, "code", 100)


def test_a_jan_names_a_sku_and_one_that_two_share_names_none():
    assert found(jan="4900000000028") == (2, 1, "jan")
    assert found("item-4900000000035-a") == (3, 1, "jan")
    assert found(jan="4900000000042") is None


def test_a_code_that_two_skus_share_names_none():
    assert found("TWIN") is None


def test_a_code_and_a_jan_that_contradict_are_never_sure():
    assert match(Wanted(1, "CH-BK01", jan="4900000000028"), GOODS).score < 95


def test_what_people_decided_before_comes_before_rules_and_names():
    assert found("zz-9", learned=(3, 2), name="オフィスチェア ブラック") == (3, 2, "learned")


def test_rules_take_off_what_a_shop_adds_and_read_pieces():
    rules = [Rule("prefix", "shop1-"), Rule("units", r"-(\d+)set$"), Rule("pattern", r"^A(\d+)$", r"DESK-\1")]
    assert rewrite("SHOP1-CH-BK01-2set", rules) == ("CH-BK01", 2)
    assert found("shop1-CH-BK01-2set", rules=rules) == (1, 2, "rule")
    assert found("A120", rules=rules) == (3, 1, "rule")


def test_the_front_of_a_code_is_a_hint_only():
    best = match(Wanted(1, "CH-BK01-FBA"), GOODS)
    assert (best.sku_id, best.reason) == (1, "stem") and best.score < 95


def test_a_name_alone_is_a_hint_and_tells_colours_apart():
    best = match(Wanted(1, "zz-9", "【送料無料】オフィスチェア ホワイト ハイバック"), GOODS)
    assert (best.sku_id, best.reason) == (2, "name") and 35 <= best.score < 95
    assert match(Wanted(1, "zz-9", "冷凍餃子 60個入り"), GOODS) is None


def test_a_rule_that_cannot_work_is_named():
    assert fault_in("pattern", "(", "") == "pattern"
    assert fault_in("pattern", "(a)", r"\2") == "replacement"
    assert fault_in("prefix", "(", "") == "" and fault_in("units", "", "") == "empty"


@given(
    st.text(max_size=30),
    st.lists(
        st.tuples(st.sampled_from(["prefix", "suffix", "pattern", "units"]), st.text(max_size=8), st.text(max_size=4)),
        max_size=4,
    ),
)
def test_no_rule_breaks_a_match(code, rules):
    text, units = rewrite(code, [Rule(*rule) for rule in rules])
    assert isinstance(text, str) and 1 <= units <= 999

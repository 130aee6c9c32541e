"""Keys are equal for two spellings of one thing, unequal for two things, and stable."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oms.kernel import text

ANY_TEXT = st.text(max_size=30)


@given(ANY_TEXT)
@example("が")
@example("か\u200b\u3099")
@example("İﾊﾟ㌀ ﷺ")
@example("\ud800山\x00田")
def test_every_key_is_stable_and_can_be_stored(typed):
    for key in (text.folded, text.search_word, text.match_name, text.kana_key):
        once = key(typed)
        assert key(once) == once
        assert not any(char.isspace() or char == "\x00" for char in once)
        once.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋　花子", "高橋花子"),
        ("渡邉 一郎", "渡辺一郎"),
        ("渡邊", "渡辺"),
        ("齋藤", "斉藤"),
        ("㈱山田商店", "株式会社 山田商店"),
        ("ｶﾞｰﾃﾞﾝ", "ガーデン"),
        ("さとう", "サトウ"),
        ("Ｓｍｉｔｈ", "smith"),
        ("か\u3099く", "がく"),
        ("辻\U000e0100", "辻"),
    ],
)
def test_names_that_are_one(one, other):
    assert text.match_name(one) == text.match_name(other)


@pytest.mark.parametrize(("one", "other"), [("佐藤", "佐東"), ("山田太郎", "山田太朗二"), ("ハナ", "バナ")])
def test_names_that_are_two(one, other):
    assert text.match_name(one) != text.match_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京都港区六本木一丁目二番三号", "東京都港区六本木１－２－３"),
        ("東京都千代田区霞ヶ関１ー２", "東京都千代田区霞が関1-2"),
        ("港区六本木1丁目2番地3 メゾン１０１号室", "港区六本木1-2-3メゾン101"),
        ("四ッ谷二十三番地", "四ツ谷23"),
        ("三番町5の6", "三番町5-6"),
        ("札幌市中央区北一条西二丁目", "札幌市中央区北1条西2"),
        ("桧山町1", "檜山町１"),
    ],
)
def test_addresses_that_are_one(one, other):
    assert text.match_address(one) == text.match_address(other)


def test_with_a_postal_code_prefecture_and_county_are_implied():
    full = text.match_address("滋賀県犬上郡多賀町多賀604", postal_code="522-0341")
    assert full == text.match_address("多賀町多賀６０４", postal_code="５２２０３４１")
    assert full != text.match_address("多賀町多賀604", postal_code="522-0342")


@pytest.mark.parametrize("city", ["郡山市", "郡上市", "大和郡山市", "蒲郡市", "小郡市"])
def test_a_city_with_the_county_sign_in_its_name_stays_whole(city):
    assert text.match_address(f"{city}1", postal_code="9630000").endswith(f"{city}1")


def test_two_blocks_are_two_addresses():
    assert text.match_address("六本木1-23") != text.match_address("六本木12-3")


@pytest.mark.parametrize(
    ("kanji", "number"), [("二十三", 23), ("一〇二", 102), ("百五", 105), ("十", 10), ("二千十", 2010), ("三", 3)]
)
def test_kanji_numbers(kanji, number):
    assert text.kanji_number(kanji) == number


def test_a_numeral_in_a_name_stays():
    assert text.digits_for_kanji("三田一郎 二丁目") == "三田一郎 2丁目"


def test_search_text_leads_each_part_and_keeps_parts_apart():
    assert text.search_text("髙橋 花子", None, "", "090-1234-5678", "高橋花子") == "\n高橋花子\n09012345678"


def test_stored_text_keeps_what_was_typed():
    assert text.clean_text(" ①㈱髙島～か\u3099\ufeff\x00\n二行 ") == "①㈱髙島～が\n二行"


def test_cp932_problems_are_named_once_and_harmless_ones_are_replaced():
    assert text.to_cp932_problems("髙﨑①㈱Ⅲ～〜−—\u00a0か\u3099") == []
    assert text.to_cp932_problems("𠮷野家𠮷鷗é") == ["𠮷", "鷗", "é"]
    assert text.to_cp932_problems("𠮷野家", {"𠮷": "吉"}) == []
    assert text.cp932_form("A—B〜C").encode("cp932")


def test_no_variant_stands_for_two_groups():
    variants = text._kanji_variants()
    assert len(variants) > 300
    assert not {chr(code) for code in variants} & set(variants.values())

"""What can be told apart in the words of a noshi; what cannot is never lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.documents.noshi import Noshi, lacks_name, lacks_purpose, read_noshi


def parts(noshi: Noshi) -> tuple[str, str, str, str, str]:
    return noshi.cord, noshi.purpose, noshi.name, noshi.place, noshi.rest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("御祝", ("", "御祝", "", "", "")),
        ("紅白蝶結び 御祝 山田", ("紅白蝶結び", "御祝", "", "", "山田")),
        (
            "水引：紅白結び切り、表書き：寿、名入れ：山田 太郎、外のし",
            ("紅白結び切り", "寿", "山田 太郎", "外のし", ""),
        ),
        ("表書き:お歳暮 名入れ:株式会社 志", ("", "御歳暮", "株式会社 志", "", "")),
        ("内のし（蝶々結び）お祝い", ("蝶結び", "御祝", "", "内のし", "")),
        ("のしの種類：黒白結び切り5本\n志", ("黒白結び切り5本", "志", "", "", "")),
        ("用途：就任のお祝い会", ("", "就任のお祝い会", "", "", "")),
        ("弔事 外熨斗 高志", ("弔事", "", "", "外のし", "高志")),
        ("のし希望", ("", "", "", "", "")),
        ("御祝 内祝", ("", "御祝", "", "", "内祝")),
        ("名入れ：山田、名入れ：佐藤", ("", "", "山田", "", "佐藤")),
        ("", ("", "", "", "", "")),
    ],
)
def test_a_noshi_is_read_from_its_words(text, told):
    assert parts(read_noshi(text)) == told
    assert read_noshi(text).text == text


@pytest.mark.parametrize(
    ("text", "purpose", "name"),
    [
        ("御祝", False, False),
        ("紅白蝶結び／表書き：御祝／名入れ：山田", False, False),
        ("表書き：御祝／名入れ：", False, True),
        ("名入れ：／表書き：内祝", False, True),
        ("内祝 名入れあり", False, True),
        ("名入れ：なし、御祝", False, False),
        ("のし希望", True, False),
        ("紅白蝶結び 名入れ：山田", True, False),
        ("表書き：／名入れ：山田／リボンも", True, False),
        ("孫の誕生に", False, False),
    ],
)
def test_what_a_noshi_lacks_is_its_purpose_or_the_name_that_was_asked_for(text, purpose, name):
    assert (lacks_purpose(text), lacks_name(text)) == (purpose, name)


@given(st.text(alphabet="御祝内外のし名入れ表書き:：、 山田\n（）結び切蝶紅白志", max_size=40))
def test_any_words_are_read_without_an_error_and_kept(text):
    assert read_noshi(text).text == text.strip()

"""会員名簿 and goods with tags from a file: seen before, applied once, taken back."""

from datetime import timedelta

import pytest
from django.urls import reverse

from customers.models import Member, MemberChange, MemberTag
from customers.services import profile, ranks
from inventory.models import Sku
from oms.kernel import clock
from orders.decide import moving_in as decide
from orders.models import MoveIn, MoveInRow, Order
from orders.services import moving_in, privacy
from orders.services.intake import take_in
from orders.services.journal import SYSTEM
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped
from tests.orders.test_moving_in import apply, check, read

pytestmark = pytest.mark.django_db
HEAD = "会員番号,氏名,電話番号,メールアドレス,生年月日,会員ランク,店舗会員,会員タグ\n"
LINES = (
    "M-1,佐藤 恵,,MEGUMI@example.com,1990/6/12,ゴールド,1,常連;花\n"
    "M-2,林 薫,03-1111-2222,,,gold,,\n"
    "M-3,名前だけ,,,,,1,\n"
    "M-4,井上 聡,03-3333-4444,,,プラチナ,,\n"
)


@pytest.fixture
def megumi() -> Member:
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get().member


def test_known_members_get_their_facts_new_ones_come_and_the_rest_is_named(megumi, aoi, client_of):
    move = check(read(HEAD + LINES, "members", aoi), aoi)
    assert move.planned == {"created": 1, "updated": 1, "failed": 2} and move.bad == 0
    assert not MemberChange.objects.exists(), "nothing is written by looking"
    apply(move, aoi)
    megumi.refresh_from_db()
    assert (megumi.member_no, megumi.rank.code, str(megumi.birthday), megumi.store_member) == (
        "M-1", "gold", "1990-06-12", True,
    )  # fmt: skip
    assert profile.tags_of(megumi.pk) == ["常連", "花"]
    kaoru = Member.objects.get(member_no="M-2")
    assert kaoru.name == "林 薫" and kaoru.rank.code == "gold"
    assert MemberChange.objects.filter(source="old.csv", by=aoi).count() == 2
    page = client_of(aoi).get(reverse("orders:move-in-file", args=[move.pk])).content.decode()
    assert "会員ランク「プラチナ」は登録がありません" in page and "会員が見つかりません" in page
    again = check(read(HEAD + LINES, "members", aoi), aoi)
    assert again.planned == {"unchanged": 2, "failed": 2}


def test_taken_back_the_facts_are_as_before_unless_somebody_wrote_since(megumi, aoi):
    move = apply(check(read(HEAD + LINES, "members", aoi), aoi), aoi)
    assert moving_in.undo(move, by=aoi)
    megumi.refresh_from_db()
    assert (megumi.member_no, megumi.rank, megumi.birthday) == ("", None, None) and not MemberTag.objects.exists()
    assert Member.objects.filter(member_no="M-2").exists(), "a person who came stays"
    again = apply(check(read(HEAD + LINES, "members", aoi), aoi), aoi)
    profile.change({megumi.pk: {"rank": ""}}, by=aoi)
    moving_in.undo(again, by=aoi)
    megumi.refresh_from_db()
    again.refresh_from_db()
    assert megumi.member_no == "M-1" and again.result["kept"] == 1


def test_bad_lines_are_named_before_anything_happens(megumi, aoi):
    text = HEAD + "M-1,,,,きのう,,,\n,名前だけ,,,,,,\nM-9,a,,a@example.com,2999/1/1,,,\nM-5,a,,,,,,\nM-5,b,,,,,,\n"
    move = check(read(text, "members", aoi), aoi)
    assert move.bad == 4
    said = " ".join(MoveInRow.objects.filter(move=move).values_list("error", flat=True))
    for words in ("きのう", "どれかが要ります", "1900年から今日まで", "前の行にもあります"):
        assert words in said


def test_the_lines_of_a_list_are_emptied_after_ninety_days(megumi, aoi):
    move = apply(check(read(HEAD + LINES, "members", aoi), aoi), aoi)
    MoveIn.objects.filter(pk=move.pk).update(touched_at=clock.now() - timedelta(days=91))
    privacy.erase_due(actor=SYSTEM)
    assert set(MoveInRow.objects.filter(move=move).values_list("key", "before")) == {("", None)}
    assert not MoveInRow.objects.filter(move=move).exclude(cells=[]).exists()


def test_goods_get_tags_and_own_fields_and_give_them_back(aoi):
    text = "商品コード,商品名,商品タグ,自由項目\nA-1,椅子,冬物、木,素材=オーク；原産国=日本\nA-2,机,,壊れた\n"
    move = check(read(text, "products", aoi), aoi)
    assert move.bad == 1 and "自由項目「壊れた」" in MoveInRow.objects.exclude(error="").get().error
    apply(move, aoi)
    sku = Sku.objects.get()
    assert (sku.tags, sku.custom) == (["冬物", "木"], {"素材": "オーク", "原産国": "日本"})
    second = apply(check(read("商品コード,商品名,商品タグ\nA-1,椅子,夏物\n", "products", aoi), aoi), aoi)
    sku.refresh_from_db()
    assert sku.tags == ["夏物"] and sku.custom["素材"] == "オーク", "what the file does not say stays"
    moving_in.undo(second, by=aoi)
    sku.refresh_from_db()
    assert sku.tags == ["冬物", "木"]


def test_tags_and_fields_are_read_as_people_write_them():
    assert decide.tags("綿、手洗い;綿\n冬") == ["綿", "手洗い", "冬"]
    assert decide.custom("素材：綿; 色＝赤\nサイズ=") == {"素材": "綿", "色": "赤"}
    with pytest.raises(decide.BadCell):
        decide.tags("長" * 41)

"""A buyer's option text that says another SKU than the listing's: asked about, decided once, remembered."""

import pytest
from django.test import Client

from inventory.models import Balance, Product, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel.models import User
from orders.decide.options import unread
from orders.models import OptionChoice, Order
from orders.services import options
from orders.services.audit import violations
from orders.services.intake import take_in
from orders.services.journal import SYSTEM
from tests.orders.builders import changed, make_channel_order, make_line, make_location, make_shop, mapped

FINE = ["名入れ", "ラッピング"]


@pytest.mark.parametrize(
    ("text", "known", "left"),
    [
        ("カラー:赤", "赤 M 椅子", []),
        ("カラー：青\nサイズ：Ｍ", "赤 M 椅子", ["カラー:青"]),
        ("名入れ:TARO / カラー:赤", "赤", []),
        ("ラッピング希望", "赤", []),
        ("オプション:なし", "赤", []),
        ("青", "赤", ["青"]),
        ("M 杢グレー", "杢グレー / M", []),
        ("L 紺", "XL / 紺", ["L 紺"]),
        ("", "赤", []),
    ],
)
def test_what_nobody_has_understood_of_a_text(text, known, left):
    assert unread(text, known, FINE) == left


@pytest.fixture
def chairs():
    product = Product.objects.create(code="CHAIR", name="椅子")
    made = [
        Sku.objects.create(product=product, code=f"CHAIR-{variant}", name="椅子", variant=variant, price=1000)
        for variant in ("赤", "青")
    ]
    stock.receive([stock.Fact(sku.pk, make_location().pk, 5, "test") for sku in made])
    return made


def take(red: Sku, *orders) -> list[Order]:
    code = mapped(red)[red.code]
    take_in(make_shop(), orders, sku_of={"CHAIR": code})
    return list(Order.objects.order_by("pk"))


def ordered(text: str, quantity: int = 1):
    return make_channel_order(make_line("CHAIR", quantity, options=text))


def held(sku: Sku) -> int:
    return Balance.objects.get(sku=sku, location=None, release="").reserved


@pytest.mark.django_db
def test_a_text_that_says_another_variant_is_asked_about_and_does_not_stop(chairs):
    red, _blue = chairs
    told, other = take(red, ordered("カラー:赤"), ordered("カラー:青"))
    assert not told.reasons.filter(code="option_unparsed").exists()
    reason = other.reasons.get(code="option_unparsed")
    assert reason.level == "warn" and "カラー:青" in reason.evidence and other.stage != "review"


@pytest.mark.django_db
def test_the_choice_moves_the_goods_of_all_that_wait_and_is_remembered(chairs):
    red, blue = chairs
    first, second = take(red, ordered("カラー:青", 2), ordered("カラー:青"))
    assert (held(red), held(blue)) == (3, 0)
    line = first.lines.get()
    assert options.choose(line.pk, blue.pk, actor=SYSTEM) == [first.pk, second.pk]
    assert (held(red), held(blue)) == (0, 3)
    assert {line.sku for order in (first, second) for line in order.lines.all()} == {blue}
    assert not Order.objects.filter(reasons__code="option_unparsed", reasons__state="open").exists()
    options.choose(line.pk, blue.pk, actor=SYSTEM)
    assert (held(red), held(blue)) == (0, 3)
    told = ordered("カラー:青")
    third = take(red, told)[-1]
    assert third.lines.get().sku == blue and not third.reasons.filter(code="option_unparsed").exists()
    take(red, changed(told, lines=(make_line("CHAIR", 2, options="カラー:青", line_id=told.lines[0].line_id),)))
    assert third.lines.get().sku == blue and held(blue) == 5, "the channel's next word keeps the choice"
    assert not list(violations()) and not list(stock_violations())


@pytest.mark.django_db
def test_a_text_that_changes_nothing_is_remembered_as_such(chairs):
    red, _blue = chairs
    [first] = take(red, ordered("脚キャップ:あり"))
    options.choose(first.lines.get().pk, None, actor=SYSTEM)
    assert first.reasons.get(code="option_unparsed").state == "auto_resolved"
    second = take(red, ordered("脚キャップ:あり"))[-1]
    assert second.lines.get().sku == red and not second.reasons.filter(code="option_unparsed").exists()


@pytest.mark.django_db
def test_what_the_warehouse_has_keeps_its_goods(chairs):
    red, blue = chairs
    gone, waits = take(red, ordered("カラー:青"), ordered("カラー:青"))
    Order.objects.filter(pk=gone.pk).update(fulfillment_state="instructed")
    options.choose(waits.lines.get().pk, blue.pk, actor=SYSTEM)
    assert (gone.lines.get().sku, waits.lines.get().sku) == (red, blue)


@pytest.mark.django_db
def test_only_a_sku_of_the_same_product_may_be_chosen(chairs):
    red, _blue = chairs
    other = Sku.objects.create(product=Product.objects.create(code="DESK", name="机"), code="DESK", name="机")
    [order] = take(red, ordered("カラー:青"))
    with pytest.raises(Sku.DoesNotExist):
        options.choose(order.lines.get().pk, other.pk, actor=SYSTEM)
    assert not OptionChoice.objects.exists()


def client_of(role: str) -> Client:
    from django.contrib.auth.models import Group  # noqa: PLC0415

    user = User.objects.create_user(f"{role}-person", password="x")
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_the_order_page_leads_to_the_choice_and_the_choice_is_made_there(chairs):
    red, blue = chairs
    [order] = take(red, ordered("カラー:青"))
    desk, line = client_of("operator"), order.lines.get()
    assert f"/orders/{order.pk}/options/" in desk.get(f"/orders/{order.pk}/").content.decode()
    url = f"/orders/{order.pk}/options/"
    assert "CHAIR-青" in desk.get(url).content.decode()
    assert "一つ以上選んで" in desk.post(url, {f"line_{line.pk}": ""}).content.decode()
    assert desk.post(url, {f"line_{line.pk}": "999999"}).status_code == 200
    assert desk.post(url, {f"line_{line.pk}": blue.pk}).status_code == 302
    assert order.lines.get().sku == blue and OptionChoice.objects.get().by
    assert client_of("accounting").get(url).status_code == 403

"""A file of the system used before: read, checked, applied once, taken back."""

import io
import re

import pytest
from django.urls import reverse
from django.utils.translation import override

from inventory.models import Balance, BundleComponent, Sku
from inventory.services.audit import violations as stock_violations
from oms.pages.services import figures
from orders.decide import moving_in as decide
from orders.models import Mail, MoveIn, MoveInEvent, MoveInPreset, Order, OrderFigure
from orders.services import moving_in
from orders.services.audit import violations
from orders.services.intake import take_in
from orders.services.rules import sweep
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped
from tests.orders.rules.builders import do, make_rule

pytestmark = pytest.mark.django_db

GOODS = (
    "syohin_code,daihyo_syohin_code,syohin_name,baika_tnk,jan_code\n"
    'A-1,A,椅子 赤,"¥1,200",4901234567894\nA-2,A,椅子 青,1300,\n'
)
NE_HEADS = (
    "店舗伝票番号,受注日,受注郵便番号,受注住所１,受注住所２,受注名,受注名カナ,受注電話番号,受注メールアドレス,発送郵便番号,発送先住所１,"
    "発送先住所２,発送先名,発送先カナ,発送電話番号,支払方法,発送方法,商品計,税金,発送料,手数料,ポイント,合計金額,備考,商品名,商品コード,"
    "商品価格,受注数量,商品オプション,出荷済フラグ"
)


def order_line(no: str, *, shipped: str = "0", sku: str = "CHAIR", at: str = "2025/01/10 10:00:00") -> str:
    place = "1540024,東京都世田谷区,三軒茶屋2-14-3"
    who = "佐藤 恵,サトウ メグミ,09012345678"
    return (
        f"{no},{at},{place},{who},megumi@example.com,{place},{who},クレジットカード,宅配便,"
        f"2000,0,500,0,0,2500,,椅子,{sku},1000,2,,{shipped}"
    )


def read(text: str, kind: str, by, *, encoding: str = "utf-8", name: str = "old.csv") -> MoveIn:
    return moving_in.read(io.BytesIO(text.encode(encoding)), name=name, kind=kind, by=by)


def check(move: MoveIn, by, *, shop=None, location=None) -> MoveIn:
    moving_in.map_columns(move, move.mapping, shop=shop, location=location, by=by)
    move.refresh_from_db()
    return move


def apply(move: MoveIn, by) -> MoveIn:
    assert moving_in.start(move, by=by)
    move.refresh_from_db()
    return move


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encoding_and_delimiter_are_found(aoi, encoding, delimiter):
    text = delimiter.join(["商品コード", "商品名"]) + "\r\n" + delimiter.join(["A-1", "椅子 髙島"]) + "\r\n"
    move = read(text, "products", aoi, encoding=encoding)
    assert move.delimiter == delimiter and move.total == 1
    assert [one.cells for one in moving_in.sample(move)] == [["A-1", "椅子 髙島"]] and set(move.mapping) == {
        "code",
        "name",
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ファイルが空"),
        (b"PK\x03\x04\x00\x00", "CSVではない"),
        (b"\x81\xff\xfe\x99,\x80", "文字コード"),
        (b"a,b\n", "データの行"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do_and_leaves_nothing(aoi, data, said):
    with pytest.raises(moving_in.Unusable, match=said):
        moving_in.read(io.BytesIO(data), name="x.csv", kind="products", by=aoi)
    assert not MoveIn.objects.exists()


def test_products_are_planned_made_and_made_once(aoi):
    make_sku("A-2", price=9)
    move = check(read(GOODS, "products", aoi), aoi)
    assert move.preset == "ネクストエンジン 商品マスタ" and move.planned == {"created": 1, "updated": 1}
    assert Sku.objects.count() == 1  # checking writes nothing
    assert apply(move, aoi).result == {"created": 1, "updated": 1}
    assert move.state == "applied" and not moving_in.start(move, by=aoi)
    made = Sku.objects.get(code="A-1")
    assert (made.name, made.price, made.jan, made.product.code) == ("椅子 赤", 1200, "4901234567894", "A")
    assert check(read(GOODS, "products", aoi), aoi).planned == {"unchanged": 2}


def test_taking_products_back_restores_the_old_and_keeps_the_used(aoi):
    make_sku("A-2", price=9)
    move = apply(check(read(GOODS + "A-3,A,机,1,\n", "products", aoi), aoi), aoi)
    take_in(make_shop(), [make_channel_order(make_line("A-1"))], sku_of=mapped(Sku.objects.get(code="A-1")))
    assert moving_in.undo(move, by=aoi)
    move.refresh_from_db()
    assert move.result == {"undone": 2, "kept": 1}
    assert Sku.objects.get(code="A-2").price == 9
    assert Sku.objects.get(code="A-1").active and not Sku.objects.get(code="A-3").active
    assert list(move.events.order_by("pk").values_list("kind", flat=True)) == ["read", "checked", "applied", "undone"]


def test_costs_suppliers_and_weights_come_with_the_products_and_go_back_with_them(aoi):
    make_sku("A-1", cost=500, supplier="前の問屋", weight_g=10)
    text = '商品コード,商品名,原価,仕入先名,重量(g)\nA-1,椅子,,,\nA-2,机,"1,980円",家具問屋,12.5kg\nA-3,棚,0,,800g\n'
    apply(check(read(text, "products", aoi), aoi), aoi)
    assert set(Sku.objects.values_list("code", "cost", "supplier", "weight_g")) == {
        ("A-1", 500, "前の問屋", 10), ("A-2", 1980, "家具問屋", 12_500), ("A-3", 0, "", 800),
    }  # fmt: skip
    move = apply(check(read("商品コード,商品名,仕入価格\nA-1,椅子,510\n", "products", aoi), aoi), aoi)
    assert Sku.objects.get(code="A-1").cost == 510
    moving_in.undo(move, by=aoi)
    assert Sku.objects.get(code="A-1").cost == 500


def test_taking_back_a_file_of_before_costs_were_kept_leaves_costs_alone(aoi):
    make_sku("A-2", price=9, cost=77)
    move = apply(check(read(GOODS, "products", aoi), aoi), aoi)
    for unit in move.rows.filter(outcome="updated"):
        unit.before = {name: value for name, value in unit.before.items() if name not in {"cost", "supplier"}}
        unit.save(update_fields=["before"])
    moving_in.undo(move, by=aoi)
    assert Sku.objects.values_list("price", "cost").get(code="A-2") == (9, 77)


@pytest.mark.parametrize("cell", ["-5", "安い", "12.5"])
def test_a_cost_that_is_none_is_named(cell):
    with pytest.raises(decide.BadCell):
        decide.cost(cell)


@pytest.mark.parametrize("cell", ["-5", "軽い", "1.5g", "1.2345kg", "99999999kg"])
def test_a_weight_that_is_none_is_named(cell):
    with pytest.raises(decide.BadCell):
        decide.grams(cell)


def test_bad_lines_are_named_and_the_others_go_in(aoi):
    text = "商品コード,商品名,価格,税率\nA-1,椅子,abc,10\n,机,1,10\nA-3,棚,1,9\nA-4,箱,1,8\nA-4,箱,1,8\n"
    move = check(read(text, "products", aoi), aoi)
    assert (move.bad, move.planned) == (4, {"created": 1})
    lines = list(moving_in.broken_lines(move))
    assert [line[0] for line in lines[1:]] == ["2", "3", "4", "6"] and "金額「abc」" in lines[1][1]
    apply(move, aoi)
    assert list(Sku.objects.values_list("code", "tax_rate")) == [("A-4", 8)]


def test_a_price_with_a_bare_comma_is_refused_and_not_taken_as_price_and_quantity(aoi):
    shop, _chair = make_shop(), make_sku("CHAIR", stock_units=9)
    heads = "注文番号,注文日,注文者名,商品コード,単価,数量\n"
    text = (
        heads
        + 'N-1,2026/11/20,佐藤,CHAIR,1,200,1\nN-2,2026/11/20,佐藤,CHAIR,"1,200",1\nN-3,2026/11/20,佐藤,CHAIR,5,1,,\n'
    )
    move = check(read(text, "orders", aoi), aoi, shop=shop)
    assert (move.bad, move.planned) == (1, {"created": 2}), "cells that are only empty shift nothing"
    assert "「1,200」のように" in moving_in.sample(move)[0].fault and check(move, aoi, shop=shop).bad == 1
    apply(move, aoi)
    prices = Order.objects.order_by("pk").values_list("channel_order_no", "lines__unit_price", "lines__quantity")
    assert list(prices) == [("N-2", 1200, 1), ("N-3", 5, 1)]


def test_half_a_letter_and_a_stray_mark_cost_their_own_line_only(aoi, client_of):
    lines = [
        "商品コード,商品名,価格", 'A-1,"椅子\r\n（赤）",100', 'B-1,"閉じない椅子,100', "A-2,机,200",
        'B-2,"机"大,200', 'A-3,19"モニター,300', "B-3,棚半X,100", 'B-4,"開いた,1', 'B-5,閉じた",1', "A-4,箱,400",
        'B-6,"終,1',
    ]  # fmt: skip
    data = "\r\n".join(lines).encode("cp932").replace("半X".encode("cp932"), "半".encode("cp932") + b"\x8d")
    move = moving_in.read(io.BytesIO(data), name="x.csv", kind="products", by=aoi)
    check(move, aoi)
    told = {cells[2].split(",")[0]: cells[1] for cells in list(moving_in.broken_lines(move))[1:]}
    assert move.encoding == "cp932" and set(told) >= {"B-1", "B-2", "B-3", "B-4"}
    assert "閉じていません" in told["B-1"] and "使い方" in told["B-2"] and "\ufffd" in told["B-3"]
    page = client_of(aoi).get(reverse("orders:move-in-file", args=[move.pk])).content.decode()
    assert "引用符（&quot;）が閉じていません" in page
    apply(move, aoi)
    names = dict(Sku.objects.values_list("code", "name"))
    assert {code: names.get(code) for code in ("A-1", "A-2", "A-3", "A-4")} == {
        "A-1": "椅子\r\n（赤）", "A-2": "机", "A-3": '19"モニター', "A-4": "箱",
    }  # fmt: skip
    assert not {"B-1", "B-2", "B-3", "B-4", "B-6"} & set(names)


def test_sets_get_their_parts(aoi):
    make_sku("CHAIR"), make_sku("DESK")
    text = (
        "set_syohin_code,set_syohin_name,set_baika_tnk,syohin_code,suryo\n"
        "SET,セット,3000,CHAIR,2\nSET,セット,3000,DESK,1\nBAD,x,1,NONE,1\n"
    )
    move = apply(check(read(text, "bundles", aoi), aoi), aoi)
    assert move.result == {"created": 1, "failed": 1}
    assert set(BundleComponent.objects.values_list("component__code", "quantity")) == {("CHAIR", 2), ("DESK", 1)}
    moving_in.undo(move, by=aoi)
    assert not BundleComponent.objects.exists()


def test_stock_is_counted_through_the_door_and_taken_back_where_nothing_moved(aoi):
    place = make_location()
    chair, desk = make_sku("CHAIR", stock_units=3), make_sku("DESK")
    move = check(read("商品コード,在庫数\nCHAIR,10\nDESK,5\nNONE,1\n", "stock", aoi), aoi, location=place)
    assert (move.bad, move.planned) == (1, {"updated": 1, "created": 1})
    apply(move, aoi)
    on_hand = dict(Balance.objects.filter(location=place).values_list("sku__code", "on_hand"))
    assert on_hand == {"CHAIR": 10, "DESK": 5} and stock_violations() == []
    from inventory.services import stock  # noqa: PLC0415 - beside its only use

    stock.receive([stock.Fact(desk.pk, place.pk, 1, "later")])
    moving_in.undo(move, by=aoi)
    on_hand = dict(Balance.objects.filter(location=place).values_list("sku__code", "on_hand"))
    assert on_hand == {"CHAIR": 3, "DESK": 6} and stock_violations() == []
    assert chair.pk


def test_old_orders_become_history_and_open_ones_go_to_the_desk(aoi):
    shop, chair = make_shop(), make_sku("CHAIR", stock_units=9)
    text = "\n".join([NE_HEADS, order_line("OLD-1", shipped="1"), order_line("NEW-1"), order_line("NEW-1")]) + "\n"
    move = check(read(text, "orders", aoi, encoding="cp932"), aoi, shop=shop)
    assert move.preset == "ネクストエンジン 汎用受注" and move.planned == {"created": 2}
    apply(move, aoi)
    old, new = (Order.objects.get(channel_order_no=no) for no in ("OLD-1", "NEW-1"))
    assert old.stage == "completed" and old.shipped_at.year == 2025 and old.member == new.member is not None
    assert new.lines.count() == 2 and new.buyer_prefecture == "東京都" and new.buyer_city == "世田谷区"
    assert new.lines.first().sku == chair and new.lines.first().reserved and new.stage != "completed"
    assert not Mail.objects.exists(), "nobody is thanked twice"
    assert violations() == []
    figures.refresh()
    assert OrderFigure.objects.get(pk=old.pk).shipped_on is None, "what others shipped is no work of ours"


def test_rules_leave_history_alone_and_judge_what_is_still_open(aoi):
    shop = make_shop()
    make_sku("CHAIR", stock_units=9)
    make_rule("来たら", then=do("add_tag", tag="新着"))
    make_rule("完了したら", then=do("add_tag", tag="完了"), when={"event": "stage_entered", "stage": "completed"})
    text = "\n".join([NE_HEADS, order_line("OLD-1", shipped="1"), order_line("NEW-1")]) + "\n"
    apply(check(read(text, "orders", aoi, encoding="cp932"), aoi, shop=shop), aoi)
    sweep.consume_wakes()
    tags = dict(Order.objects.values_list("channel_order_no", "tags"))
    assert tags == {"OLD-1": [], "NEW-1": ["新着"]}


def test_an_order_that_the_mall_has_told_is_not_doubled(aoi):
    shop, chair = make_shop(), make_sku("CHAIR", stock_units=9)
    take_in(shop, [make_channel_order(number="NEW-1")], sku_of=mapped(chair))
    text = "\n".join([NE_HEADS, order_line("NEW-1"), order_line("NEW-2")])
    assert apply(check(read(text, "orders", aoi), aoi, shop=shop), aoi).result == {"unchanged": 1, "created": 1}
    take_in(shop, [make_channel_order(number="NEW-2")], sku_of=mapped(chair))
    assert Order.objects.count() == 2 and stock_violations() == []


def test_orders_are_not_taken_back_since_that_would_tell_the_mall(aoi):
    text = "\n".join([NE_HEADS, order_line("NEW-1")])
    move = apply(check(read(text, "orders", aoi), aoi, shop=make_shop()), aoi)
    assert not moving_in.undo(move, by=aoi)
    assert Order.objects.get().cancelled_at is None


def test_work_that_is_broken_off_goes_on_where_it_was(aoi, monkeypatch):
    monkeypatch.setattr(moving_in, "UNITS_AT_ONCE", 2)
    text = "商品コード,商品名\n" + "".join(f"A-{n:03},椅子\n" for n in range(7))
    move = check(read(text, "products", aoi), aoi)
    MoveIn.objects.filter(pk=move.pk).update(state="running")
    assert moving_in.step(move.pk) and moving_in.step(move.pk)
    move.refresh_from_db()
    assert move.result == {"created": 4} and Sku.objects.count() == 4
    moving_in.work(move.pk)
    move.refresh_from_db()
    assert move.result == {"created": 7} and move.state == "applied"


def test_needed_columns_and_the_shop_are_asked_for(aoi):
    move = read("a,b\n1,2\n", "products", aoi)
    with pytest.raises(moving_in.Unusable, match="SKUコード、商品名"):
        check(move, aoi)
    with pytest.raises(moving_in.Unusable, match="店舗を選んで"):
        check(read("\n".join([NE_HEADS, order_line("X")]), "orders", aoi), aoi)


def test_a_mapping_is_kept_for_the_next_file(aoi, client_of):
    client = client_of(aoi)
    move = read("番号,名\nA-1,椅子\n", "products", aoi)
    url = reverse("orders:move-in-file", args=[move.pk])
    assert client.post(url, {"col_code": "0", "col_name": "1", "preset": "旧システム"}).status_code == 302
    kept = MoveInPreset.objects.get()
    assert kept.heads == {"code": "番号", "name": "名"}
    other = read("名,番号\n机,B-1\n", "products", aoi)
    page = client.get(reverse("orders:move-in-file", args=[other.pk]), {"preset": f"o:{kept.pk}"}).content.decode()
    assert '<option value="1" selected>番号' in page


def test_the_preview_stands_under_its_own_heads(aoi, client_of):
    move = read(GOODS, "products", aoi)
    page = client_of(aoi).get(reverse("orders:move-in-file", args=[move.pk])).content.decode()
    table = page[page.index("move-preview") :]
    heads = re.findall(r"<th>(.*?)</th>", table)[1:]
    cells = re.findall(
        r"<td>(.*?)</td>", table[table.index("<tbody>") : table.index("</tr>", table.index("<tbody>"))], re.S
    )
    shown = dict(zip(heads, cells[1:], strict=True))
    assert (shown["SKUコード"], shown["JANコード"], shown["販売価格（税込）"]) == ("A-1", "4901234567894", "¥1,200")


def test_the_screens_lead_from_upload_to_result(aoi, client_of):
    client = client_of(aoi)
    upload = io.BytesIO(GOODS.encode())
    upload.name = "goods.csv"
    response = client.post(reverse("orders:move-in"), {"kind": "products", "file": upload})
    move = MoveIn.objects.get()
    assert response["Location"] == reverse("orders:move-in-file", args=[move.pk])
    page = client.get(response["Location"]).content.decode()
    assert "椅子 赤" in page and "ネクストエンジン 商品マスタ" in page
    client.post(response["Location"], {f"col_{name}": column for name, column in move.mapping.items()})
    assert "取り込むとこうなります" in client.get(response["Location"]).content.decode()
    client.post(reverse("orders:move-in-apply", args=[move.pk]))
    assert Sku.objects.count() == 2 and MoveInEvent.objects.count() == 3
    assert client.post(reverse("orders:move-in-errors", args=[move.pk])).status_code == 200
    client.post(reverse("orders:move-in-undo", args=[move.pk]))
    assert not Sku.objects.filter(active=True).exists()


def test_lines_that_name_people_are_taken_for_a_reason_and_on_record(aoi, client_of):
    move = check(read("氏名,メール,生年月日\n佐藤 恵,megumi@example.com,きのう\n", "members", aoi), aoi)
    client, url = client_of(aoi), reverse("orders:move-in-errors", args=[move.pk])
    assert client.get(url).status_code == 405
    assert client.post(url, {"reason": " "})["Location"] == reverse("orders:move-in-file", args=[move.pk])
    assert not move.events.filter(kind="taken").exists()
    assert "佐藤 恵" in b"".join(client.post(url, {"reason": "表計算で直す"}).streaming_content).decode()
    assert list(move.events.filter(kind="taken").values_list("text", "by")) == [("表計算で直す", aoi.pk)]
    assert "表計算で直す" in client.get(reverse("orders:move-in-file", args=[move.pk])).content.decode()
    log = reverse("orders:exports")
    [row] = client.get(log, {"words": "表計算", "person": aoi.pk}).context["lines"]
    assert (row.who, row.n) == (str(aoi), 1) and not client.get(log, {"words": "広告"}).context["lines"]


def test_what_cannot_be_read_is_told_in_the_readers_language(aoi, client_of):
    move = check(read("商品コード,商品名,税率\nA-1,椅子,8\nA-2,机,13\n", "products", aoi), aoi)
    (error,) = [row.error for row in move.rows.all() if row.error]
    assert error == "税率「13」を読み取れません。8か10で書いてください。"
    with override("en"):
        assert "13" in str(error) and "税率" not in str(error)
        assert not any("税率「" in cell for line in moving_in.broken_lines(move) for cell in line)
    client = client_of(aoi)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("orders:move-in-file", args=[move.pk])).content.decode()
    assert "を読み取れません" not in page


@pytest.mark.parametrize("name", ["move-in-apply", "move-in-undo"])
def test_only_who_may_move_in_does(name, aoi, ben, chie, client_of):
    move = check(read(GOODS, "products", aoi), aoi)
    url = reverse(f"orders:{name}", args=[move.pk])
    assert client_of(aoi).get(url).status_code == 405
    for stranger in (ben, chie):
        assert client_of(stranger).post(url).status_code == 403
        assert client_of(stranger).get(reverse("orders:move-in")).status_code == 403
    assert not Sku.objects.exists()


def test_cells_are_read_as_people_write_them():
    assert [decide.yen(cell) for cell in ("¥1,200", "１２００円", "1200.00", "")] == [1200, 1200, 1200, 0]
    assert decide.moment("2025年1月10日").day == 10 and decide.moment("2025-01-10T10:00:00").hour == 10
    assert decide.split_address("大阪府大阪市北区梅田1-1", "ビル2F") == ("大阪府", "大阪市北区", "梅田1-1 ビル2F")
    for read_cell, cell in ((decide.yen, "abc"), (decide.units, "-1"), (decide.moment, "昨日"), (decide.jan, "12")):
        with pytest.raises(decide.BadCell):
            read_cell(cell)

"""The carriers' layouts: golden lines, codes, and what is held back with words instead of cut."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulfillment.decide.cod import tax_within
from fulfillment.waybills import b2, clickpost, ehiden3, yupuri
from fulfillment.waybills.cells import Held, file_of
from fulfillment.waybills.common import Service, service_of
from fulfillment.waybills.layouts import LAYOUTS, files_of, layout_for, packed
from fulfillment.waybills.parcel import Contract
from oms.kernel.label import width
from orders.decide.schedule import carrier_of
from tests.fulfillment.waybill_builders import JAPANPOST, SAGAWA, YAMATO, contract, parcel

LAYOUT_AND_CONTRACT = {
    "b2_95": YAMATO, "b2_42": YAMATO | {"layout": "b2_42"}, "ehiden3": SAGAWA, "yupuri": JAPANPOST,
    "clickpost": JAPANPOST,
}  # fmt: skip
METHODS = {"clickpost": "クリックポスト"}
WISHED = {"wish_on": date(2026, 12, 3), "wish_slot": "am"}


def made(code: str, *, values: dict | None = None, **fields):
    usual = {"method": METHODS.get(code, "宅急便")}
    return LAYOUTS[code].make(parcel(**usual | fields), contract(LAYOUT_AND_CONTRACT[code], **values or {}))


def row(code: str, **kwargs) -> dict[str, str]:
    [one] = made(code, **kwargs).rows
    return dict(zip((column.name for column in LAYOUTS[code].columns), one, strict=True))


def causes(code: str, **kwargs) -> str:
    with pytest.raises(Held) as held:
        made(code, **kwargs)
    return " ".join(cause.text for cause in held.value.causes)


def quoted(*cells: str) -> bytes:
    return (",".join(f'"{cell}"' for cell in cells) + "\r\n").encode("cp932")


# ---- golden lines, byte by byte


def test_a_line_for_b2_has_95_columns():
    head = [
        "S0000012", "0", "", "", "2026/12/01", "2026/12/03", "0812", "", "090-1234-5678", "", "154-0024",
        "東京都世田谷区三軒茶屋2-14-3", "メゾン青葉402", "", "", "佐藤 恵", "ｻﾄｳ ﾒｸﾞﾐ", "様", "",
        "03-1234-5678", "", "100-0001", "東京都千代田区千代田1-1", "", "くらし道具店", "", "", "雑貨", "", "", "", "",
        "R-0001", "", "", "0", "", "", "", "0312345678", "", "01",
    ]  # fmt: skip
    rest = ["0", *[""] * 4, "0", "", "", "", "0", "", "", "0", *[""] * 31, "0", "", "", "0", "", "", "0", "", ""]
    line = quoted(*head, *rest)
    assert len(head) == 42 and len(head + rest) == 95
    assert file_of(made("b2_95", **WISHED).rows) == line
    assert file_of(made("b2_42", **WISHED).rows) == quoted(*head)


def test_a_line_for_ehiden_has_74_columns_below_a_header():
    cells = [
        "0", "", "090-1234-5678", "154-0024", "東京都世田谷区三軒茶屋", "２－１４－３", "メゾン青葉４０２",
        "佐藤 恵", "", "S0000012", "123456789012", "", "", "", "03-1234-5678", "", "", "03-1234-5678",
        "100-0001", "東京都千代田区千代田１－１", "", "くらし道具店", "", "001", "雑貨", "R-0001", "", "", "",
        *[""] * 12, "1", "000", "001", "2026/12/03", "01", "", "", "", "0", "", "007", "", "", "0", "0", "", "1",
        "", "", "2026/12/01", *[""] * 13,
    ]  # fmt: skip
    one, held = made("ehiden3", **WISHED), contract(SAGAWA)
    [content] = files_of(LAYOUTS["ehiden3"], held, [one])
    header, line = content.split(b"\r\n")[:2]
    assert len(cells) == 74 and line + b"\r\n" == quoted(*cells)
    assert header.decode("cp932").startswith('"お届け先コード取得区分","お届け先コード","お届け先電話番号"')
    assert header.decode("cp932").endswith('"編集０９","編集１０"')


def test_a_line_for_yupuri_has_72_columns_and_no_header():
    cells = [
        "1", "0", "", "", "", "", "1", "佐藤 恵", "様", "", "154-0024", "東京都", "世田谷区", "三軒茶屋2-14-3",
        "メゾン青葉402", "090-1234-5678", *[""] * 6, "くらし道具店", "", "", "100-0001", "東京都", "千代田区",
        "千代田1-1", "", "03-1234-5678", "", "", "", "雑貨", "", "1", "2026/12/01", "0", "0", "", "", "0",
        "0", "0", "0", "0", "0", "0", "2026/12/01", "0", "2026/12/03", "51", *[""] * 8, "S0000012 R-0001",
        "", "0", "0", "", "", *["0"] * 5,
    ]  # fmt: skip
    [content] = files_of(LAYOUTS["yupuri"], contract(JAPANPOST), [made("yupuri", **WISHED)])
    assert len(cells) == 72 and content == quoted(*cells)


def test_clickpost_has_eight_bare_columns_and_forty_lines_a_file():
    one = made("clickpost")
    files = files_of(LAYOUTS["clickpost"], contract(JAPANPOST), [one] * 85)
    lines = ",".join(f"お届け先住所{n}行目" for n in "1234")
    header = f"お届け先郵便番号,お届け先氏名,お届け先敬称,{lines},内容品\r\n"
    line = "154-0024,佐藤 恵,様,東京都世田谷区,三軒茶屋2-14-3,メゾン青葉402,,雑貨\r\n"
    assert [content.count(b"\r\n") - 1 for content in files] == [40, 40, 5]
    assert files[2] == (header + line * 5).encode("cp932")
    name, content = packed("clickpost", files)
    assert name == "clickpost.zip" and content[:2] == b"PK" and packed("a", files[:1]) == ("a.csv", files[0])


# ---- codes


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "0"), ({"cash": 1500}, "2"), ({"method": "宅急便（着払い）"}, "5"), ({"pieces": 2}, "6"),
        ({"method": "ネコポス"}, "A"), ({"method": "クロネコゆうパケット"}, "7"),
        ({"method": "クロネコゆうメール"}, "3"),
        ({"method": "宅急便コンパクト"}, "8"), ({"method": "宅急便コンパクト", "cash": 800}, "9"),
        ({"method": "メール便"}, "A"),
    ],
)  # fmt: skip
def test_the_kind_of_label_follows_method_cash_and_pieces(fields, code):
    assert made("b2_95", **fields).rows[0][1] == code


def test_the_code_of_a_mailbox_service_is_the_contracts():
    assert made("b2_95", method="ネコポス", values={"code_nekopos": "7"}).rows[0][1] == "7"


def test_pieces_are_lines_joined_by_a_key():
    rows = made("b2_95", pieces=3).rows
    assert len(rows) == 3 and {(one[0], one[1], one[73]) for one in rows} == {("S0000012", "6", "S0000012")}
    assert "95列" in causes("b2_42", pieces=3)
    assert row("ehiden3", pieces=3)["出荷個数"] == "3" and row("yupuri", pieces=3)["個数"] == "3"


@pytest.mark.parametrize(
    ("slot", "yamato", "five", "six", "post"),
    [
        ("am", "0812", "01", "01", "51"), ("1416", "1416", "14", "14", "53"), ("1618", "1618", "16", "16", "54"),
        ("1820", "1820", "04", "18", "55"), ("1921", "1921", "04", "19", "57"), ("2021", "1921", "04", "19", "57"),
    ],
)  # fmt: skip
def test_hours_are_written_in_each_carriers_code(slot, yamato, five, six, post):
    fields = {"wish_slot": slot}
    assert row("b2_95", **fields)["配達時間帯"] == yamato
    assert row("ehiden3", **fields)["配達指定時間帯"] == five
    assert row("ehiden3", values={"slots": "6"}, **fields)["配達指定時間帯"] == six
    assert row("yupuri", **fields)["配達希望時間帯"] == post
    assert bool(made("b2_95", **fields).notes) == (slot == "2021")


def test_hours_that_a_carrier_has_not_are_held_back():
    assert "12–14時" in causes("b2_95", wish_slot="1214")
    assert row("yupuri")["配達希望時間帯"] == "00"
    assert "13時頃" in causes("ehiden3", wish_slot="13時頃")


def test_seals_are_at_most_three_and_hours_say_the_day_too():
    def seals(**kwargs):
        cells = row("ehiden3", **kwargs)
        return [cells[f"指定シール{n}"] for n in "１２３"]

    wish = {"wish_on": date(2026, 12, 3)}
    assert seals(**wish) == ["005", "", ""] and seals(wish_slot="am") == ["007", "", ""]
    assert seals(wish_slot="am", values={"slots": "6"}) == ["019", "", ""]
    assert seals(**wish, wish_slot="1416", cash=900, temperature="frozen") == ["002", "010", "007"]
    assert seals(cash=900, values={"cod_payment": "2"}) == ["008", "", ""]


def test_cold_and_cash_have_their_codes():
    assert row("b2_95", temperature="frozen")["クール区分"] == "1"
    assert row("b2_95", temperature="chilled")["クール区分"] == "2"
    assert row("ehiden3", temperature="chilled")["クール便指定"] == "002"
    assert row("yupuri", temperature="chilled")["保冷"] == "1"
    paid = row("b2_95", cash=1500, cash_tax=136)
    assert (paid["コレクト代金引換額（税込）"], paid["内消費税額等"]) == ("1500", "136")
    paid = row("ehiden3", cash=1500, cash_tax=136)
    assert (paid["代引金額"], paid["消費税"], paid["決済種別"]) == ("1500", "136", "1")
    assert "コード" in causes("yupuri", cash=1500)
    paid = row("yupuri", cash=1500, cash_tax=136, values={"code_cod": "2"})
    assert (paid["着払/代引"], paid["代金引換金額"], paid["うち消費税等"]) == ("2", "1500", "136")


def test_the_tax_inside_the_cash_follows_the_rates():
    assert tax_within(1100, {10: 1100}) == 100 and tax_within(2180, {10: 1100, 8: 1080}) == 180
    assert tax_within(550, {10: 1100}) == 50 and tax_within(0, {}) == 0


@pytest.mark.parametrize(
    ("code", "fields", "words"),
    [
        ("b2_95", {"method": "ネコポス", "cash": 900}, "代金引換にできません"),
        ("b2_95", {"method": "ネコポス", "temperature": "frozen"}, "冷蔵・冷凍"),
        ("b2_95", {"method": "ネコポス", "pieces": 2}, "1個口だけ"),
        ("b2_95", {"method": "宅急便コンパクト", "temperature": "chilled"}, "冷蔵・冷凍"),
        ("b2_95", {"cash": 900, "pieces": 2}, "複数口にできません"),
        ("b2_95", {"cash": 300_001}, "300,000円まで"),
        ("b2_95", {"method": "レターパックライト"}, "レターパックライト"),
        ("b2_95", {"method": "着払い", "cash": 900}, "同時に使えません"),
        ("ehiden3", {"method": "メール便"}, "メール便"),
        ("yupuri", {"temperature": "frozen"}, "冷凍"),
        ("clickpost", {"cash": 900}, "代金引換にできません"),
        ("b2_95", {"abroad": True}, "海外"),
        ("b2_95", {"wish_on": date(2026, 12, 1)}, "12/1 に間に合いません"),
        ("yupuri", {"wish_on": date(2026, 12, 2), "transit_days": 2}, "12/3 着"),
        ("b2_95", {"to": {"phone": ""}}, "電話番号がありません"),
        ("b2_95", {"to": {"phone": "123"}}, "桁数"),
        ("b2_95", {"to": {"postal_code": "154"}}, "7桁"),
        ("b2_95", {"to": {"name": ""}}, "お届け先名"),
        ("b2_95", {"to": {"street": ""}}, "番地"),
    ],
)
def test_what_cannot_be_sent_so_is_held_back_with_words(code, fields, words):
    assert words in causes(code, **fields)


def test_a_wish_is_left_out_where_letters_boxes_have_none_and_that_is_told():
    one = made("b2_95", method="ネコポス", **WISHED)
    assert one.rows[0][5:7] == ["", ""] and "日時を入れません" in one.notes[0]


# ---- text


def test_free_text_loses_what_breaks_files_and_keeps_old_letters():
    cells = row("b2_95", to={"name": '髙﨑 "恵"', "street": "三軒茶屋2,14\n3 ①号棟"})
    assert cells["お届け先名"] == "髙﨑 恵" and "①" in cells["お届け先住所"] + cells["お届け先アパートマンション名"]
    assert not {",", '"', "\n"} & set("".join(cells.values()))


def test_letters_outside_cp932_follow_the_merchants_table_or_hold_the_parcel():
    assert row("b2_95", to={"name": "𠮷田 恵"})["お届け先名"] == "吉田 恵"
    assert "𠮷" in causes("b2_95", to={"name": "𠮷田 恵"}, values={"letters": {}})
    assert "한" in causes("ehiden3", to={"street": "三軒茶屋1-1 한빌딩"})
    assert row("b2_95", to={"name": "か\u3099ん"})["お届け先名"] == "がん"


def test_nothing_is_cut_that_is_too_long():
    assert "お届け先名" in causes("b2_95", to={"name": "山" * 17})
    assert "番地・建物" in causes("b2_95", to={"street": "三軒茶屋" + "あ" * 40})
    assert "会社名" in causes("ehiden3", to={"company": "株" * 17})
    assert "住所" in causes("clickpost", to={"street": "三軒茶屋1-1 " + "あ" * 80})
    long = row("b2_95", to={"street": "三軒茶屋二丁目14番3号コーポ三軒茶屋ヒルズ壱番館402号室"})
    assert long["お届け先アパートマンション名"] and width(long["お届け先アパートマンション名"]) <= 32


def test_a_missing_setting_is_told_as_one():
    with pytest.raises(Held) as held:
        b2.make(parcel(), Contract(layout="b2_95", item="雑貨"))
    assert {cause.text for cause in held.value.causes if cause.setting} == {
        "「請求先顧客コード」がありません。", "「運賃管理番号」がありません。"
    }  # fmt: skip


def test_the_sender_is_the_orders_own_then_the_contracts_then_the_shop():
    assert row("b2_95")["ご依頼主名"] == "くらし道具店"
    told = {"sender_name": "通販部", "sender_phone": "0611112222"}
    assert row("b2_95", values=told)["ご依頼主名"] == "通販部"
    gift = row("b2_95", values=told, gift_sender="山田 花子")
    assert (gift["ご依頼主名"], gift["ご依頼主電話番号"]) == ("山田 花子", "06-1111-2222")
    assert row("b2_95", to={"phone": ""}, values={"fallback_phone": "0312345678"})["お届け先電話番号"] == "03-1234-5678"
    assert row("b2_95", to={"name": "株式会社青葉"})["敬称"] == "御中"


def test_the_method_chooses_service_carrier_and_layout():
    assert carrier_of("クリックポスト") == "japanpost" and carrier_of("クロネコゆうパケット") == "yamato"
    assert service_of("ﾈｺﾎﾟｽ") == Service.NEKOPOS and service_of("宅配便") == Service.PARCEL
    assert layout_for("japanpost", "クリックポスト", contract(JAPANPOST)).code == "clickpost"
    assert layout_for("japanpost", "ゆうパック", contract(JAPANPOST)).code == "yupuri"
    assert layout_for("yamato", "", contract(SAGAWA)).code == "b2_95"


# ---- whatever the address

NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=24)
JAPANESE = st.text(alphabet="三軒茶屋丁目番地0123456789０１－-ーコポ ABCｱﾊﾟｰﾄ髙𠮷鷗〜♥①", min_size=1, max_size=70)


@settings(max_examples=120)
@given(
    code=st.sampled_from(sorted(LAYOUT_AND_CONTRACT)),
    to=st.fixed_dictionaries(
        {
            "name": NAMES | JAPANESE,
            "street": JAPANESE | NAMES,
            "company": st.just("") | JAPANESE,
            "city": st.sampled_from(["世田谷区", "", "北海道虻田郡ニセコ町字", "相模原市緑区"]),
            "kana": NAMES,
        }
    ),
)
def test_a_line_has_its_columns_within_their_widths_or_the_parcel_is_held_with_words(code, to):
    layout = LAYOUTS[code]
    try:
        one = made(code, to=to)
    except Held as held:
        assert held.causes and all(cause.text for cause in held.causes)
        return
    text = file_of(one.rows, quoted=layout.quoted).decode("cp932")
    for line in text.removesuffix("\r\n").split("\r\n"):
        cells = [cell.strip('"') if layout.quoted else cell for cell in line.split(",")]
        assert len(cells) == len(layout.columns)
        for column, cell in zip(layout.columns, cells, strict=True):
            assert not column.width or width(cell, full=column.full) <= column.width, column.name
            assert cell or not column.required, column.name


@settings(max_examples=120)
@given(street=st.text(alphabet="三軒茶屋0123456789-コーポアオバ ", min_size=1, max_size=60))
def test_no_letter_of_an_address_is_lost(street):
    places = {
        "b2_95": ("お届け先住所", "お届け先アパートマンション名"),
        "yupuri": ("お届け先の丁目番地号", "お届け先の建物名・部屋番号など"),
        "clickpost": tuple(f"お届け先住所{n}行目" for n in "1234"),
    }
    for code, names in places.items():
        try:
            cells = row(code, to={"street": street})
        except Held:
            continue
        assert street.replace(" ", "") in "".join(cells[name] for name in names).replace(" ", ""), code


def test_every_layout_names_each_column_once():
    for columns, count in ((b2.COLUMNS, 95), (ehiden3.COLUMNS, 74), (yupuri.COLUMNS, 72), (clickpost.COLUMNS, 8)):
        assert len({column.name for column in columns}) == len(columns) == count

"""ヤマト運輸 B2クラウド, 外部データ取り込み: the basic layout of 95 columns, or its first 42. Pure.

Columns, widths and codes by the carrier's published file layout. The recipient's address is one column that B2 parts
again into prefecture, city and block, each with a limit of its own; so each part is measured.
"""

from collections.abc import Iterable, Sequence

import jaconv
from django.utils.translation import gettext as _

from fulfillment.waybills import common
from fulfillment.waybills.cells import Cause, Column, Held, Made, clean, row_of, too_long
from fulfillment.waybills.common import Service
from fulfillment.waybills.parcel import Contract, Parcel, Party
from oms.kernel.label import laid_out, width

SHORT = 42
MOST_COD = 300_000
PREFECTURE, CITY, BLOCK, BUILDING, COMPANY = 8, 24, 32, 32, 50
SLOTS = {"am": "0812", "1416": "1416", "1618": "1618", "1820": "1820", "1921": "1921"}
NEAR = {"2021": "1921"}  # given up by the carrier in 2017; the evening's last hours serve
COLD = {"frozen": "1", "chilled": "2"}
PARCEL, COD, MAIL, COLLECT, SEVERAL, COMPACT, COMPACT_COD = "0", "2", "3", "5", "6", "8", "9"

_OURS = {"required": True, "setting": True}
COLUMNS = (
    Column("お客様管理番号", 50),
    Column("送り状種類", 1, required=True, setting=True),
    Column("クール区分", 1),
    Column("伝票番号", 12),
    Column("出荷予定日", 10, required=True),
    Column("お届け予定日", 10),
    Column("配達時間帯", 4),
    Column("お届け先コード", 20),
    Column("お届け先電話番号", 15, required=True),
    Column("お届け先電話番号枝番", 2),
    Column("お届け先郵便番号", 8, required=True),
    Column("お届け先住所", 64, required=True),
    Column("お届け先アパートマンション名", BUILDING),
    Column("お届け先会社・部門１", COMPANY),
    Column("お届け先会社・部門２", COMPANY),
    Column("お届け先名", 32, required=True),
    Column("お届け先名(ｶﾅ)", 50),
    Column("敬称", 4),
    Column("ご依頼主コード", 20),
    Column("ご依頼主電話番号", 15, **_OURS),
    Column("ご依頼主電話番号枝番", 2),
    Column("ご依頼主郵便番号", 8, **_OURS),
    Column("ご依頼主住所", 64, **_OURS),
    Column("ご依頼主アパートマンション", 32, setting=True),
    Column("ご依頼主名", 32, **_OURS),
    Column("ご依頼主名(ｶﾅ)", 50),
    Column("品名コード１", 30),
    Column("品名１", 50, **_OURS),
    Column("品名コード２", 30),
    Column("品名２", 50),
    Column("荷扱い１", 20, setting=True),
    Column("荷扱い２", 20, setting=True),
    Column("記事", 44),
    Column("コレクト代金引換額（税込）", 7),
    Column("内消費税額等", 7),
    Column("止置き", 1),
    Column("営業所コード", 6),
    Column("発行枚数", 2),
    Column("個数口表示フラグ", 1),
    Column("請求先顧客コード", 12, **_OURS),
    Column("請求先分類コード", 3, setting=True),
    Column("運賃管理番号", 2, **_OURS),
    Column("クロネコwebコレクトデータ登録", 1),
    Column("クロネコwebコレクト加盟店番号", 9),
    *(Column(f"クロネコwebコレクト申込受付番号{n}", 23) for n in "１２３"),
    Column("お届け予定ｅメール利用区分", 1),
    Column("お届け予定ｅメールアドレス", 60),
    Column("入力機種", 1),
    Column("お届け予定ｅメールメッセージ", 148),
    Column("お届け完了ｅメール利用区分", 1),
    Column("お届け完了ｅメールアドレス", 60),
    Column("お届け完了ｅメールメッセージ", 318),
    *(
        Column(f"クロネコ収納代行{name}")
        for name in (
            "利用区分", "予備", "請求金額（税込）", "内消費税額等", "請求先郵便番号", "請求先住所",
            "請求先住所（アパートマンション名）", "請求先会社・部門名１", "請求先会社・部門名２", "請求先名（漢字）",
            "請求先名（カナ）", "問合せ先名（漢字）", "問合せ先郵便番号", "問合せ先住所",
            "問合せ先住所（アパートマンション名）", "問合せ先電話番号", "管理番号", "品名", "備考",
        )
    ),
    Column("複数口くくりキー", 20),
    *(Column(f"{name}{n}", 20) for n in "１２３４５" for name in ("検索キータイトル", "検索キー")),
    Column("予備１"),
    Column("予備２"),
    *(
        Column(f"{mail}{name}", most)
        for mail in ("投函予定メール", "投函完了メール（お届け先宛）", "投函完了メール（ご依頼主宛）")
        for name, most in (("利用区分", 1), ("ｅメールアドレス", 60), ("ｅメールメッセージ", 318))
    ),
)  # fmt: skip
UNUSED = {
    "止置き": "0",
    "クロネコwebコレクトデータ登録": "0",
    "お届け予定ｅメール利用区分": "0",
    "お届け完了ｅメール利用区分": "0",
    "クロネコ収納代行利用区分": "0",
    "投函予定メール利用区分": "0",
    "投函完了メール（お届け先宛）利用区分": "0",
    "投函完了メール（ご依頼主宛）利用区分": "0",
}


def make(parcel: Parcel, contract: Contract) -> Made:
    """One line; a parcel of several pieces has one for each, joined by a key. Raises Held."""
    service, short = common.service_of(parcel.method), contract.layout == "b2_42"
    causes = list(common.faults(parcel, service, _("B2クラウド")))
    kind, wrong = _kind(parcel, service, contract, short=short)
    slot, notes, no_hours = common.hours(parcel, SLOTS, NEAR)
    mailbox = service in common.MAILBOX
    if mailbox:
        slot, notes, no_hours = "", common.without_wish(parcel), []
    phone, no_phone = common.phone_of(parcel, contract)
    sender, no_sender = common.sender_of(parcel, contract)
    causes += [*wrong, *no_hours, *no_phone, *no_sender]
    address, building = address_cells(parcel.to, contract, causes)
    sender_address, sender_building = address_cells(sender, contract, causes, ours=True)
    companies = laid_out(clean(parcel.to.company, contract.letters), (COMPANY, COMPANY))
    if companies is None:
        causes.append(too_long(_("会社名"), width(parcel.to.company) - 2 * COMPANY))
    if causes:
        raise Held(causes)
    values = UNUSED | {
        "お客様管理番号": parcel.number,
        "送り状種類": kind,
        "クール区分": COLD.get(parcel.temperature, ""),
        "出荷予定日": f"{parcel.ship_on:%Y/%m/%d}",
        "お届け予定日": f"{parcel.wish_on:%Y/%m/%d}" if parcel.wish_on and not mailbox else "",
        "配達時間帯": slot,
        "お届け先電話番号": phone,
        "お届け先郵便番号": common.postal(parcel.to.postal_code),
        "お届け先住所": address,
        "お届け先アパートマンション名": building,
        **dict(zip(("お届け先会社・部門１", "お届け先会社・部門２"), companies or (), strict=False)),
        "お届け先名": parcel.to.name,
        "お届け先名(ｶﾅ)": _kana(parcel.to.kana, contract),
        "敬称": common.honorific(parcel.to.name),
        "ご依頼主電話番号": sender.phone,
        "ご依頼主郵便番号": sender.postal_code,
        "ご依頼主住所": sender_address,
        "ご依頼主アパートマンション": sender_building,
        "ご依頼主名": sender.name,
        "品名１": contract.item,
        "荷扱い１": contract.handling_1,
        "荷扱い２": contract.handling_2,
        "記事": common.numbers_within(parcel.order_numbers, 44),
        "請求先顧客コード": contract.customer_code,
        "請求先分類コード": contract.class_code,
        "運賃管理番号": contract.freight_no,
    }
    if parcel.cash:
        values |= {"コレクト代金引換額（税込）": str(parcel.cash), "内消費税額等": str(parcel.cash_tax)}
    if kind == SEVERAL:
        values |= {"複数口くくりキー": parcel.number, "個数口表示フラグ": "1"}
    row = row_of(COLUMNS, values, contract.letters)
    return Made([row[:SHORT] if short else row] * (parcel.pieces if kind == SEVERAL else 1), notes)


def _kind(parcel: Parcel, service: Service, contract: Contract, *, short: bool) -> tuple[str, list[Cause]]:
    """送り状種類, by what the carrier offers together."""
    mailbox = {Service.NEKOPOS: contract.code_nekopos, Service.PACKET: contract.code_yupacket, Service.MAIL: MAIL}
    if service in mailbox:
        return mailbox[service], []
    if service == Service.COMPACT:
        name = _("宅急便コンパクト")
        wrong = [*common.without_cold(parcel, name), *_one_piece(parcel, name), *_cash_faults(parcel)]
        return COMPACT_COD if parcel.cash else COMPACT, wrong
    if service == Service.COLLECT:
        both = [Cause(_("着払いと代金引換は同時に使えません。"))] if parcel.cash else []
        return COLLECT, [*_one_piece(parcel, _("着払い")), *both]
    if service != Service.PARCEL:
        return "", [common.unoffered(parcel, _("B2クラウド"))]
    return _plain_kind(parcel, short=short)


def _plain_kind(parcel: Parcel, *, short: bool) -> tuple[str, list[Cause]]:
    if parcel.cash:
        return COD, [*_one_piece(parcel, _("代金引換")), *_cash_faults(parcel)]
    if parcel.pieces > 1:
        text = _("複数口は95列のレイアウトでだけ書き出せます。設定でレイアウトを変えてください。")
        return SEVERAL, [Cause(text, setting=True)] if short else []
    return PARCEL, []


def _one_piece(parcel: Parcel, name: str) -> Iterable[Cause]:
    if parcel.pieces > 1:
        yield Cause(_("%(service)sは複数口にできません。個口を1にするか、荷物を分けてください。") % {"service": name})


def _cash_faults(parcel: Parcel) -> Iterable[Cause]:
    if parcel.cash > MOST_COD:
        text = _("代金引換は%(most)s円までです。支払方法を変えるか、荷物を分けてください。")
        yield Cause(text % {"most": f"{MOST_COD:,}"})


def address_cells(party: Party, contract: Contract, causes: list[Cause], *, ours: bool = False) -> tuple[str, str]:
    """(prefecture to block, building); what does not fit becomes one of the `causes`."""
    prefecture, city = clean(party.prefecture, contract.letters), clean(party.city, contract.letters)
    for text, most in ((prefecture, PREFECTURE), (city, CITY)):
        if width(text) > most:
            causes.append(too_long(text, width(text) - most, setting=ours))
    block, building = common.block_and_building(party, contract.letters)
    room = BLOCK if city else CITY + BLOCK
    if width(block) > room or width(building) > BUILDING:
        lines: Sequence[str] | None = laid_out(f"{block} {building}".strip(), (room, BUILDING))
        if lines is None:
            over = width(block + building) - room - BUILDING
            name = _("ご依頼主の住所") if ours else _("番地・建物")
            causes.append(too_long(name, max(1, over, width(block) - room), setting=ours))
            return "", ""
        block, building = [*lines, ""][:2]
    return prefecture + city + block, building


def _kana(text: str, contract: Contract) -> str:
    """Half-width, where it fits: it only helps sorting."""
    kana = clean(jaconv.z2h(jaconv.hira2kata(text), kana=True, ascii=True, digit=True), contract.letters)
    return kana if width(kana) <= 50 and kana.isprintable() and not _lost(kana) else ""


def _lost(text: str) -> bool:
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return True
    return False

"""日本郵便 ゆうプリR and Webゆうパックプリント, standard order: 72 columns without a header. Pure.

The layout has no column for the sender's own number, so the remark (摘要/記事) begins with it and comes back with the
history. The code of cash on delivery differs by contract: until it is set, such parcels are held back.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from fulfillment.waybills import common
from fulfillment.waybills.cells import Cause, Column, Held, Made, clean, row_of, too_long
from fulfillment.waybills.common import Service
from fulfillment.waybills.parcel import Contract, Parcel
from oms.kernel.label import laid_out, width

SLOTS = {"am": "51", "1214": "52", "1416": "53", "1618": "54", "1820": "55", "1921": "57"}
NEAR = {"2021": "1921"}  # given up by the carrier in 2024
NO_HOURS = "00"
STREET, BUILDING, COMPANY, REMARK = 50, 50, 50, 60

_OURS = {"required": True, "setting": True}
COLUMNS = (
    Column("商品", 2, **_OURS),
    Column("着払/代引", 1, **_OURS),
    Column("ゴルフ/スキー/空港"),
    Column("往復"),
    Column("書留/特定記録"),
    Column("配達方法"),
    Column("作成数", 3),
    Column("お届け先のお名前", 50, required=True),
    Column("お届け先の敬称", 4),
    Column("お届け先のお名前（カナ）", 50),
    Column("お届け先の郵便番号", 8, required=True),
    Column("お届け先の都道府県", 8, required=True),
    Column("お届け先の市区町村郡", 50),
    Column("お届け先の丁目番地号", STREET, required=True),
    Column("お届け先の建物名・部屋番号など", BUILDING),
    Column("お届け先の電話番号", 15, required=True),
    Column("お届け先の法人名", COMPANY),
    Column("お届け先の部署名", 50),
    Column("お届け先のメールアドレス"),
    Column("空港略称"),
    Column("空港コード"),
    Column("受取人様のお名前"),
    Column("ご依頼主のお名前", 50, **_OURS),
    Column("ご依頼主の敬称", 4),
    Column("ご依頼主のお名前（カナ）", 50),
    Column("ご依頼主の郵便番号", 8, **_OURS),
    Column("ご依頼主の都道府県", 8, **_OURS),
    Column("ご依頼主の市区町村郡", 50, setting=True),
    Column("ご依頼主の丁目番地号", STREET, **_OURS),
    Column("ご依頼主の建物名・部屋番号など", BUILDING, setting=True),
    Column("ご依頼主の電話番号", 15, **_OURS),
    Column("ご依頼主の法人名", COMPANY),
    Column("ご依頼主の部署名", 50),
    Column("ご依頼主のメールアドレス"),
    Column("品名", 50, **_OURS),
    Column("品名番号"),
    Column("個数", 3),
    Column("発送予定日", 10),
    Column("発送予定時間帯"),
    Column("セキュリティ"),
    Column("重量"),
    Column("損害要償額"),
    Column("保冷"),
    Column("こわれもの"),
    Column("なまもの"),
    Column("ビン類"),
    Column("逆さま厳禁"),
    Column("下積み厳禁"),
    Column("予備"),
    Column("差出予定日", 10),
    Column("差出予定時間帯"),
    Column("配達希望日", 10),
    Column("配達希望時間帯", 2),
    Column("クラブ本数"),
    Column("ご使用日"),
    Column("ご使用時間"),
    Column("搭乗日"),
    Column("搭乗時間"),
    Column("搭乗便名"),
    Column("復路発送予定日"),
    Column("支払方法"),
    Column("摘要/記事", REMARK),
    Column("サイズ"),
    Column("差出方法"),
    Column("割引"),
    Column("代金引換金額", 7),
    Column("うち消費税等", 7),
    Column("配達予定日通知（お届け先）"),
    Column("配達完了通知（お届け先）"),
    Column("不在持戻り通知（お届け先）"),
    Column("郵便局留通知（お届け先）"),
    Column("配達完了通知（ご依頼主）"),
)
ZEROS = (
    "発送予定時間帯", "セキュリティ", "保冷", "こわれもの", "なまもの", "ビン類", "逆さま厳禁", "下積み厳禁", "予備",
    "差出予定時間帯", "差出方法", "割引", "配達予定日通知（お届け先）", "配達完了通知（お届け先）",
    "不在持戻り通知（お届け先）", "郵便局留通知（お届け先）", "配達完了通知（ご依頼主）",
)  # fmt: skip


def make(parcel: Parcel, contract: Contract) -> Made:
    """One line. Raises Held."""
    service = common.service_of(parcel.method)
    packet = service in {Service.PACKET, Service.NEKOPOS}  # メール便, ポスト投函: the carrier's own is ゆうパケット
    causes = list(common.faults(parcel, service, _("ゆうプリR")))
    causes += _service_faults(parcel, service, contract, packet=packet)
    slot, notes, no_hours = common.hours(parcel, SLOTS, NEAR)
    if packet:
        slot, notes, no_hours = "", common.without_wish(parcel), []
    phone, no_phone = common.phone_of(parcel, contract)
    sender, no_sender = common.sender_of(parcel, contract)
    causes += [*no_hours, *no_phone, *no_sender]
    block, building = _street(parcel, contract, causes)
    sender_block, sender_building = common.block_and_building(sender, contract.letters)
    if causes:
        raise Held(causes)
    ship_on = f"{parcel.ship_on:{contract.date_form}}"
    values = dict.fromkeys(ZEROS, "0") | {
        "商品": contract.code_packet if packet else contract.code_parcel,
        "着払/代引": contract.code_cod if parcel.cash else "1" if service == Service.COLLECT else "0",
        "作成数": "1",
        "お届け先のお名前": parcel.to.name,
        "お届け先の敬称": common.honorific(parcel.to.name),
        "お届け先の郵便番号": common.postal(parcel.to.postal_code),
        "お届け先の都道府県": parcel.to.prefecture,
        "お届け先の市区町村郡": parcel.to.city,
        "お届け先の丁目番地号": block,
        "お届け先の建物名・部屋番号など": building,
        "お届け先の電話番号": phone,
        "お届け先の法人名": parcel.to.company,
        "ご依頼主のお名前": sender.name,
        "ご依頼主の郵便番号": sender.postal_code,
        "ご依頼主の都道府県": sender.prefecture,
        "ご依頼主の市区町村郡": sender.city,
        "ご依頼主の丁目番地号": sender_block,
        "ご依頼主の建物名・部屋番号など": sender_building,
        "ご依頼主の電話番号": sender.phone,
        "品名": contract.item,
        "個数": str(parcel.pieces),
        "発送予定日": ship_on,
        "差出予定日": ship_on,
        "配達希望日": f"{parcel.wish_on:{contract.date_form}}" if parcel.wish_on and not packet else "",
        "配達希望時間帯": slot or NO_HOURS,
        "摘要/記事": _remark(parcel),
    }
    if parcel.temperature == "chilled":
        values["保冷"] = "1"
    if parcel.cash:
        values |= {"代金引換金額": str(parcel.cash), "うち消費税等": str(parcel.cash_tax)}
    return Made([row_of(COLUMNS, values, contract.letters)], notes)


def _service_faults(parcel: Parcel, service: Service, contract: Contract, *, packet: bool) -> Iterable[Cause]:
    if not packet and service not in {Service.PARCEL, Service.COLLECT}:
        yield common.unoffered(parcel, _("ゆうプリR"))
    if parcel.cash and not contract.code_cod:
        yield Cause(_("代金引換のコードが設定されていません。契約の控えを見て、設定に入れてください。"), setting=True)
    if parcel.cash and service == Service.COLLECT:
        yield Cause(_("着払いと代金引換は同時に使えません。"))
    if parcel.temperature == "frozen":
        yield Cause(_("冷凍の荷物はゆうパックのデータにできません。配送会社を変えてください。"))


def _street(parcel: Parcel, contract: Contract, causes: list[Cause]) -> tuple[str, str]:
    block, building = common.block_and_building(parcel.to, contract.letters)
    if width(block) <= STREET and width(building) <= BUILDING:
        return block, building
    lines = laid_out(f"{block} {building}".strip(), (STREET, BUILDING))
    if lines is None:
        causes.append(too_long(_("番地・建物"), max(1, width(block + building) - STREET - BUILDING)))
        return "", ""
    return lines[0], lines[1] if len(lines) > 1 else ""


def _remark(parcel: Parcel) -> str:
    orders = common.numbers_within(parcel.order_numbers, REMARK - width(parcel.number) - 1)
    return clean(f"{parcel.number} {orders}", {})

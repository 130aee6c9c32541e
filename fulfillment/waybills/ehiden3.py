"""佐川急便 e飛伝III, template 標準_飛脚宅配便_CSV_ヘッダ有り: 74 columns. Pure.

Widths are letters after conversion to full width, sixteen a line, so names and addresses are written in full width:
what was counted is what is printed.
"""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from fulfillment.waybills import common
from fulfillment.waybills.cells import Cause, Column, Held, Made, clean, full_width, row_of, too_long
from fulfillment.waybills.common import Service
from fulfillment.waybills.parcel import Contract, Parcel, Party
from oms.kernel.label import laid_out, width

LINE = 32  # half-width units of sixteen full-width letters
FIVE = {"am": "01", "1214": "12", "1416": "14", "1618": "16", "1821": "04"}
SIX = {"am": "01", "1214": "12", "1416": "14", "1618": "16", "1820": "18", "1921": "19"}
NEAR_FIVE = {"1820": "1821", "1921": "1821", "2021": "1821"}
NEAR_SIX = {"2021": "1921"}
COLD = {"ambient": "001", "chilled": "002", "frozen": "003"}
COLD_SEALS = {"chilled": "001", "frozen": "002"}
COD_SEALS = {"1": "010", "2": "008", "5": "009"}  # by 決済種別
DAY_SEAL, HOURS_SEALS = "005", {"5": "007", "6": "019"}
MOST_SEALS = 3

_OURS = {"required": True, "setting": True}
COLUMNS = (
    Column("お届け先コード取得区分", 1),
    Column("お届け先コード"),
    Column("お届け先電話番号", 14, required=True),
    Column("お届け先郵便番号", 8, required=True),
    *(Column(f"お届け先住所{n}", LINE, required=n == "１", full=True) for n in "１２３"),
    *(Column(f"お届け先名称{n}", LINE, required=n == "１", full=True) for n in "１２"),
    Column("お客様管理番号", 16),
    Column("お客様コード", 12, **_OURS),
    Column("部署ご担当者コード取得区分"),
    Column("部署ご担当者コード"),
    Column("部署ご担当者名称", LINE, full=True),
    Column("荷送人電話番号", 14),
    Column("ご依頼主コード取得区分"),
    Column("ご依頼主コード"),
    Column("ご依頼主電話番号", 14, **_OURS),
    Column("ご依頼主郵便番号", 8, **_OURS),
    Column("ご依頼主住所１", LINE, full=True, **_OURS),
    Column("ご依頼主住所２", LINE, full=True, setting=True),
    Column("ご依頼主名称１", LINE, full=True, **_OURS),
    Column("ご依頼主名称２", LINE, full=True, setting=True),
    Column("荷姿", 3, setting=True),
    Column("品名１", LINE, full=True, **_OURS),
    *(Column(f"品名{n}", LINE, full=True) for n in "２３４５"),
    Column("荷札荷姿"),
    *(Column(f"荷札品名{n}") for n in ("１", "２", "３", "４", "５", "６", "７", "８", "９", "１０", "１１")),
    Column("出荷個数", 3),
    Column("スピード指定", 3),
    Column("クール便指定", 3),
    Column("配達日", 10),
    Column("配達指定時間帯", 2),
    Column("配達指定時間（時分）", 4),
    Column("代引金額", 7),
    Column("消費税", 6),
    Column("決済種別", 1),
    Column("保険金額", 8),
    *(Column(f"指定シール{n}", 3) for n in "１２３"),
    Column("営業所受取", 1),
    Column("SRC区分", 1),
    Column("営業所受取営業所コード"),
    Column("元着区分", 1),
    Column("メールアドレス"),
    Column("ご不在時連絡先"),
    Column("出荷日", 10),
    Column("お問い合せ送り状No."),
    Column("出荷場印字区分"),
    Column("集約解除指定"),
    *(Column(f"編集{n}") for n in ("０１", "０２", "０３", "０４", "０５", "０６", "０７", "０８", "０９", "１０")),
)


def make(parcel: Parcel, contract: Contract) -> Made:
    """One line, whatever the number of pieces. Raises Held."""
    service = common.service_of(parcel.method)
    causes = list(common.faults(parcel, service, _("e飛伝III")))
    if service not in {Service.PARCEL, Service.COLLECT}:
        causes.append(common.unoffered(parcel, _("e飛伝III")))
    if service == Service.COLLECT and parcel.cash:
        causes.append(Cause(_("着払いと代金引換は同時に使えません。")))
    if parcel.pieces > 999:
        causes.append(Cause(_("個口が多すぎます。")))
    slots, near = (SIX, NEAR_SIX) if contract.slots == "6" else (FIVE, NEAR_FIVE)
    slot, notes, no_hours = common.hours(parcel, slots, near)
    phone, no_phone = common.phone_of(parcel, contract)
    sender, no_sender = common.sender_of(parcel, contract)
    causes += [*no_hours, *no_phone, *no_sender]
    address = _address(parcel.to, contract, 3, causes)
    names = _names(parcel.to, contract, causes)
    sender_address = _address(sender, contract, 2, causes, ours=True)
    sender_names = _lines(full_width(clean(sender.name, contract.letters)), 2, _("ご依頼主名"), causes, ours=True)
    if causes:
        raise Held(causes)
    cod = contract.cod_payment if parcel.cash else "0"
    values = {
        "お届け先コード取得区分": "0",
        "お届け先電話番号": phone,
        "お届け先郵便番号": common.postal(parcel.to.postal_code),
        **_numbered("お届け先住所", address),
        **_numbered("お届け先名称", names),
        "お客様管理番号": parcel.number,
        "お客様コード": contract.customer_code,
        "荷送人電話番号": sender.phone,
        "ご依頼主電話番号": sender.phone,
        "ご依頼主郵便番号": sender.postal_code,
        **_numbered("ご依頼主住所", sender_address),
        **_numbered("ご依頼主名称", sender_names),
        "荷姿": contract.packing,
        "品名１": contract.item,
        **dict(zip(("品名２", "品名３"), _order_numbers(parcel), strict=False)),
        "出荷個数": str(parcel.pieces),
        "スピード指定": "000",
        "クール便指定": COLD[parcel.temperature],
        "配達日": f"{parcel.wish_on:{contract.date_form}}" if parcel.wish_on else "",
        "配達指定時間帯": slot,
        "代引金額": str(parcel.cash) if parcel.cash else "",
        "消費税": str(parcel.cash_tax) if parcel.cash else "",
        "決済種別": cod,
        **_numbered("指定シール", _seals(parcel, contract, slot)),
        "営業所受取": "0",
        "SRC区分": "0",
        "元着区分": "2" if service == Service.COLLECT else "1",
        "出荷日": f"{parcel.ship_on:{contract.date_form}}",
    }
    return Made([row_of(COLUMNS, values, contract.letters)], notes)


def _seals(parcel: Parcel, contract: Contract, slot: str) -> list[str]:
    """At most three: cold, cash, and of day and hours the hours, which say both."""
    wanted = [COLD_SEALS.get(parcel.temperature, ""), COD_SEALS.get(contract.cod_payment, "") if parcel.cash else ""]
    wanted.append(HOURS_SEALS.get(contract.slots, HOURS_SEALS["5"]) if slot else DAY_SEAL if parcel.wish_on else "")
    return [seal for seal in wanted if seal][:MOST_SEALS]


def _numbered(name: str, texts: Sequence[str]) -> dict[str, str]:
    return {f"{name}{n}": text for n, text in zip("１２３", texts, strict=False)}


def _address(party: Party, contract: Contract, most: int, causes: list[Cause], *, ours: bool = False) -> list[str]:
    """The building on a line of its own where there is room for that; broken at a word, never inside a number."""
    letters = contract.letters
    block, building = (full_width(part) for part in common.block_and_building(party, letters))
    head = full_width(clean(party.prefecture + party.city, letters))
    before = laid_out(head + block, (LINE,) * (most - 1), full=True) if width(building, full=True) <= LINE else None
    if before is not None and building:
        return [*before, building]
    name = _("ご依頼主の住所") if ours else _("届け先の住所")
    return _lines(f"{head}{block} {building}".strip(), most, name, causes, ours=ours)


def _names(party: Party, contract: Contract, causes: list[Cause]) -> list[str]:
    """The company on the first line and the person on the second, or the name alone over both."""
    name, company = (full_width(clean(text, contract.letters)) for text in (party.name, party.company))
    if not company:
        return _lines(name, 2, _("お届け先名称"), causes)
    for text, part in ((company, _("会社名")), (name, _("宛名"))):
        if (over := width(text, full=True) - LINE) > 0:
            causes.append(too_long(part, over))
    return [company, name]


def _lines(text: str, most: int, part: str, causes: list[Cause], *, ours: bool = False) -> list[str]:
    lines = laid_out(text, (LINE,) * most, full=True)
    if lines is None:
        causes.append(too_long(part, max(1, width(text, full=True) - LINE * most), setting=ours))
    return lines or []


def _order_numbers(parcel: Parcel) -> list[str]:
    """For the shop's own eyes: as many as stand in two lines of sixteen letters."""
    text = common.numbers_within(parcel.order_numbers, 32)
    return [text[:16].strip(), text[16:].strip()]

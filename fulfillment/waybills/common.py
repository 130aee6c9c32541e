"""What all layouts decide alike: which service a delivery method means, phones, days, hours, senders. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto

from django.utils.translation import gettext as _

from fulfillment.labels import building_apart
from fulfillment.waybills.cells import Cause, clean
from fulfillment.waybills.parcel import Contract, Parcel, Party
from oms.kernel.label import width
from oms.kernel.phone import phone_digits, phone_display
from orders.decide.slots import slot_label


class Service(Enum):
    """What kind of label a delivery method asks for."""

    PARCEL = auto()
    COLLECT = auto()  # the recipient pays the freight
    COMPACT = auto()
    NEKOPOS = auto()
    PACKET = auto()
    MAIL = auto()
    CLICKPOST = auto()
    UNLABELLED = auto()  # posted with stamps or in a bought envelope: no label software has it


_WORDS: Sequence[tuple[str, Service]] = (
    ("クリックポスト", Service.CLICKPOST),
    ("ネコポス", Service.NEKOPOS),
    ("ゆうパケット", Service.PACKET),
    ("ゆうメール", Service.MAIL),
    ("メール便", Service.NEKOPOS),
    ("ポスト投函", Service.NEKOPOS),
    ("レターパック", Service.UNLABELLED),
    ("定形", Service.UNLABELLED),
    ("スマートレター", Service.UNLABELLED),
    ("コンパクト", Service.COMPACT),
    ("着払", Service.COLLECT),
)
MAILBOX = {Service.NEKOPOS, Service.PACKET, Service.MAIL, Service.CLICKPOST}


def service_of(method: str) -> Service:
    word = unicodedata.normalize("NFKC", method)
    return next((service for part, service in _WORDS if part in word), Service.PARCEL)


# ---- what holds any parcel back


def faults(parcel: Parcel, service: Service, name: str) -> Iterable[Cause]:
    """`name`: what the label software is called."""
    if parcel.abroad:
        yield Cause(_("海外への荷物は%(layout)sのデータにできません。") % {"layout": name})
    if not re.fullmatch(r"\d{7}", postal_digits(parcel.to.postal_code)):
        yield Cause(_("郵便番号が7桁ではありません。"))
    if not parcel.to.prefecture.strip():
        yield Cause(_("都道府県がありません。"))
    if not parcel.to.street.strip():
        yield Cause(_("番地がありません。"))
    if service in MAILBOX:
        yield from _mailbox_faults(parcel)
    else:
        yield from _day_faults(parcel)


def unoffered(parcel: Parcel, name: str) -> Cause:
    text = _("配送方法「%(method)s」は%(layout)sのデータにできません。配送方法か配送会社を変えてください。")
    return Cause(text % {"method": parcel.method, "layout": name})


def _mailbox_faults(parcel: Parcel) -> Iterable[Cause]:
    """A parcel for the letter box: nobody opens the door to pay."""
    method = {"method": parcel.method}
    if parcel.cash:
        yield Cause(_("「%(method)s」では代金引換にできません。配送方法か支払方法を変えてください。") % method)
    if parcel.temperature != "ambient":
        yield Cause(_("「%(method)s」では冷蔵・冷凍で送れません。配送方法を変えてください。") % method)
    if parcel.pieces > 1:
        yield Cause(_("「%(method)s」は1個口だけです。荷物を分けるか、配送方法を変えてください。") % method)


def _day_faults(parcel: Parcel) -> Iterable[Cause]:
    """A day that the parcel cannot meet is not printed."""
    if parcel.wish_on is None:
        return
    first = parcel.ship_on + timedelta(days=parcel.transit_days)
    if parcel.wish_on < first:
        text = _(
            "配達希望日 %(wish)s に間に合いません（%(ship)s 出荷で %(first)s 着）。希望日を変えるか外してください。"
        )
        days = {"wish": parcel.wish_on, "ship": parcel.ship_on, "first": first}
        yield Cause(text % {key: f"{day.month}/{day.day}" for key, day in days.items()})


# ---- cells


def postal_digits(text: str) -> str:
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


def postal(text: str) -> str:
    """154-0024: the hyphen keeps a leading zero alive in spreadsheets."""
    digits = postal_digits(text)
    return f"{digits[:3]}-{digits[3:]}" if len(digits) == 7 else digits


def phone_of(parcel: Parcel, contract: Contract) -> tuple[str, list[Cause]]:
    """The recipient's phone, the contract's where there is none. A number that is too short is not replaced."""
    if not parcel.to.phone.strip():
        if contract.fallback_phone:
            return phone_display(contract.fallback_phone), []
        text = _("届け先の電話番号がありません。受注に入れるか、設定の「届け先に電話番号がないとき」を決めてください。")
        return "", [Cause(text, setting=True)]
    if len(phone_digits(parcel.to.phone)) < 10:
        return "", [Cause(_("届け先の電話番号の桁数が足りません。受注で直してください。"))]
    return phone_display(parcel.to.phone), []


def sender_of(parcel: Parcel, contract: Contract) -> tuple[Party, list[Cause]]:
    """The order's own sender, at the shipper of the contract, else at the shop and its place."""
    told, usual = contract, parcel.sender
    if told.sender_postal_code or told.sender_prefecture or told.sender_city or told.sender_street:
        usual = replace(
            usual,
            postal_code=told.sender_postal_code,
            prefecture=told.sender_prefecture,
            city=told.sender_city,
            street=told.sender_street,
        )
    sender = replace(
        usual,
        name=parcel.gift_sender or told.sender_name or usual.name,
        phone=phone_display(told.sender_phone or usual.phone),
        postal_code=postal(usual.postal_code),
    )
    needed = {
        _("ご依頼主の電話番号"): sender.phone,
        _("ご依頼主の郵便番号"): sender.postal_code,
        _("ご依頼主の住所"): sender.prefecture + sender.city + sender.street,
    }
    missing = [name for name, text in needed.items() if not text]
    text = _("%(what)sが決まっていません。送り状の設定か、拠点の情報に入れてください。")
    return sender, [Cause(text % {"what": _("、").join(missing)}, setting=True)] if missing else []


def hours(parcel: Parcel, slots: Mapping[str, str], near: Mapping[str, str]) -> tuple[str, list[str], list[Cause]]:
    """(the carrier's code, notes, causes). `near`: hours that the carrier has not → those that serve instead."""
    wish = parcel.wish_slot
    if not wish or wish in slots:
        return slots.get(wish, ""), [], []
    if wish in near:
        note = _("時間帯 %(wish)s を %(given)s にします。")
        return slots[near[wish]], [note % {"wish": slot_label(wish), "given": slot_label(near[wish])}], []
    text = _("希望時間帯「%(wish)s」はこの配送会社では指定できません。受注で変えるか外してください。")
    return "", [], [Cause(text % {"wish": slot_label(wish)})]


def without_wish(parcel: Parcel) -> list[str]:
    """What is said of a letter box parcel whose day or hour is wished."""
    if parcel.wish_on or parcel.wish_slot:
        return [_("「%(method)s」には配達の日時を入れません。") % {"method": parcel.method}]
    return []


def without_cold(parcel: Parcel, name: str) -> Iterable[Cause]:
    if parcel.temperature != "ambient":
        yield Cause(_("%(service)sでは冷蔵・冷凍で送れません。配送方法を変えてください。") % {"service": name})


_COMPANY = re.compile(
    r"株式会社|有限会社|合同会社|財団法人|社団法人|学校法人|医療法人|[㈱㈲]|\((?:株|有)\)|（(?:株|有)）"
)


def honorific(name: str) -> str:
    return "御中" if _COMPANY.search(name) else "様"


def numbers_within(numbers: Sequence[str], limit: int) -> str:
    """As many order numbers as have room, and how many more there are. They are for the shop's own eyes."""
    for count in range(len(numbers), 0, -1):
        more = f" 他{len(numbers) - count}" if count < len(numbers) else ""
        if width(text := " ".join(numbers[:count]) + more) <= limit:
            return text
    return ""


def block_and_building(party: Party, letters: Mapping[str, str]) -> tuple[str, str]:
    block, building = building_apart(party.street)
    return clean(block, letters), clean(building, letters)

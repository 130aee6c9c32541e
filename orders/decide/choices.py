"""What a person may decide on a card, by reason: the one-key choices beside "all right", "later" and "hold". Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from oms.kernel.address_choice import Candidate
from orders.decide.remarks import Remark

# Verbs that change the order itself; the others only close the reason.
CHANGES = {
    "packing_note", "paper_note", "internal_note", "wish", "drop_wish", "slot", "address", "phone", "spelling",
    "carrier",
}  # fmt: skip
NOTE_CODES = {"buyer_note", "note_has_date", "note_cancel_word", "receipt_request"}
ADDRESS_CODES = {"postal_mismatch", "street_no_missing", "address_too_long"}
FIRST_DAY_CODES = {"date_past", "date_too_soon"}
AREA_CODES = {"area_unservable", "area_suspended", "ship_method_unmapped"}  # another carrier may be the answer
WISH_CODES = {"date_past", "date_too_soon", "date_too_far", "time_slot_unavailable", "date_on_mailbox"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: `verb` and `value` are what it sends, `key` is pressed for it."""

    verb: str
    label: str
    value: str = ""
    key: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """What a card may offer: a day that the remark names, addresses, the first day on which the parcel can be there,
    (code, words) of the nearest hours that the carrier has, the texts as the label software could print them, (code,
    name) of the carriers that go there."""

    remark: Remark = field(default_factory=Remark)
    read_date: date | None = None
    candidates: Sequence[Candidate] = ()
    buyer_phone: str = ""
    first_arrival: date | None = None
    slot: tuple[str, str] = ("", "")
    spelling: str = ""
    carriers: Sequence[tuple[str, str]] = ()


def choices(code: str, offers: Offers) -> list[Choice]:
    """The choices of a card, numbered from 1."""
    found: list[Choice] = []
    if code in NOTE_CODES:
        found += _note_choices(offers.read_date)
    if code in ADDRESS_CODES:
        found += [
            Choice("address", _("この住所にする"), value=candidate.value, detail=str(candidate))
            for candidate in offers.candidates[:6]
        ]
    if code == "phone_invalid" and offers.buyer_phone:
        found.append(Choice("phone", _("注文者の電話番号を使う"), detail=offers.buyer_phone))
    if code == "bad_characters" and offers.spelling:
        found.append(Choice("spelling", _("この表記に置き換える"), detail=offers.spelling))
    if code in FIRST_DAY_CODES and (day := offers.first_arrival):
        label = _("お届けできる最初の日にする（%(day)s）") % {"day": f"{day.month}/{day.day}"}
        found.append(Choice("wish", label, value=day.isoformat()))
    if code == "time_slot_unavailable" and offers.slot[0]:
        found.append(Choice("slot", _("近い時間帯にする（%(hours)s）") % {"hours": offers.slot[1]}, offers.slot[0]))
    if code in AREA_CODES:
        found += [Choice("carrier", _("%(name)sで送る") % {"name": name}, one) for one, name in offers.carriers]
    if code in WISH_CODES:
        found.append(Choice("drop_wish", _("希望を外す")))
    if code == "open_promise":
        found.append(Choice("promise_done", _("約束を済みにする")))
    if code == "channel_cancel_request":
        found.append(Choice("decline_cancel", _("申請を断って続ける")))
    return [Choice(c.verb, c.label, c.value, str(n), c.detail) for n, c in enumerate(found[:9], start=1)]


def _note_choices(read_date: date | None) -> list[Choice]:
    found = [
        Choice("packing_note", _("出荷メモへ")),
        Choice("paper_note", _("納品書備考へ")),
        Choice("internal_note", _("社内メモへ")),
    ]
    if read_date:
        label = _("希望日に設定（%(day)s）") % {"day": f"{read_date.month}/{read_date.day}"}
        found.insert(1, Choice("wish", label, value=f"{read_date:%Y-%m-%d}"))
    return found

"""Finding a member by one field, and what the member's page shows of the person."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Member, MemberChange, MemberNote
from customers.services import blacklist, pairs
from customers.services.identity import Person
from oms.kernel import privacy
from oms.kernel.links import url_if_served
from oms.kernel.phone import phone_display
from oms.kernel.search import matching

PERSONAL = "orders.view_personal_data"


def listed_members(typed: str = "") -> QuerySet[Member]:
    """All members, or those whose name, kana, phone or mail holds what was typed (two characters suffice)."""
    rows = Member.objects.select_related("rank").defer("search")
    return matching(rows, "search", typed) if typed.strip() else rows


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as shown in a list: the phone by its tail only, since customers may see the screen."""

    pk: int
    name: str
    kana: str
    phone_tail: str
    place: str
    order_count: int
    rank: str = ""


def member_rows(members: list[Member], *, personal: bool) -> list[MemberRow]:
    """`members` with their rank read along."""
    return [
        MemberRow(
            member.pk,
            member.name if personal else privacy.mask_name(member.name),
            member.kana if personal else privacy.mask_rest(member.kana),
            privacy.mask_phone(member.phone),
            member.prefecture,
            member.order_count,
            member.rank.name if member.rank else "",
        )
        for member in members
    ]


def member_page(member: Member, *, personal: bool) -> dict[str, Any]:
    """The member's own facts, masked without the right; `watched` says that a note about the person exists."""
    person = Person(member.name, member.kana, member.phone, member.email, member.postal_code)
    listed = blacklist.matches([[person]])[0]
    watched = listed is not None and listed.score >= blacklist.MATCH
    return {
        "member_id": member.pk,
        "name": member.name if personal else privacy.mask_name(member.name),
        "kana": member.kana if personal else privacy.mask_rest(member.kana),
        "phone": phone_display(member.phone) or member.phone if personal else privacy.mask_phone(member.phone),
        "email": member.email if personal else privacy.mask_mail(member.email),
        "postal_code": member.postal_code if personal else privacy.mask_postal_code(member.postal_code),
        "prefecture": member.prefecture,
        "order_count": member.order_count,
        "member_no": member.member_no if personal else privacy.mask_rest(member.member_no),
        "rank": member.rank,
        "store_member": member.store_member,
        "birthday": member.birthday if personal else None,
        "birth_month": member.birthday.month if member.birthday else None,
        "created_at": member.created_at,
        "identities": [str(identity.get_kind_display()) for identity in member.identities.order_by("kind", "pk")],
        "watched": watched,
        "tags": list(dict.fromkeys(member.tags.order_by("tag").values_list("tag", flat=True))),
        "notes": [_shown_note(note, personal) for note in _newest_notes(member)],
        "promises": [_shown_note(note, personal) for note in open_promises(member.pk)],
        "changes": [_shown_change(change) for change in _newest_changes(member)] if personal else [],
        "pairs": [
            (pair, member_rows([other], personal=personal)[0], pairs.in_words(pair.met_on))
            for pair, other in pairs.others_of(member.pk)
        ],
    }


NOTES_SHOWN = 20


def _newest_notes(member: Member) -> list[MemberNote]:
    return list(member.notes.select_related("by", "done_by").order_by("-at", "-pk")[:NOTES_SHOWN])


def open_promises(member_id: int) -> list[MemberNote]:
    """What was promised for the member's next order and nobody has ticked, oldest first, with who wrote it."""
    rows = MemberNote.objects.filter(member=member_id, promise=True, done_at=None)
    return list(rows.select_related("by").order_by("at", "pk"))


def _shown_note(note: MemberNote, personal: bool) -> tuple[MemberNote, str, str]:
    """(note, text, where to find the order that it came from)."""
    url = url_if_served("orders:detail", note.source_order) if note.source_order else ""
    return note, note.text if personal else privacy.mask_text(note.text), url


CHANGES_SHOWN = 10
LABELS = {
    "member_no": _("会員番号"), "birthday": _("生年月日"), "rank": _("会員ランク"), "store_member": _("店舗会員"),
    "tags": _("会員のタグ"), "promise": _("次の注文時に行う約束"),
}  # fmt: skip


def _newest_changes(member: Member) -> list[MemberChange]:
    return list(member.changes.select_related("by").order_by("-pk")[:CHANGES_SHOWN])


def _shown_change(change: MemberChange) -> tuple[MemberChange, list[tuple[str, str, str]]]:
    """(field, before, after) of each value."""
    return change, [
        (str(LABELS.get(name, name)), _in_words(change.before.get(name)), _in_words(value))
        for name, value in change.after.items()
    ]


def _in_words(value: Any) -> str:
    match value:
        case dict():
            return gettext("済み") if value.get("done") else gettext("未完了")
        case list():
            return gettext("、").join(value) or gettext("（なし）")
        case bool():
            return gettext("はい") if value else gettext("いいえ")
        case _:
            return str(value) if value else gettext("（なし）")

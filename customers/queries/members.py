"""Finding a member by one field, and what the member's page shows of the person."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from customers.models import Member, MemberNote
from customers.services import blacklist, pairs
from customers.services.identity import Person
from oms.kernel import privacy
from oms.kernel.phone import phone_display
from oms.kernel.search import matching

PERSONAL = "orders.view_personal_data"


def listed_members(typed: str = "") -> QuerySet[Member]:
    """All members, or those whose name, kana, phone or mail holds what was typed (two characters suffice)."""
    rows = Member.objects.defer("search")
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


def member_rows(members: list[Member], *, personal: bool) -> list[MemberRow]:
    return [
        MemberRow(
            member.pk,
            member.name if personal else privacy.mask_name(member.name),
            member.kana if personal else privacy.mask_rest(member.kana),
            privacy.mask_phone(member.phone),
            member.prefecture,
            member.order_count,
        )
        for member in members
    ]


def member_page(member: Member, *, personal: bool) -> dict[str, Any]:
    """The member's own facts, masked without the right; `watched` says that a note about the person exists."""
    person = Person(member.name, member.kana, member.phone, member.email, member.postal_code)
    watched = bool(blacklist.matches([person])[0])
    return {
        "member_id": member.pk,
        "name": member.name if personal else privacy.mask_name(member.name),
        "kana": member.kana if personal else privacy.mask_rest(member.kana),
        "phone": phone_display(member.phone) or member.phone if personal else privacy.mask_phone(member.phone),
        "email": member.email if personal else privacy.mask_mail(member.email),
        "postal_code": member.postal_code if personal else privacy.mask_postal_code(member.postal_code),
        "prefecture": member.prefecture,
        "order_count": member.order_count,
        "created_at": member.created_at,
        "identities": [str(identity.get_kind_display()) for identity in member.identities.order_by("kind", "pk")],
        "watched": watched,
        "tags": list(dict.fromkeys(member.tags.order_by("tag").values_list("tag", flat=True))),
        "notes": [(note, note.text if personal else privacy.mask_text(note.text)) for note in _newest_notes(member)],
        "pairs": [
            (pair, member_rows([other], personal=personal)[0], pairs.in_words(pair.met_on))
            for pair, other in pairs.others_of(member.pk)
        ],
    }


NOTES_SHOWN = 20


def _newest_notes(member: Member) -> list[MemberNote]:
    return list(member.notes.select_related("by").order_by("-at", "-pk")[:NOTES_SHOWN])

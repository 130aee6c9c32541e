"""The desk's filters on who bought and where it goes, and on the days around paying and taking in."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as lazy

from customers.models import Member, Rank
from oms.kernel import clock
from oms.kernel.address import REGIONS
from oms.kernel.search import matching
from orders.decide.slots import SLOTS, slot_label
from orders.filter_fields import AnyOf, parts_of, words_of
from orders.filter_ranges import StatedNumber, days, moments
from orders.models import Order, Recipient
from orders.models.order import PaymentState

# Orders that still have to be paid: only these have a day to pay by (the very condition of its index).
STILL_OWED = Q(
    payment_state__in=[PaymentState.UNPAID, PaymentState.FAILED], cancelled_at__isnull=True, pay_by__isnull=False
)
FEWEST_DIGITS = 4
LONGEST_AGO = 3650
MOST_MEMBERS = 5000


def region_choices() -> list[tuple[str, object]]:
    return [(code, label) for code, (label, _prefectures) in REGIONS.items()]


def slot_choices() -> list[tuple[str, str]]:
    return [(code, slot_label(code)) for code in SLOTS]


def rank_choices() -> list[tuple[str, str]]:
    return list(Rank.objects.values_list("code", "name"))


def overdue_by(days: Any) -> Q:
    return STILL_OWED & Q(pay_by__lt=clock.now() - timedelta(days=int(days)))


class PeopleFilter(django_filters.FilterSet):
    """Each field narrows; methods get its name."""

    phone = django_filters.CharFilter(label=lazy("電話番号（4桁以上の一部）"), method="with_phone")
    mail = django_filters.CharFilter(label=lazy("メールアドレス（一部）"), method="with_mail")
    region = AnyOf(label=lazy("届け先の地方"), choices=region_choices, method="sent_to_region")
    city = django_filters.CharFilter(label=lazy("届け先の市区町村（先頭から）"), method="sent_to_city")
    member = django_filters.NumberFilter(
        label=lazy("会員番号"), method="of_member", min_value=1, max_value=2**31 - 1, widget=forms.NumberInput
    )
    bought_min = django_filters.NumberFilter(
        label=lazy("会員の注文回数（下限）"), method="bought_often", min_value=1, max_value=10**6
    )
    slot = AnyOf(label=lazy("希望時間帯"), choices=slot_choices, method="wished_hours")
    taken_from, taken_to = days(lazy("取込日（開始）"), lazy("取込日（終了）"), moments("imported_at"))
    pay_by_from, pay_by_to = days(lazy("支払期限（開始）"), lazy("支払期限（終了）"), moments("pay_by", STILL_OWED))
    overdue_days = StatedNumber(
        label=lazy("支払期限を過ぎた日数（以上）"), condition=overdue_by, min_value=0, max_value=LONGEST_AGO
    )
    rank = AnyOf(label=lazy("会員ランク"), choices=rank_choices, method="of_rank")
    country = django_filters.CharFilter(label=lazy("届け先の国（2文字のコード。例: US）"), method="sent_to_country")

    def with_phone(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """The index finds the digits anywhere; then they must stand in a phone number, however it is written."""
        digits = re.sub(r"\D", "", typed)
        if len(digits) < FEWEST_DIGITS:
            return rows.none()
        written = r"[^0-9]*".join(digits)
        own = Exists(Recipient.objects.filter(phone__regex=written, order=OuterRef("pk")))
        return matching(rows, "search", digits).filter(Q(buyer_phone__regex=written) | own)

    def with_mail(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return matching(rows, "search", typed).filter(buyer_email__icontains=typed.strip())

    def sent_to_region(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        named = [prefecture for code in codes for prefecture in REGIONS[code][1]]
        return rows.filter(recipient_prefecture__in=named)

    def sent_to_city(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        begun = Q(pk__in=[])
        for part in parts_of(typed):
            begun |= Q(city__startswith=part)
        return rows.filter(Exists(Recipient.objects.filter(begun, order=OuterRef("pk"))))

    def of_member(self, rows: QuerySet[Order], _name: str, number: int) -> QuerySet[Order]:
        return rows.filter(member=int(number))

    def bought_often(self, rows: QuerySet[Order], _name: str, times: int) -> QuerySet[Order]:
        return _bought_by(rows, Member.objects.filter(order_count__gte=int(times)))

    def wished_hours(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(~Q(wish_slot=""), wish_slot__in=list(codes))

    def of_rank(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        return _bought_by(rows, Member.objects.filter(rank__code__in=list(codes)))

    def sent_to_country(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """An index holds the few that leave the country; who asks for Japan gets the others."""
        codes = [code.upper() for code in words_of(typed)]
        abroad = Recipient.objects.filter(~Q(country="JP"), order=OuterRef("pk"))
        found = Q(Exists(abroad.filter(country__in=codes)))
        return rows.filter(found | ~Q(Exists(abroad)) if "JP" in codes else found)


def _bought_by(rows: QuerySet[Order], members: QuerySet[Member]) -> QuerySet[Order]:
    """Where they are few, their orders are fetched by the members' ids; many are soon met among the newest."""
    ids = list(members.order_by().values_list("pk", flat=True)[: MOST_MEMBERS + 1])
    if len(ids) <= MOST_MEMBERS:
        return rows.filter(member__in=ids) if ids else rows.none()
    return rows.filter(Exists(members.filter(pk=OuterRef("member"))))

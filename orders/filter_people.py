"""The desk's filters on who bought and where it goes, and on the days around paying and taking in."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as lazy

from customers.models import Member
from oms.kernel import clock
from oms.kernel.address import REGIONS
from oms.kernel.search import matching
from oms.kernel.typed import DayInput
from orders.decide.slots import SLOTS, slot_label
from orders.filter_fields import AnyOf, day, midnight, midnight_after, parts_of
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
    taken_from = day(lazy("取込日（開始）"), "taken_since")
    taken_to = day(lazy("取込日（終了）"), "taken_until")
    pay_by_from = django_filters.DateFilter(label=lazy("支払期限（開始）"), widget=DayInput, method="to_pay_since")
    pay_by_to = django_filters.DateFilter(label=lazy("支払期限（終了）"), widget=DayInput, method="to_pay_until")
    overdue_days = django_filters.NumberFilter(
        label=lazy("支払期限を過ぎた日数（以上）"), method="overdue_by", min_value=0, max_value=LONGEST_AGO
    )

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
        """Where they are few, their orders are fetched by the members' ids; many are soon met among the newest."""
        often = Member.objects.filter(order_count__gte=int(times))
        ids = list(often.order_by().values_list("pk", flat=True)[: MOST_MEMBERS + 1])
        if len(ids) <= MOST_MEMBERS:
            return rows.filter(member__in=ids) if ids else rows.none()
        return rows.filter(Exists(often.filter(pk=OuterRef("member"))))

    def wished_hours(self, rows: QuerySet[Order], _name: str, codes: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(~Q(wish_slot=""), wish_slot__in=list(codes))

    def taken_since(self, rows: QuerySet[Order], _name: str, since: date) -> QuerySet[Order]:
        return rows.filter(imported_at__gte=midnight(since))

    def taken_until(self, rows: QuerySet[Order], _name: str, until: date) -> QuerySet[Order]:
        return rows.filter(imported_at__lt=midnight_after(until))

    def to_pay_since(self, rows: QuerySet[Order], _name: str, since: date) -> QuerySet[Order]:
        return rows.filter(STILL_OWED, pay_by__gte=midnight(since))

    def to_pay_until(self, rows: QuerySet[Order], _name: str, until: date) -> QuerySet[Order]:
        return rows.filter(STILL_OWED, pay_by__lt=midnight_after(until))

    def overdue_by(self, rows: QuerySet[Order], _name: str, days: int) -> QuerySet[Order]:
        return rows.filter(STILL_OWED, pay_by__lt=clock.now() - timedelta(days=int(days)))

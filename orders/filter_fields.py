"""What the desk's filters are made of, and the filters on facts that few ask for every day."""

import re
from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms
from django.db import connection
from django.db.models import BooleanField, Count, Exists, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.search import matching
from orders.filter_ranges import StatedChoice, days, figures, moments, supplied, values
from orders.models import Mail, Order, OrderEvent, OrderLine, Recipient, ReviewReason
from orders.models.mail import MailEvent
from orders.models.order import AllocationState, Carrier, FulfillmentState, PaymentState
from orders.models.reason import Level

MOST_NUMBERS = 1000
YES = (("1", lazy("はい")),)


class AnyOf(django_filters.MultipleChoiceFilter):
    """Rows whose column is one of the chosen values; unlike its parent without DISTINCT and without a chain of ORs.

    `whole`: each row has exactly one of the choices, so that "not these" is "one of the others", which an index serves.
    """

    def __init__(self, *args: Any, whole: bool = False, **kwargs: Any) -> None:
        self.whole = whole
        super().__init__(*args, widget=forms.CheckboxSelectMultiple, **kwargs)

    @property
    def field(self) -> forms.Field:
        """With its choices asked once; Django would ask a function anew wherever it looks at them."""
        choices = self.extra["choices"]
        self.extra["choices"] = choices() if callable(choices) else choices
        return super().field

    def filter(self, qs: QuerySet[Order], value: Sequence[str]) -> QuerySet[Order]:
        return qs.filter(**{f"{self.field_name}__in": list(value)}) if value else qs

    def others(self, value: Sequence[str]) -> list[str]:
        """The choices that were not made."""
        return [str(code) for code, _label in self.extra["choices"] if str(code) not in value]


class PartOf(django_filters.CharFilter):
    """Rows whose column holds the typed part; several parts with commas. Columns that have few different values.

    The values that hold it are looked up first, by jumping from one to the next in an index that begins with the
    column. Asked for by name, the planner knows how common each is; asked by the part, it could only walk.
    """

    def filter(self, qs: QuerySet[Order], value: str) -> QuerySet[Order]:
        return self._named(qs, value, turned=False) if value else qs

    def but(self, qs: QuerySet[Order], value: str) -> QuerySet[Order]:
        """The orders that `filter` leaves out."""
        return self._named(qs, value, turned=True)

    def _named(self, qs: QuerySet[Order], typed: str, *, turned: bool) -> QuerySet[Order]:
        known = distinct_values(str(self.field_name))
        if known is None:  # somebody writes prose there: nothing is left but to read it
            part = part_of(str(self.field_name), typed)
            return qs.filter(~part if turned else part)
        parts = [part.lower() for part in parts_of(typed)]
        named = [value for value in known if any(part in value.lower() for part in parts) != turned]
        return qs.filter(**{f"{self.field_name}__in": named}) if named else qs.none()


MOST_VALUES = 2000

DISTINCT = """
WITH RECURSIVE found AS (
    (SELECT {column} AS word, 1 AS n FROM orders_order ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT later.word, found.n + 1
      FROM found, LATERAL (SELECT {column} AS word FROM orders_order WHERE {column} > found.word
                            ORDER BY {column} LIMIT 1) AS later
     WHERE found.n <= %s)
SELECT word FROM found
"""


def distinct_values(column: str) -> list[str] | None:
    """Every different value of one of the orders' columns, from its index; None where there are too many to name."""
    with connection.cursor() as cursor:
        cursor.execute(DISTINCT.format(column=connection.ops.quote_name(column)), [MOST_VALUES])
        found = [word for (word,) in cursor.fetchall()]
    return found if len(found) <= MOST_VALUES else None


def parts_of(typed: str) -> list[str]:
    """The parts, separated by commas; spaces belong to names."""
    return [part.strip() for part in re.split("[,、，]", typed) if part.strip()]


def part_of(column: str, typed: str) -> Q:
    """Any of the parts stands in the column."""
    found = Q(pk__in=[])
    for part in parts_of(typed):
        found |= Q(**{f"{column}__icontains": part})
    return found


def words_of(typed: str) -> list[str]:
    """What was pasted, one by one: separated by spaces, new lines or commas."""
    return list(dict.fromkeys(word for word in re.split(r"[\s,、，]+", typed) if word))[:MOST_NUMBERS]


class Among(Func):
    """`value = ANY (array)`: a list of values as one parameter, or rows that are fetched once, before the others are
    looked at. Of the latter the planner expects ten."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    arity = 2
    output_field = BooleanField()


def lines() -> QuerySet[OrderLine]:
    """The standing lines of the order in question."""
    return OrderLine.objects.filter(order=OuterRef("pk"), quantity__gt=0)


EDITED = Q(Exists(OrderEvent.objects.filter(order=OuterRef("pk"), kind__in=["edited", "note"], by__isnull=False)))


def payment_late(_yes: str) -> Q:
    unpaid = Q(payment_state__in=[PaymentState.UNPAID, PaymentState.FAILED], cancelled_at=None)
    return unpaid & Q(pay_by__lt=clock.now())


def lines_at_least(count: Any) -> Q:
    """So many standing lines. No order has more lines than units, which an index knows of the large ones."""
    return Q(quantity__gte=int(count)) & Q(GreaterThanOrEqual(_line_count(), int(count)))


def lines_at_most(count: Any) -> Q:
    return Q(quantity__lte=int(count)) | Q(LessThanOrEqual(_line_count(), int(count)))


def _line_count() -> Coalesce:
    counted = lines().order_by().values("order").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


class FactFilter(django_filters.FilterSet):
    """Numbers pasted, people, money's days, goods, delivery, mails. Each field narrows; methods get its name."""

    base_filters: dict[str, django_filters.Filter]

    numbers = django_filters.CharFilter(
        label=lazy("受注番号の一覧"), method="numbered", widget=forms.Textarea({"rows": 3})
    )
    level = AnyOf(label=lazy("確認理由の重さ"), choices=Level.choices, method="with_level")
    edited = StatedChoice(
        label=lazy("取込後に編集"), choices=YES, condition=lambda _yes: EDITED, empty_label=lazy("指定なし")
    )
    person = django_filters.CharFilter(label=lazy("注文者・届け先の氏名"), method="of_person")
    postal = django_filters.CharFilter(label=lazy("届け先の郵便番号（先頭から）"), method="sent_to_postal")
    paid_from, paid_to = days(lazy("入金日（開始）"), lazy("入金日（終了）"), moments("paid_at"))
    overdue = StatedChoice(
        label=lazy("支払期限切れ"), choices=YES, condition=payment_late, empty_label=lazy("指定なし")
    )
    sku = django_filters.CharFilter(label=lazy("SKU・JAN（いずれかを含む）"), method="with_sku")
    sku_only = django_filters.CharFilter(label=lazy("SKU・JAN（これだけを含む）"), method="with_sku_only")
    goods = django_filters.CharFilter(label=lazy("商品名"), method="with_goods")
    units_min, units_max = figures(lazy("点数（下限）"), lazy("点数（上限）"), values("quantity"))
    lines_min, lines_max = figures(
        lazy("明細数（下限）"), lazy("明細数（上限）"), (lines_at_least, lines_at_most), min_value=0, max_value=10**6
    )
    short_sku = django_filters.CharFilter(label=lazy("不足しているSKU・JAN"), method="short_of")
    arrival_from, arrival_to = days(
        lazy("不足商品の入荷予定日（開始）"),
        lazy("不足商品の入荷予定日（終了）"),
        (supplied("arrival_from"), supplied("arrival_to")),
    )
    allocation = AnyOf(
        field_name="allocation_state", label=lazy("引当状況"), choices=AllocationState.choices, whole=True
    )
    fulfillment = AnyOf(
        field_name="fulfillment_state", label=lazy("出荷状況"), choices=FulfillmentState.choices, whole=True
    )
    carrier = AnyOf(field_name="carrier", label=lazy("配送会社"), choices=Carrier.choices, whole=True)
    method = PartOf(field_name="delivery_method", label=lazy("配送方法（一部）"))
    location = PartOf(field_name="location_label", label=lazy("出荷元（一部）"))
    wish_from, wish_to = days(lazy("配達希望日（開始）"), lazy("配達希望日（終了）"), values("wish_date"))
    planned_from, planned_to = days(lazy("出荷予定日（開始）"), lazy("出荷予定日（終了）"), values("planned_ship_date"))
    parcels_min, parcels_max = figures(
        lazy("個口数（下限）"),
        lazy("個口数（上限）"),
        (supplied("parcels_min"), supplied("parcels_max")),
        min_value=0,
        max_value=10**6,
    )
    mailed = AnyOf(label=lazy("送信済みのメール"), choices=MailEvent.choices, method="with_mail_sent")
    mail_failed = AnyOf(label=lazy("送信に失敗したメール"), choices=MailEvent.choices, method="with_mail_failed")

    def numbered(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """By shop and number, which one index has."""
        return rows.filter(channel_order_no__in=words_of(typed), shop__in=[shop.pk for shop in self.shops])

    def with_level(self, rows: QuerySet[Order], _name: str, levels: Sequence[str]) -> QuerySet[Order]:
        open_reasons = ReviewReason.objects.filter(order=OuterRef("pk"), level__in=list(levels), state="open")
        return rows.filter(Exists(open_reasons))

    def of_person(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """The index finds the word anywhere; then it must stand in a name."""
        names = (f"{who}__icontains" for who in ("buyer_name", "buyer_kana", "recipient_name"))
        found = Q()
        for name in names:
            found |= Q(**{name: typed.strip()})
        return matching(rows, "search", typed).filter(found)

    def sent_to_postal(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        digits = re.sub(r"\D", "", typed)
        if not digits:
            return rows.none()
        written = Q(postal_code__startswith=digits) | Q(postal_code__startswith=f"{digits[:3]}-{digits[3:]}")
        return rows.filter(Exists(Recipient.objects.filter(written, order=OuterRef("pk"))))

    def with_sku(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return rows.filter(Exists(lines().filter(_called(typed))))

    def short_of(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """Who waits for these goods: said upstairs, where stock is given."""
        return rows.filter(supplied("short_sku")(words_of(typed)))

    def with_sku_only(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """At least one of these, and nothing else."""
        named = _called(typed)
        return rows.filter(Exists(lines().filter(named)), ~Exists(lines().exclude(named)))

    def with_goods(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        """The index of the search text finds its words, in the first characters of each name; then it must stand in a
        line that has not been cancelled. That is asked of each order found (a bare EXISTS would read every line)."""
        named = lines().filter(name__icontains=typed.strip()).values(found=Value(True))
        return matching(rows, "search", typed).filter(Coalesce(Subquery(named[:1]), False))

    def with_mail_sent(self, rows: QuerySet[Order], _name: str, events: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(Exists(_mails(events, Mail.State.SENT)))

    def with_mail_failed(self, rows: QuerySet[Order], _name: str, events: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(Exists(_mails(events, Mail.State.FAILED)))


def _called(typed: str) -> Q:
    """Lines of these SKUs, and of listings that nobody has mapped. One query."""
    words = words_of(typed)
    return Q(sku__in=these_skus(Q(code__in=words) | Q(jan__in=words))) | Q(sku__isnull=True, channel_sku__in=words)


MOST_NAMED = 500  # beyond, goods are so many that the planner's guess does no harm


def these_skus(wanted: Q) -> Any:
    """The ids of such SKUs, or a query for them where they are many.

    The planner knows how often an id stands in a line, so it knows whether to walk the newest orders or to fetch the
    few that have it; what comes out of a join it could only guess.
    """
    skus = Sku.objects.filter(wanted)
    ids = list(skus.order_by("pk").values_list("pk", flat=True)[: MOST_NAMED + 1])
    return ids if len(ids) <= MOST_NAMED else skus.values("pk")


def with_skus(rows: QuerySet[Order], wanted: Q) -> QuerySet[Order]:
    """Orders with a standing line of such a SKU."""
    found = these_skus(wanted)
    return rows.none() if found == [] else rows.filter(Exists(lines().filter(sku__in=found)))


def _mails(events: Sequence[str], state: str) -> QuerySet[Mail]:
    return Mail.objects.filter(order=OuterRef("pk"), event__in=list(events), state=state)

from collections.abc import Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from inventory.models import Balance, Entry, Location, Sku
from inventory.models.balance import EntryKind
from oms.kernel.search import matching


class SkuFilter(django_filters.FilterSet):
    """`short`: nothing left to promise; `backordered`: promised beyond what is there."""

    STATES = (("short", _("在庫切れ")), ("backordered", _("受注残あり")), ("inactive", _("取扱終了")))

    q = django_filters.CharFilter(label=_("コード・JAN・商品名"), method="search", widget=forms.SearchInput)
    state = django_filters.ChoiceFilter(label=_("状態"), choices=STATES, method="in_state", empty_label=_("すべて"))
    location = django_filters.ModelChoiceFilter(
        label=_("拠点"), queryset=Location.objects.order_by("priority", "id"), method="at", empty_label=_("すべて")
    )

    class Meta:
        model = Sku
        fields = ["q", "state", "location"]

    def search(self, rows: QuerySet[Sku], _name: str, typed: str) -> QuerySet[Sku]:
        return matching(rows, "search_text", typed)

    def in_state(self, rows: QuerySet[Sku], _name: str, state: str) -> QuerySet[Sku]:
        if state == "inactive":
            return rows.filter(active=False)
        pools = Balance.objects.filter(sku=OuterRef("pk"), location=None)
        if state == "short":
            return rows.filter(active=True).filter(Exists(pools.filter(reserved__gte=F("on_hand") + F("overcommit"))))
        return rows.filter(Exists(pools.filter(reserved__gt=F("on_hand"))))

    def at(self, rows: QuerySet[Sku], _name: str, location: Location) -> QuerySet[Sku]:
        return rows.filter(Exists(Balance.objects.filter(sku=OuterRef("pk"), location=location, on_hand__gt=0)))


class EntryFilter(django_filters.FilterSet):
    """`column`: only entries that moved this number, so that they add up to it."""

    COLUMNS = (("on_hand", _("実在庫")), ("reserved", pgettext_lazy("stock", "引当")))

    sku = django_filters.NumberFilter(method="of_sku", widget=forms.HiddenInput)
    balance = django_filters.NumberFilter(field_name="balance_id", widget=forms.HiddenInput)
    column = django_filters.ChoiceFilter(label=_("数量"), choices=COLUMNS, method="moved", empty_label=_("すべて"))
    kind = django_filters.ChoiceFilter(label=_("種類"), choices=EntryKind.choices, empty_label=_("すべて"))
    ref = django_filters.CharFilter(label=_("伝票"), lookup_expr="exact", widget=forms.SearchInput)

    class Meta:
        model = Entry
        fields: Mapping[str, Any] = {}

    def of_sku(self, rows: QuerySet[Entry], _name: str, sku_id: int) -> QuerySet[Entry]:
        """By the balances' ids, so that each one's ledger is read from its index."""
        return rows.filter(balance_id__in=list(Balance.objects.filter(sku_id=sku_id).values_list("pk", flat=True)))

    def moved(self, rows: QuerySet[Entry], _name: str, column: str) -> QuerySet[Entry]:
        return rows.exclude(**{column: 0})

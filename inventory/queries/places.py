"""Which places the person who asks may work at: choices of a form, parcels of a list."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from inventory.models import Location
from oms.kernel import scope

M = TypeVar("M", bound=Model)


def own() -> "QuerySet[Location]":
    return at_own(Location.objects.all(), "pk")


def at_own(rows: "QuerySet[M, Any]", path: str = "location") -> "QuerySet[M, Any]":
    """The rows whose place, found by `path`, is one of the person's. Without limits the rows as they are."""
    places = scope.current().places
    return rows.filter(**{f"{path}__in": places}) if places else rows

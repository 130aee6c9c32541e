"""From which day a SKU can leave: its own release, and of a set also those of its components."""

from django.db.models import DateField, F, Max, OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

from inventory.models import BundleComponent


def release_day(sku: str = "") -> Combinable:
    """An expression for queries; `sku` is the way to the SKU, such as `"sku__"`. None where nothing is released later.

    A set leaves with the last of its components, those of a set inside it included.
    """
    parts = BundleComponent.objects.filter(bundle=OuterRef(f"{sku}pk"), bundle__is_bundle=True).order_by()
    last = parts.values("bundle").annotate(
        day=Greatest(Max("component__release_date"), Max("component__components__component__release_date"))
    )
    return Greatest(F(f"{sku}release_date"), Subquery(last.values("day"), output_field=DateField()))

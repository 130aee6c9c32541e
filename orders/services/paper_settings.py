"""Storing how a shop's papers look."""

from django.db import transaction

from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.models import Logo, PaperSettings


@transaction.atomic
def save(papers: PaperSettings, *, by: User | None, logo: Logo | None = None) -> PaperSettings:
    """Store a shop's settings, with the picture when it is a new one; issued papers stay as they are."""
    with setting_versions.kept("papers", papers.shop_id, by=by):
        if logo is not None:
            papers.logo = Logo.objects.get_or_create(sha256=logo.sha256, defaults={"data": logo.data})[0]
        papers.save()
        return papers

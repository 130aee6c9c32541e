"""Each mall's listings come in over HTTP, find their SKU or a proposal, and keep what people decided."""

import pytest

from channels.models import Listing, Proposal
from channels.queries import mapping_state
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.services import listings, mapping, matching
from tests.channels.company import open_company
from tests.channels.stepped import Time, forget, time
from tests.orders.builders import make_sku

__all__ = ["time"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("channel", ["amazon", "rakuten", "yahoo", "qoo10", "futureshop"])
def test_listings_are_found_before_they_sell(time: Time, channel: str):
    forget(channel)
    with running_sandbox(World(seed=1, clock=time.now)) as sandbox:
        company = open_company(time, sandbox, [channel])
        connection = company.connection(channel)
        goods = company.world.catalogue.skus
        known = [code for code in sorted(goods) if not goods[code].is_set][:60]
        for code in known:
            make_sku(code, name=goods[code].name, variant=goods[code].colour, jan=goods[code].jan)
        decided = Listing.objects.get()
        counts = listings.import_listings(connection)
        assert counts["seen"] > 300 and counts["new"] == counts["seen"] - 1
        decided.refresh_from_db()
        assert decided.sku == company.sku and decided.seen_at
        mapped = Listing.objects.filter(sku__isnull=False)
        codes = codes_at(company, channel)
        wrong = [row.channel_sku for row in mapped.select_related("sku") if not stands_for(codes, row)]
        assert mapped.count() > 10 and not wrong
        assert mapping_state.counts().unmapped == Listing.objects.filter(sku__isnull=True).count() > 200
        best = Proposal.objects.exclude(score__gte=95).first()
        if best is not None:
            mapping.map_code(connection.shop, best.listing.channel_sku, best.sku, units=2)
        before = list(Listing.objects.order_by("pk").values_list("code", "sku", "units"))
        again = listings.import_listings(connection)
        assert again["new"] == 0 and before == list(Listing.objects.order_by("pk").values_list("code", "sku", "units"))
        matching.propose()
        assert list(Listing.objects.order_by("pk").values_list("code", "sku", "units")) == before


def codes_at(company, channel) -> dict[str, set[str]]:
    """SKU → every code under which the mall itself knows it."""
    found: dict[str, set[str]] = {}
    for one in company.world.listings(channel):
        found.setdefault(one.sku, set()).update(str(code).upper() for code in (one.key, one.sku, *one.codes.values()))
    return found


def stands_for(codes: dict[str, set[str]], row: Listing) -> bool:
    return any(code and code in row.channel_sku.upper() for code in codes[row.sku.code])

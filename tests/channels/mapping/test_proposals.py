"""Listings without SKU are found before they sell; proposals are accepted one, many, or all sure ones."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import ChannelDown, ListingInfo
from channels.models import Listing, ListingEvent, MatchRule, Proposal
from channels.queries import mapping_state
from channels.services import listings, mapping, matching, shops
from channels.services.mapping import Decision
from inventory.models import Balance, PublisherMark, Sku
from oms.kernel import clock
from orders.models import Order
from orders.services.intake import take_in
from tests.channels.builders import make_connection, make_listing
from tests.orders.builders import make_channel_order, make_line, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_connection().shop


@pytest.fixture
def chair():
    return make_sku("CH-BK01", stock_units=9, jan="4900000000011")


def waiting_order(shop, code, quantity=2):
    order = make_channel_order(make_line(code, quantity))
    take_in(shop, [order], sku_of={})
    return Order.objects.get(channel_order_no=order.channel_order_no)


def test_proposals_come_with_score_and_reason_and_a_second_run_changes_nothing(shop, chair):
    make_listing(shop, "ch_bk01")
    make_listing(shop, "CH-BK01-FBA")
    make_listing(shop, "zz-1", name="まったく別の物")
    assert matching.propose() == 2
    seen = list(Proposal.objects.order_by("listing").values_list("pk", "sku", "reason", "score"))
    assert [row[1:] for row in seen] == [(chair.pk, "code", 100), (chair.pk, "stem", 70)]
    assert matching.propose() == 2
    assert seen == list(Proposal.objects.order_by("listing").values_list("pk", "sku", "reason", "score"))


def test_proposing_takes_the_same_few_queries_for_many_listings(shop, chair):
    def counted():
        with CaptureQueriesContext(database) as queries:
            matching.propose()
        return len(queries)

    make_listing(shop, "ch_bk01")
    few = counted()
    Listing.objects.bulk_create(
        Listing(shop=shop, code=f"x-{n}", channel_sku=f"x-{n}", name=f"ch_bk01 {n}") for n in range(300)
    )
    assert counted() == few < 15


def test_all_sure_ones_are_accepted_and_waiting_orders_move_on(shop, chair, aoi, client_of):
    sure, unsure = make_listing(shop, "ch_bk01"), make_listing(shop, "CH-BK01-FBA")
    order = waiting_order(shop, "ch_bk01")
    matching.propose()
    client_of(aoi).post(reverse("channels:proposal-accept"), {"sure": "1"})
    sure.refresh_from_db()
    unsure.refresh_from_db()
    assert sure.sku == chair and unsure.sku is None
    line = order.lines.get()
    assert line.sku == chair and line.reserved
    assert Balance.objects.get(sku=chair, location=None, release="").reserved == 2
    event = ListingEvent.objects.get()
    assert (event.kind, event.before, event.after, event.by) == ("mapped", "", "CH-BK01", aoi)
    assert PublisherMark.objects.filter(sku_id=chair.pk).exists()
    assert Proposal.objects.get().listing == unsure


def test_the_chosen_are_accepted_or_put_aside_and_not_proposed_again(shop, chair, aoi, client_of):
    first, second = make_listing(shop, "CH-BK01-A"), make_listing(shop, "CH-BK01-B")
    matching.propose()
    client, url = client_of(aoi), reverse("channels:proposal-accept")
    said = client.post(url, {"accept": "1"}, follow=True).content.decode()
    assert "候補を選んでください" in said
    client.post(url, {"accept": "1", "ids": [first.proposal.pk]})
    client.post(url, {"reject": "1", "ids": [second.proposal.pk]})
    first.refresh_from_db()
    assert first.sku == chair
    matching.propose()
    assert mapping_state.proposals().count() == 0
    make_sku("CH-BK01-B")
    matching.propose()
    assert mapping_state.proposals().get().listing == second


def test_a_decision_for_an_order_teaches_the_next_order_and_the_other_shops(shop, chair):
    waiting_order(shop, "mall-code-7")
    mapping.map_code(shop, "mall-code-7", chair, units=2)
    assert mapping.sku_map(shop, ["mall-code-7"])["mall-code-7"].units == 2
    make_listing(make_connection("rakuten-2").shop, "mall-code-7", name="別の名前")
    matching.propose()
    proposal = Proposal.objects.get()
    assert (proposal.sku, proposal.units, proposal.reason) == (chair, 2, "learned")


def test_one_listing_may_stand_for_a_set(shop):
    bundle = make_sku("SET-1", is_bundle=True)
    make_listing(shop, "set_1")
    matching.propose()
    assert matching.accept() == 1 and Listing.objects.get().sku == bundle


def test_many_codes_are_mapped_in_the_same_few_queries(shop):
    skus = [make_sku(f"S-{n}", stock_units=5) for n in range(12)]
    for sku in skus:
        waiting_order(shop, f"m-{sku.code}")

    def counted(chosen):
        with CaptureQueriesContext(database) as queries:
            mapping.map_codes([Decision(shop.pk, f"m-{sku.code}", sku.pk) for sku in chosen], how="person")
        return len([query for query in queries if 'UPDATE "orders_reviewreason"' not in query["sql"]])  # one a reason

    few = counted(skus[:2])
    assert counted(skus[2:]) <= few + 2
    assert not Order.objects.filter(lines__sku__isnull=True).exists()


def test_listings_are_imported_daily_matched_and_their_orders_moved_on(shop, chair, monkeypatch):
    class Mall:
        def list_listings(self):
            yield [ListingInfo("A", "CH-BK01", "オフィスチェア", 3, jan=""), ListingInfo("B", "zz-1", "謎の品", 1)]

    monkeypatch.setattr(shops, "connector_of", lambda connection: Mall())
    order = waiting_order(shop, "CH-BK01")
    sent = []
    monkeypatch.setattr(tasks.import_listings, "delay", lambda *what: sent.append(what))
    tasks.listings_due()
    tasks.listings_due()
    [(connection_id, _nobody)] = sent
    tasks.import_listings(connection_id, 0)
    mapped = Listing.objects.get(code="A")
    assert mapped.sku == chair and mapped.seen_at and order.lines.get().sku == chair
    assert mapping_state.counts().unmapped == 1
    assert ListingEvent.objects.get().how == "import"
    assert listings.due() == []


def test_a_reading_that_broke_off_is_due_again_after_half_a_day(shop, monkeypatch):
    class Mall:
        def list_listings(self):
            yield [ListingInfo("A", "CH-BK01", "オフィスチェア", 3, jan="")]
            raise ChannelDown("後半を読めません。")

    monkeypatch.setattr(shops, "connector_of", lambda connection: Mall())
    [connection_id] = listings.due()
    tasks.import_listings(connection_id, 0)
    assert Listing.objects.filter(code="A").exists() and listings.due() == []
    later = clock.now() + listings.TRIED_AGAIN_AFTER + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert listings.due() == [connection_id]


def test_an_import_of_listings_leaves_what_a_person_decided_meanwhile(shop, chair):
    connection = make_connection()
    listing = make_listing(shop, "A", channel_sku="zz-1")
    listings.store(connection, [ListingInfo("A", "zz-1", "古い名前", 3)])
    mapping.map_code(shop, "zz-1", chair, units=3)
    listings.store(connection, [ListingInfo("A", "zz-1", "新しい名前", 4)])
    listing.refresh_from_db()
    assert (listing.sku, listing.units, listing.name, listing.confirmed) == (chair, 3, "新しい名前", 4)


def test_a_rule_is_edited_on_screen_and_helps_at_once(shop, chair, aoi, ben, client_of):
    make_listing(shop, "shop1-CH-BK01-2set", name="x")
    client, url = client_of(aoi), reverse("channels:match-rule-add")
    wrong = client.post(url, {"kind": "units", "pattern": "(", "position": 1, "active": "on"})
    assert "正規表現として読めません" in wrong.content.decode()
    client.post(url, {"kind": "prefix", "pattern": "shop1-", "position": 1, "active": "on", "shop": shop.pk})
    client.post(url, {"kind": "units", "pattern": r"-(\d+)set$", "position": 2, "active": "on"})
    proposal = Proposal.objects.get()
    assert (proposal.sku, proposal.units, proposal.reason) == (chair, 2, "rule")
    assert "shop1-" in client.get(reverse("channels:match-rules")).content.decode()
    rule = MatchRule.objects.get(kind="prefix")
    assert client_of(ben).post(reverse("channels:match-rule-delete", args=[rule.pk])).status_code == 403
    client.post(reverse("channels:match-rule-delete", args=[rule.pk]))
    assert not Proposal.objects.filter(reason="rule").exists()


def test_each_kind_of_warning_lists_its_listings(shop, chair, ben, client_of):
    make_listing(shop, "A", sku=chair)
    make_listing(shop, "B", sku=chair, mode="sold_out")
    make_listing(shop, "C", sku=make_sku("DESK"), mode="stopped")
    old = make_sku("OLD")
    Sku.objects.filter(pk=old.pk).update(active=False)
    make_listing(shop, "D", sku=old)
    make_listing(shop, "E", sku=old, mode="sold_out")

    def codes(kind):
        page = client_of(ben).get(reverse("channels:mapping-warnings", args=[kind]))
        assert page.status_code == 200
        return [row.code for row in page.context["page"]]

    assert codes("twins") == ["A", "B", "D", "E"]
    assert codes("no_sync") == ["C"]
    assert codes("discontinued") == ["D"]
    assert codes("vanished") == []
    assert client_of(ben).get("/channels/mapping-warnings/nonsense/").status_code == 404


def test_a_listing_that_the_mall_no_longer_lists_is_told(shop, ben, client_of):
    make_listing(shop, "GONE", seen_at=clock.now() - timedelta(days=1))
    make_listing(shop, "HERE", seen_at=clock.now())
    assert [row.code for row in mapping_state.warned("vanished")] == ["GONE"]


def test_taking_away_and_deleting_keep_a_history_nobody_can_change(shop, chair, aoi, ben, client_of):
    listing = make_listing(shop, "A", sku=chair, units=2, desired=4, desired_at="2026-11-28T00:00:00Z")
    client, url = client_of(aoi), reverse("channels:listing-take-away", args=[listing.pk])
    assert client_of(ben).post(url).status_code == 403 and client.get(url).status_code == 405
    client.post(url, {"unmap": "1"})
    listing.refresh_from_db()
    assert listing.sku is None and listing.desired_at is None
    client.post(url, {"delete": "1"})
    assert not Listing.objects.exists()
    assert list(ListingEvent.objects.order_by("pk").values_list("kind", "before", "after")) == [
        ("unmapped", "CH-BK01 ×2", ""),
        ("deleted", "", ""),
    ]
    text = client_of(ben).get(reverse("channels:mapping-history"), {"q": "A"}).content.decode()
    assert "対応の解除" in text and "CH-BK01 ×2" in text
    with pytest.raises(Exception, match="append-only"):
        ListingEvent.objects.update(before="x")


def test_the_list_of_proposals_makes_a_fixed_number_of_queries(shop, chair, ben, client_of):
    client, url = client_of(ben), reverse("channels:proposals")

    def counted():
        with CaptureQueriesContext(database) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    make_listing(shop, "CH-BK01-0")
    matching.propose()
    client.get(url)
    few = counted()
    for number in range(1, 9):
        make_listing(shop, f"CH-BK01-{number}")
    matching.propose()
    assert counted() == few < 22


def test_ben_may_look_but_not_decide(shop, chair, ben, chie, client_of):
    make_listing(shop, "CH-BK01-A")
    matching.propose()
    client = client_of(ben)
    for name in ("channels:proposal-accept", "channels:propose"):
        assert client.post(reverse(name), {"sure": "1"}).status_code == 403
        assert client.get(reverse(name)).status_code in {403, 405}
    assert client.get(reverse("channels:match-rule-add")).status_code == 403
    assert client_of(chie).get(reverse("channels:proposals")).status_code == 403
    assert "選んだ候補に決める" not in client.get(reverse("channels:proposals")).content.decode()

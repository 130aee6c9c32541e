"""個人情報の消去: after the shop's days the people are gone from all that is kept of an order, and the figures stay."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.models import RawOrder
from channels.services import credentials
from customers.models import Identity, Member, MemberNote
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from orders.decide.privacy import GONE, days_of, is_longer_than_allowed
from orders.models import (
    LegalHold,
    MoveIn,
    MoveInRow,
    Order,
    OrderEvent,
    PrivacyEvent,
    PurgedOrder,
    Retention,
)
from orders.services import attachments, journal, mail, privacy, promises, returns, review
from orders.services import stage as stages
from orders.services.audit import violations
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor, Entry
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
SECRETS = ("佐藤", "サトウ", "090-1234-5678", "09012345678", "megumi@example.com", "三軒茶屋", "メゾン青葉", "青い屋根")


@pytest.fixture
def shop():
    shop = make_shop()
    Retention.objects.create(shop=shop, days=90)
    return shop


def ended(shop, *, days_ago: int = 100, **fields) -> Order:
    """An order that was shipped and completed so long ago."""
    told = make_channel_order(remarks="青い屋根の家です。", message_card="佐藤より", **fields)
    take_in(shop, [told], sku_of=mapped(make_sku(stock_units=50)))
    order = Order.objects.get(channel_order_no=told.channel_order_no)
    review.accept([order.pk], actor=SYSTEM, note="佐藤様に電話した")
    allocate_waiting()
    sent = instruct_orders([order.pk], actor=SYSTEM).shipments
    confirm_shipments([Departure(parcel, "yamato", "471203984414") for parcel in sent], actor=SYSTEM)
    grow_old(order, days_ago)
    return Order.objects.get(pk=order.pk)


def grow_old(order: Order, days: int) -> None:
    moment = clock.now() - timedelta(days=days)
    Order.objects.filter(pk=order.pk).update(shipped_at=moment, imported_at=moment, ordered_at=moment)
    with transaction.atomic():
        stages.recompute([order.pk])


def everywhere() -> str:
    """Every row of every table that has to do with orders and people, as text; papers and money apart."""
    kept = {"orders_issueddocument", "orders_storedpdf", "orders_paymententry", "orders_bankline", "kernel_user"}
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
            "AND table_name ~ '^(orders|customers|fulfillment|channels|kernel|inventory)_'"
        )
        for (table,) in cursor.fetchall():
            if table not in kept:
                cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
                found += [f"{table}: {row[0]}" for row in cursor.fetchall()]
    return "\n".join(found)


def test_nothing_names_the_buyer_any_more_and_amounts_goods_and_dates_stay(shop, aoi):
    order = ended(shop)
    assert order.stage == "completed" and "佐藤" in everywhere()
    before = Order.objects.values(
        "total", "goods", "quantity", "shipped_at", "stage", "buyer_prefecture", "recipient_prefecture"
    ).get()
    raw = RawOrder.objects.create(
        shop=shop, channel_order_no=order.channel_order_no, digest="d", content_type="json", is_current=True,
        payload=credentials.encrypt("佐藤".encode()), applied=True, first_seen_at=order.imported_at,
        last_seen_at=order.imported_at,
    )  # fmt: skip
    assert privacy.erase_due(actor=SYSTEM) == 1
    left = everywhere()
    assert not [secret for secret in SECRETS if secret in left], [
        line[:300] for line in left.split("\n") if any(secret in line for secret in SECRETS)
    ]
    raw.refresh_from_db()
    assert credentials.decrypt(bytes(raw.payload)) == b"{}" and raw.digest == "d"
    after = Order.objects.get()
    assert {name: getattr(after, name) for name in before} == before
    assert (after.buyer_name, after.recipient_name, after.lines.get().sku.code) == (GONE, GONE, "CHAIR")
    assert privacy.erase_due(actor=SYSTEM) == 0
    assert PrivacyEvent.objects.filter(kind="erased").get().count == 1
    assert violations() == []


def test_the_order_is_still_found_by_its_number_and_its_page_opens(shop, client_of, aoi):
    order = ended(shop)
    privacy.erase_due(actor=SYSTEM)
    client = client_of(aoi)
    assert GONE in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert order.channel_order_no in client.get("/orders/", {"q": order.channel_order_no}).content.decode()
    assert order.channel_order_no not in client.get("/orders/", {"q": "佐藤"}).content.decode()
    assert "CHAIR" in Order.objects.get().search.upper()


def test_attached_files_conversations_mails_and_edits_go_too(
    shop, aoi, tmp_path, settings, django_capture_on_commit_callbacks
):
    settings.ATTACHMENTS = str(tmp_path)
    order, actor = ended(shop), Actor(aoi)
    stored = attachments.attach(order.pk, attachments.Upload("佐藤様.txt", "佐藤様".encode(), "三軒茶屋"), actor=actor)
    attachments.write_talk(order.pk, "phone_in", "佐藤様より電話", key="t", actor=actor)
    mail.schedule_for([order.pk], "inquiry", suffix=":x", extra={"mail.message": "佐藤様"}, draft=True)
    journal.write([Entry(order.pk, "edited", "佐藤", {"buyer_name": ("佐藤", "鈴木")})], actor=actor)
    path = attachments.path_of(stored.place)
    assert path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        privacy.erase_due(actor=SYSTEM)
    left = everywhere()
    assert not path.exists() and not [secret for secret in SECRETS if secret in left]
    assert OrderEvent.objects.filter(order=order, kind="edited", by=aoi).exists(), "that it was edited stays"


def test_an_order_that_is_exempt_open_or_young_is_left_alone(shop, aoi):
    exempt, young, returned = ended(shop), ended(shop, days_ago=80), ended(shop)
    take_in(shop, [make_channel_order()], sku_of=mapped(make_sku()))
    privacy.hold(exempt.channel_order_no, "係争中", actor=Actor(aoi))
    returns.open_case(returned.pk, {returned.lines.get().pk: 1}, reason="customer", key="r", actor=Actor(aoi))
    grow_old(returned, 100)
    assert privacy.erase_due(actor=SYSTEM) == 0
    assert privacy.lift(exempt.pk, actor=Actor(aoi)) and not privacy.lift(exempt.pk, actor=Actor(aoi))
    assert privacy.erase_due(actor=SYSTEM) == 1
    assert PurgedOrder.objects.get().order == exempt
    assert Order.objects.get(pk=young.pk).buyer_name == TOKYO_PARTY.name


def test_a_member_is_forgotten_with_the_last_order_and_is_a_new_one_when_buying_again(shop):
    first, second = ended(shop), ended(shop, days_ago=80)
    member = Member.objects.get()
    privacy.erase_due(actor=SYSTEM)
    assert Member.objects.get().name == TOKYO_PARTY.name, "another order still knows the person"
    grow_old(second, 100)
    privacy.erase_due(actor=SYSTEM)
    member.refresh_from_db()
    assert (member.name, member.phone, Identity.objects.count()) == (GONE, "", 0)
    assert first.member_id == second.member_id == member.pk
    take_in(shop, [make_channel_order()], sku_of={})
    assert Order.objects.latest("pk").member_id != member.pk


def test_what_was_promised_on_an_order_stays_with_the_member_and_goes_with_the_member(shop, aoi):
    first, second = ended(shop), ended(shop, days_ago=80)
    promises.give(first.pk, "佐藤様にサンプル", actor=Actor(aoi))
    privacy.erase_due(actor=SYSTEM)
    assert MemberNote.objects.get().source_order == first.pk, "the member may still order again"
    event = OrderEvent.objects.get(order=first, kind="promised")
    assert not event.values.exists() and event.by == aoi, "that it was promised stays on the order, the words do not"
    grow_old(second, 100)
    privacy.erase_due(actor=SYSTEM)
    left = everywhere()
    assert not MemberNote.objects.exists() and not [secret for secret in SECRETS if secret in left]
    with pytest.raises(promises.NoMember):
        promises.give(first.pk, "佐藤様にサンプル", actor=Actor(aoi))


def test_what_is_written_after_the_erasing_is_erased_the_next_time(shop, aoi):
    order = ended(shop)
    privacy.erase_due(actor=SYSTEM)
    Order.objects.filter(pk=order.pk).update(internal_note="佐藤様から電話", version=99)
    assert privacy.erase_due(actor=SYSTEM) == 1
    assert Order.objects.get().internal_note == ""


def test_files_of_a_former_system_lose_their_words_after_a_quarter(aoi):
    def moved(state: str, days: int) -> MoveIn:
        at = clock.now() - timedelta(days=days)
        move = MoveIn.objects.create(
            kind="orders", name="f.csv", encoding="utf-8", delimiter=",", state=state, at=at, touched_at=at, by=aoi
        )
        MoveInRow.objects.create(move=move, line=1, cells=["佐藤"], outcome="created")
        return move

    old, young, dropped = moved("applied", 91), moved("applied", 89), moved("read", 91)
    privacy.erase_due(actor=SYSTEM)
    assert (old.rows.get().cells, old.rows.get().outcome) == ([], "created")
    assert young.rows.get().cells == ["佐藤"] and not dropped.rows.exists()


def test_a_batch_that_fails_leaves_everything_as_it_was(shop, monkeypatch):
    ended(shop)

    def fails(_orders):
        raise InternalError("full disk")

    monkeypatch.setattr(privacy, "ERASERS", [fails])
    with pytest.raises(InternalError), transaction.atomic():
        privacy.erase_due(actor=SYSTEM)
    assert Order.objects.get().buyer_name == TOKYO_PARTY.name and not PurgedOrder.objects.exists()


def test_the_journal_stays_protected_outside_of_the_erasing(shop):
    order = ended(shop)
    privacy.erase_due(actor=SYSTEM)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderEvent.objects.filter(order=order).update(text="anders")
    with pytest.raises(IntegrityError), transaction.atomic():
        PrivacyEvent.objects.all().delete()


def test_each_channel_has_its_days_unless_the_company_says_otherwise():
    assert days_of("amazon", own=None, has_own=False) == 30 and days_of("rakuten", own=None, has_own=False) is None
    assert days_of("amazon", own=60, has_own=True) == 60 and days_of("amazon", own=None, has_own=True) is None
    assert is_longer_than_allowed("amazon", 60) and is_longer_than_allowed("amazon", None)
    assert not is_longer_than_allowed("amazon", 30) and not is_longer_than_allowed("rakuten", None)


# ---- the screen


def test_days_are_set_on_the_page_with_what_is_due_and_stand_in_the_record(client_of, aoi):
    shop = make_shop()
    ended(shop)
    client = client_of(aoi)
    url = reverse("orders:privacy-days", args=[shop.pk])
    assert client.post(url, {"days": "90"}).status_code == 302
    page = client.get(reverse("orders:privacy"))
    assert [(row.days, row.own, row.due) for row in page.context["shops"]] == [(90, True, 1)]
    assert "無期限 → 90日間" in page.content.decode()
    client.post(url, {"days": "90"})
    assert PrivacyEvent.objects.filter(kind="days").count() == 1
    client.post(url, {"days": ""})
    assert Retention.objects.get().days is None


@pytest.mark.parametrize(("typed", "said"), [("3", "7 日から"), ("abc", "数字で"), ("99999", "7 日から")])
def test_days_that_make_no_sense_are_refused_in_words(client_of, aoi, typed, said):
    shop = make_shop()
    answer = client_of(aoi).post(reverse("orders:privacy-days", args=[shop.pk]), {"days": typed})
    assert answer.status_code == 200 and said in answer.content.decode() and not Retention.objects.exists()


def test_orders_are_exempted_and_released_on_the_page(client_of, aoi, shop):
    order = ended(shop)
    client = client_of(aoi)
    url = reverse("orders:privacy-hold")
    unknown = client.post(url, {"number": "X-9", "reason": "係争中"})
    assert "見つかりません" in unknown.content.decode()
    assert client.post(url, {"number": order.channel_order_no, "reason": "係争中"}).status_code == 302
    client.post(url, {"number": order.channel_order_no, "reason": "もう一度"})
    assert LegalHold.objects.get().reason == "係争中"
    assert "係争中" in client.get(reverse("orders:privacy")).content.decode()
    client.post(reverse("orders:privacy-lift", args=[order.pk]))
    assert not LegalHold.objects.exists()


def test_only_administrators_see_and_change_it(client_of, ben, chie, person_with, shop):
    order = ended(shop)
    posts = [
        reverse("orders:privacy-days", args=[shop.pk]),
        reverse("orders:privacy-hold"),
        reverse("orders:privacy-lift", args=[order.pk]),
    ]
    for person in (ben, chie, person_with("shift_lead")):
        client = client_of(person)
        assert client.get(reverse("orders:privacy")).status_code == 403
        assert [client.post(url).status_code for url in posts] == [403, 403, 403]


def test_the_page_asks_the_same_number_of_queries_for_one_shop_and_for_many(client_of, aoi):
    client = client_of(aoi)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("orders:privacy"))
        return len(seen)

    Retention.objects.create(shop=make_shop(), days=90)
    client.get(reverse("orders:privacy"))
    one = asked()
    for n in range(5):
        Retention.objects.create(shop=make_shop(f"s-{n}"), days=100 + n)
    assert asked() == one

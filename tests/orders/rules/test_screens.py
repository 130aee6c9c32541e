"""The rules' screens: building without JavaScript, publishing, trying out, lists, ready-made rules, rights."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from customers.services import ranks
from fulfillment.services.allocate import allocate_waiting
from oms.kernel import clock
from oms.kernel.models import SettingVersion
from orders.channel_order import PaymentMethod
from orders.decide.rules.document import blank, check
from orders.models import BulkRun, Mail, Order, OrderEvent, OrderTask, Rule, RuleList, RuleMark, RuleVersion
from orders.services.intake import take_in
from orders.services.rules import active, dry, publish, ready_made, sweep
from orders.services.rules import run as rules
from tests.orders.builders import make_channel_order, make_location, make_shop, make_sku, mapped
from tests.orders.rules.builders import cond, do, document, group, make_rule

pytestmark = pytest.mark.django_db
NEW = "/orders/rules/new/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(client_of, aoi):
    return client_of(aoi)


def take(*orders):
    take_in(make_shop(), list(orders), sku_of=mapped(make_sku(stock_units=50)))
    return list(Order.objects.order_by("pk"))


def posted(**more):
    """A builder's form with one condition and one action."""
    return {
        "name": "高額", "priority": "100", "event": "imported",
        "node": ["if", "if.0"], "match-if": "all",
        "field-if.0": "total", "op-if.0": "ge", "value-if.0": "1000",
        "act": ["then.0"], "do-then.0": "add_tag", "p-then.0-tag": "高額",
        "seen-then.0": "add_tag", "undo-then.0": "on",
        **more,
    }  # fmt: skip


def test_a_rule_is_built_saved_and_published_with_plain_forms(client):
    answer = client.post(NEW, posted(save="1"))
    rule = Rule.objects.get()
    assert answer["Location"] == reverse("orders:rule", args=[rule.pk]) and not rule.is_active
    assert "合計金額が1,000以上" in client.get(answer["Location"]).content.decode()
    client.post(reverse("orders:rule-publish", args=[rule.pk]))
    [order] = take(make_channel_order())
    assert order.tags == ["高額"]


def test_buttons_grow_and_shrink_the_tree_without_saving(client):
    page = client.post(NEW, posted(change="add-group:if")).context["node"]
    assert [item.get("group", False) for item in page["items"]] == [False, True]
    nested = {"node": ["if", "if.0", "if.1"], "match-if.1": "any", "change": "add-condition:if.1"}
    page = client.post(NEW, posted(**nested)).context["node"]
    assert len(page["items"][1]["items"]) == 1
    page = client.post(NEW, posted(change="remove:if.0")).context["node"]
    assert page["items"] == [] and Rule.objects.count() == 0
    assert client.post(NEW, posted(change="add-action:else"), headers=HTMX).content.decode().count('name="act"') == 2


def test_faults_are_shown_where_they_are_and_nothing_is_saved(client):
    wrong = posted(save="1", **{"value-if.0": "たくさん", "p-then.0-tag": ""})
    answer = client.post(NEW, wrong)
    assert answer.status_code == 200 and Rule.objects.count() == 0
    assert answer.context["node"]["items"][0]["errors"] == ["数を入力してください。"]
    assert answer.context["then_rows"][0]["errors"] == ["「タグ」を入力してください。"]
    assert "たくさん" in answer.content.decode()


def test_a_builder_may_begin_from_an_order_and_its_reason(client):
    [order] = take(make_channel_order(remarks="色は何色ですか？", payment_method=PaymentMethod.COD))
    for page in (reverse("orders:detail", args=[order.pk]), reverse("orders:inbox")):
        assert f"{NEW}?order={order.pk}&amp;reason=buyer_note" in client.get(page).content.decode()
    page = client.get(NEW, {"order": order.pk, "reason": "buyer_note"})
    assert page.context["name"] == "備考あり" and page.context["document"]["shops"] == [order.shop.code]
    assert check(page.context["document"], active.known()).faults == []


def test_versions_are_kept_compared_and_brought_back(client):
    rule = make_rule("高額", cond("total", "ge", 1000), then=do("add_tag", tag="高額"))
    edit = reverse("orders:rule-edit", args=[rule.pk])
    client.post(edit, posted(save="1", note="上げた", **{"value-if.0": "2000"}))
    rule.refresh_from_db()
    assert rule.published == 1 and RuleVersion.objects.count() == 2
    client.post(edit, posted(publish="1", **{"value-if.0": "3000"}))
    rule.refresh_from_db()
    assert rule.published == 2 and RuleVersion.objects.count() == 2
    page = client.get(reverse("orders:rule", args=[rule.pk])).content.decode()
    assert "合計金額が1,000以上" in page and "合計金額が3,000以上" in page
    client.post(reverse("orders:rule-roll-back", args=[rule.pk]), {"number": 1})
    rule.refresh_from_db()
    assert rule.published == 3 and rule.versions.get(number=3).document["if"]["items"][0]["value"] == 1000


def test_a_published_version_does_not_change_and_a_paused_rule_rests(client):
    rule = make_rule("高額", then=do("add_tag", tag="A"))
    client.post(reverse("orders:rule-pause", args=[rule.pk]))
    [order] = take(make_channel_order())
    assert order.tags == []
    client.post(reverse("orders:rule-pause", args=[rule.pk]), {"resume": "1"})
    rule.refresh_from_db()
    assert rule.is_active


def test_a_draft_is_published_at_its_time(client, monkeypatch):
    version = publish.create("予約", document(then=do("add_tag", tag="A")), by=None)
    url = reverse("orders:rule-publish", args=[version.rule_id])
    client.post(url, {"at": "2020-01-01T00:00"})
    version.refresh_from_db()
    assert version.publish_at is None
    client.post(url, {"at": (clock.in_tokyo(clock.now()) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")})
    assert publish.publish_due() == 0
    later = clock.now() + timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert publish.publish_due() == 1 and Rule.objects.get().is_active


def test_story_21_a_dry_run_lists_exactly_the_orders_that_would_change_and_publishing_does_the_same(client):
    make_rule("既存", cond("total", "ge", 100), then=do("set_priority", priority="1"), priority=50)
    rule = make_rule("高額", cond("total", "ge", 1400), then=do("add_tag", tag="高額"))
    orders = take(*(make_channel_order(shipping=fee) for fee in (100, 300, 500, 700, 900)))
    newer = document(cond("total", "ge", 1600), then=[do("add_tag", tag="高額"), do("set_priority", priority="2")],
                     otherwise=do("flag"), priority=60)  # fmt: skip
    draft = publish.save_draft(rule.pk, "高額", newer, by=None)
    events = OrderEvent.objects.count()
    page = client.get(reverse("orders:rule-dry", args=[rule.pk]))
    tried = page.context["tried"]
    assert OrderEvent.objects.count() == events and RuleMark.objects.filter(version=2).count() == 0
    assert (tried.looked, tried.hits_before, tried.hits) == (5, 3, 2)
    foretold = {change.order_id: (len(change.does), len(change.takes_back)) for change in tried.changes}
    # below 1,400: marked important; 1,500: also loses its tag; above: nothing (the older rule keeps the priority)
    assert foretold == {orders[0].pk: (1, 0), orders[1].pk: (1, 0), orders[2].pk: (1, 1)}
    sides = {row["change"].order_id: row["sides"] for row in page.context["shown"]}[orders[2].pk]
    assert (sides.now.matched, sides.now.does) == (True, ["タグを付ける（高額）"])
    assert (sides.then.matched, sides.then.does) == (False, ["重要の印を付ける"])
    sheet = client.get(reverse("orders:rule-dry-csv", args=[rule.pk])).content.decode("utf-8-sig")
    assert len(sheet.splitlines()) == 4 and orders[2].channel_order_no in sheet

    publish.publish(draft.pk, by=None)
    rules.run([order.pk for order in orders], {}, every=True)
    done = {
        order.pk: (
            OrderEvent.objects.filter(order=order, kind="rule", text__contains="第2版").count(),
            OrderEvent.objects.filter(order=order, kind="rule_undone").count(),
        )
        for order in orders
    }
    assert {pk: counts for pk, counts in done.items() if any(counts)} == foretold
    compiled = active.compiled(rule.pk, 2, rule.name, draft.document)
    assert dry.try_rule(compiled).changes == []


def test_a_draft_is_thrown_away_and_a_rule_that_was_never_published_goes_with_it(client):
    rule = make_rule("高額", then=do("add_tag", tag="A"))
    publish.save_draft(rule.pk, "高額", document(then=do("add_tag", tag="B")), by=None)
    fresh = publish.create("新しい", document(then=do("flag")), by=None).rule
    for one in (rule, fresh, rule):
        client.post(reverse("orders:rule-drop", args=[one.pk]))
    assert [(one.name, one.versions.count(), one.is_active) for one in Rule.objects.all()] == [("高額", 1, True)]


def test_the_builder_asks_for_a_day_or_a_number_where_the_choice_needs_one(client):
    def asked(mode):
        more = {"do-then.0": "set_planned_date", "seen-then.0": "set_planned_date", "p-then.0-mode": mode}
        return [
            param["name"].rpartition("-")[2]
            for param in client.post(NEW, posted(**more)).context["then_rows"][0]["params"]
        ]

    assert [asked(mode) for mode in ("", "fixed", "shift")] == [["mode"], ["mode", "date"], ["mode", "days"]]
    more = {
        "do-then.0": "set_planned_date",
        "seen-then.0": "set_planned_date",
        "p-then.0-mode": "shift",
        "p-then.0-days": "-3",
    }
    page = client.post(NEW, posted(**more))
    assert "出荷予定日を変える: 今の日付から3日まえ" in page.content.decode()


def test_a_group_inside_a_group_over_lines_is_judged_by_its_lines(client):
    inside = group("any", cond("line.sku", "is", "CHAIR"), cond("line.price", "ge", 10**6))
    rule = make_rule("行", group("lines_any", inside), then=do("flag"))
    [order] = take(make_channel_order())
    root = client.get(reverse("orders:rule-test", args=[rule.pk]), {"no": order.pk}).context["root"]
    [over_lines] = root["parts"]
    assert (root["result"], over_lines["result"], over_lines["parts"][0]["result"]) == (True, True, True)
    assert [one["result"] for one in over_lines["parts"][0]["parts"]] == [True, False]
    assert order.channel_order_no in client.get(reverse("orders:rule-test", args=[rule.pk])).content.decode()


def test_one_order_shows_each_condition_with_its_value(client):
    rule = make_rule("二つ", cond("total", "ge", 1000), cond("prefecture", "is", "沖縄県"), then=do("add_tag", tag="A"))
    [order] = take(make_channel_order())
    page = client.get(reverse("orders:rule-test", args=[rule.pk]), {"no": order.channel_order_no})
    root = page.context["root"]
    assert (root["result"], [part["result"] for part in root["parts"]]) == (False, [True, False])
    assert [part["value"] for part in root["parts"]] == ["1500", "東京都"]
    assert "見つかりません" in client.get(reverse("orders:rule-test", args=[rule.pk]), {"no": "?"}).content.decode()


def test_the_order_page_tells_what_the_rules_said(client):
    make_rule("先", then=do("set_priority", priority="1"), priority=1)
    make_rule("後", then=do("set_priority", priority="2"), priority=2)
    make_rule("違う", cond("total", "lt", 0), then=do("flag"))
    [order] = take(make_channel_order())
    text = client.get(reverse("orders:order-rules", args=[order.pk]), headers=HTMX).content.decode()
    assert "「先」が優先されました" in text and "当てはまらなかったルール 1件" in text
    assert "優先度: 高" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()


def test_every_ready_made_rule_installs_as_a_draft_that_may_be_published(client):
    make_sku("GIFT")
    place, _shop = make_location(), make_shop("honten", channel="futureshop", channel_label="本店")
    make_shop()
    assert client.get(reverse("orders:rule-templates")).status_code == 200

    for one in (*ready_made.EXAMPLES, *ready_made.STANDARD):
        client.post(reverse("orders:rule-templates"), {"code": one.code, "sku": "GIFT", "location": place.code})
    assert Rule.objects.count() == len(ready_made.BY_CODE) and not Rule.objects.exclude(published=None).exists()
    for rule in Rule.objects.all():
        publish.publish(publish.newest(rule).pk, by=None)
    take(make_channel_order())
    assert Order.objects.get().rule_trace.rows
    again = client.post(reverse("orders:rule-templates"), {"code": "far-wish"})
    assert again.status_code == 302 and Rule.objects.count() == len(ready_made.BY_CODE)


def test_lists_are_typed_or_uploaded_and_conditions_use_them(client):
    url = reverse("orders:rule-lists")
    client.post(url, {"name": "災害地域", "values": "154\n154\n907-"})
    assert RuleList.objects.get().values == ["154", "907-"]
    make_rule("災害", cond("postal_code", "prefix_in_list", "災害地域"), then=do("add_tag", tag="災害"))
    assert take(make_channel_order())[0].tags == ["災害"]
    file = SimpleUploadedFile("x.csv", "郵便,名\n1540024,世田谷\n".encode("cp932"))
    client.post(url, {"name": "災害地域", "values": "", "file": file})
    assert RuleList.objects.get().values == ["郵便", "1540024"]
    bad = SimpleUploadedFile("x.csv", b"\xff\xff\x81")
    assert "文字コード" in client.post(url, {"name": "x", "values": "", "file": bad}).content.decode()


def test_bulk_tags_are_undone_and_the_log_has_both(client):
    orders = take(*(make_channel_order() for _ in range(3)))
    ids = [order.pk for order in orders]

    def bulk(action, **fields):
        preview = client.post("/orders/bulk/", {"action": action, "ids": ids})
        return client.post(f"{preview['Location']}run/", fields, follow=True)

    result = bulk("add_tag", tag="至急対応")
    assert "3件にタグを付けました" in result.content.decode()
    assert "至急対応" in client.get("/orders/?tag=至急対応").content.decode()
    assert client.post(f"/orders/bulk/{BulkRun.objects.get().pk}/undo/").status_code == 302
    assert {tuple(order.tags) for order in Order.objects.all()} == {()}
    assert OrderEvent.objects.filter(kind="tagged").count() == OrderEvent.objects.filter(kind="untagged").count() == 3
    bulk("priority", priority="2")
    bulk("important", important="1")
    assert set(Order.objects.values_list("priority", "important")) == {(2, True)}
    for run in BulkRun.objects.filter(action__in=["priority", "important"]):
        client.post(f"/orders/bulk/{run.pk}/undo/")
    assert set(Order.objects.values_list("priority", "important")) == {(0, False)}


def test_running_the_rules_anew_previews_what_would_change(client):
    orders = take(make_channel_order(), make_channel_order())
    make_rule("全部", then=do("add_tag", tag="A"))
    preview = client.post("/orders/bulk/", {"action": "rerun_rules", "ids": [o.pk for o in orders]}, follow=True)
    assert "全部: タグを付ける（A）: 2件" in preview.content.decode() and not RuleMark.objects.exists()
    key = preview.context["run"].key
    client.post(f"/orders/bulk/{key}/run/", follow=True)
    assert [order.tags for order in Order.objects.all()] == [["A"], ["A"]]


def test_labels_of_one_order_are_edited_in_a_dialog(client, aoi):
    [order] = take(make_channel_order())
    client.post(
        reverse("orders:labels", args=[order.pk]),
        {"tags": "A、B", "important": "on", "priority": "1", "assignee": aoi.pk},
    )
    order.refresh_from_db()
    assert (order.tags, order.important, order.priority, order.assignee) == (["A", "B"], True, 1, aoi)
    client.post(reverse("orders:labels", args=[order.pk]), {"tags": "B", "priority": "0"})
    order.refresh_from_db()
    assert (order.tags, order.important, order.priority, order.assignee) == (["B"], False, 0, None)


def test_tasks_are_listed_and_finished_once(client):
    make_rule("作業", then=do("create_task", text="電話する", hours=24))
    [order] = take(make_channel_order())
    task = OrderTask.objects.get()
    assert "電話する" in client.get(reverse("orders:tasks"), {"all": 1}).content.decode()
    for _ in range(2):
        client.post(reverse("orders:task-done", args=[task.pk]), {"list": 1})
    assert OrderEvent.objects.filter(order=order, kind="task_done").count() == 1


def test_a_task_for_a_store_is_seen_and_done_there_alone(client_of, person_with):
    here, there = make_location("S1", name="銀座店", kind="store"), make_location("S2", name="渋谷店", kind="store")
    make_rule("店", then=do("create_task", text="お客様に電話", location="S1"))
    [order] = take(make_channel_order())
    own, other, operator = person_with("store_staff"), person_with("store_manager"), person_with("operator")
    for person, place in ((own, here), (other, there)):
        person.place_ids = [place.pk]
        person.save(update_fields=["place_ids"])
    url, task = reverse("orders:tasks"), OrderTask.objects.get()
    assert "お客様に電話" not in client_of(operator).get(url).content.decode()
    assert "銀座店" in client_of(operator).get(url, {"all": 1}).content.decode()
    assert "お客様に電話" not in client_of(other).get(url, {"all": 1}).content.decode()
    done = reverse("orders:task-done", args=[task.pk])
    assert client_of(other).post(done, {"list": 1}).status_code == 404
    page = client_of(own).get(url).content.decode()
    assert "お客様に電話" in page and done in page
    client_of(own).post(done, {"list": 1})
    assert OrderEvent.objects.get(order=order, kind="task_done").by == own


def test_tasks_of_others_are_not_done_by_who_may_not_change_orders(client_of, person_with):
    make_rule(
        "作業",
        then=[do("create_task", text="確かめる", team="operator"), do("create_task", text="数える", team="accounting")],
    )
    take(make_channel_order())
    accounting = person_with("accounting")
    for text, status in (("確かめる", 403), ("数える", 302)):
        task = OrderTask.objects.get(text=text)
        assert (
            client_of(accounting).post(reverse("orders:task-done", args=[task.pk]), {"list": 1}).status_code == status
        )


def test_the_warehouse_sees_and_does_its_own_tasks_without_the_right_to_all_orders(client_of, person_with):
    make_rule(
        "作業",
        then=[
            do("create_task", text="箱を替える", team="warehouse"),
            do("create_task", text="確かめる", team="operator"),
        ],
    )
    [order] = take(make_channel_order())
    client, url = client_of(person_with("warehouse")), reverse("orders:tasks")
    for asked in ({}, {"all": 1}):
        page = client.get(url, asked).content.decode()
        assert "箱を替える" in page and "確かめる" not in page
        assert order.channel_order_no in page and order.item_summary in page
        assert reverse("orders:detail", args=[order.pk]) not in page
    assert client.get(reverse("orders:detail", args=[order.pk])).status_code == 403
    home = client.get(reverse("pages:home"))
    assert home.context["tasks"].n == 1 and url in home.content.decode()
    done = reverse("orders:task-done", args=[OrderTask.objects.get(text="箱を替える").pk])
    assert client.post(done).url == url
    assert OrderTask.objects.get(text="箱を替える").done_at
    others = reverse("orders:task-done", args=[OrderTask.objects.get(text="確かめる").pk])
    assert client.post(others).status_code == 403


def test_who_answers_for_a_rule_is_changed_with_a_version(client, client_of, person_with, aoi):
    rule, lead = make_rule("高額", then=do("flag")), person_with("shift_lead")
    operator = person_with("operator")
    changed = Rule.objects.get(pk=rule.pk).changed_at
    url = reverse("orders:rule-owner", args=[rule.pk])
    assert url in client.get(reverse("orders:rule", args=[rule.pk])).content.decode()
    assert client.post(url, {"owner": operator.pk}).status_code == 200  # may not manage rules
    assert client.post(url, {"owner": lead.pk}).url == reverse("orders:rule", args=[rule.pk])
    rule = Rule.objects.get(pk=rule.pk)
    assert (rule.owner, rule.changed_at) == (lead, changed)
    kept = SettingVersion.objects.filter(kind="rule_owner", ref=str(rule.pk)).latest("number")
    assert (kept.by, kept.how) == (aoi, "changed")
    assert client_of(operator).get(url).status_code == 403
    client.post(url, {"owner": ""})
    assert Rule.objects.get(pk=rule.pk).owner is None


def test_places_ranks_and_teams_are_called_by_their_names(client, aoi):
    make_location("S1", name="銀座店", kind="store")
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    rule = make_rule(
        "名前", cond("member_rank", "is_not", "gold"), cond("least_stock", "ge", 0, location="S1"),
        then=[do("set_location", location="S1"), do("create_task", text="電話", team="shift_lead")],
    )  # fmt: skip
    [order] = take(make_channel_order())
    page = client.get(reverse("orders:rule", args=[rule.pk])).content.decode()
    for words in ("会員ランクが「ゴールド」でない", "銀座店 拠点の在庫", "出荷元を指定する: 銀座店", "受注責任者"):
        assert words in page
    assert "銀座店" in order.events.get(kind="rule").text and "S1" not in order.events.get(kind="rule").text
    trace = client.get(reverse("orders:order-rules", args=[order.pk]), headers=HTMX).content.decode()
    test = client.get(reverse("orders:rule-test", args=[rule.pk]), {"no": order.pk}).content.decode()
    dry_run = client.get(reverse("orders:rule-dry", args=[rule.pk])).content.decode()
    assert "銀座店" in trace and "ゴールド" in test and "銀座店" in dry_run


def test_a_condition_on_the_place_compares_what_the_builder_offers(client):
    make_rule("倉庫", cond("location", "is", make_location().code), then=do("flag"), when={"event": "allocated"})
    take(make_channel_order())
    allocate_waiting()
    sweep.consume_wakes()
    assert Order.objects.get().important


def test_the_figures_say_what_never_hits_and_who_goes_first(client):
    first = make_rule("先", then=do("set_priority", priority="1"), priority=1)
    second = make_rule("後", then=do("set_priority", priority="2"), priority=2)
    idle = make_rule("違う", cond("total", "lt", 0), then=do("flag"))
    take(make_channel_order())
    sweep.fold_tallies()
    page = client.get(reverse("orders:rule", args=[second.pk]))
    assert page.context["rivals"] == [{"rival": first.pk, "rival__name": "先", "times": 1}]
    assert page.context["figures"]["overruled"] == page.context["figures"]["hits"] == 1
    for show, rule in (("never", idle), ("overruled", second)):
        rows = client.get(reverse("orders:rules"), {"show": show}).context["rows"]
        assert [row.rule for row in rows] == [rule]


def test_a_draft_mail_is_sent_or_dropped_by_a_person_and_waits_while_it_has_no_words(client):
    events = ("order_confirmed", "inquiry", "delay_notice")
    make_rule("下書き", then=[do("send_mail", event=event, when="draft") for event in events])
    take(make_channel_order())
    Mail.objects.filter(event="inquiry").update(edited=True, subject="お伺い", body="色をお知らせください。")
    for event, fields in zip(events, ({}, {}, {"drop": "1"}), strict=True):
        client.post(reverse("orders:mail-send", args=[Mail.objects.get(event=event).pk]), fields)
    assert dict(Mail.objects.exclude(event="order_received").values_list("event", "state")) == {
        "order_confirmed": "draft", "inquiry": "scheduled", "delay_notice": "suppressed",
    }  # fmt: skip


def test_the_list_asks_the_same_queries_for_more_rules(client, django_assert_num_queries):
    for n in range(3):
        make_rule(f"規則{n}", then=do("add_tag", tag="A"))
    client.get(reverse("orders:rules"))
    with django_assert_num_queries(10):
        client.get(reverse("orders:rules"))
    for n in range(5):
        make_rule(f"別{n}", then=do("add_tag", tag="A"))
    with django_assert_num_queries(10):
        client.get(reverse("orders:rules"))


def test_who_may_not_manage_rules_sees_and_changes_none(client_of, ben, chie, person_with):
    rule = make_rule("高額", then=do("add_tag", tag="A"))
    urls = [reverse("orders:rules"), NEW, *(reverse(f"orders:{name}", args=[rule.pk]) for name in
            ("rule", "rule-edit", "rule-dry", "rule-dry-csv", "rule-test"))]  # fmt: skip
    for person in (ben, chie, person_with("operator")):
        client = client_of(person)
        assert {client.get(url).status_code for url in urls} == {403}
        for name in ("rule-publish", "rule-roll-back", "rule-pause", "rule-drop"):
            assert client.post(reverse(f"orders:{name}", args=[rule.pk])).status_code == 403
        assert client.post(NEW, posted(save="1")).status_code == 403
    lead = client_of(person_with("shift_lead"))
    assert {lead.get(url).status_code for url in urls if "dry.csv" not in url} == {200}
    assert blank()["priority"] == 100

"""書き出し: the ticked orders become a file; who took what out stays on record."""

import csv
import io
import os
import time
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.utils import IntegrityError
from django.urls import reverse
from openpyxl import load_workbook

from inventory.models import BundleComponent
from oms.kernel import clock
from orders.decide.export_columns import COLUMNS, READY_MADE
from orders.models import ExportEvent, ExportLayout, ExportRun, Order
from orders.queries import export_rows
from orders.services import audit, export, take_apart
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped
from tests.pages.test_english import japanese_in

pytestmark = pytest.mark.django_db
PERSONAL = "view_personal_data"
RECIPIENTS = {"layout": "ready:recipients", "kind": "", "reason": "配送会社へ渡す"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.EXPORTS = tmp_path / "exports"
    return settings.EXPORTS


@pytest.fixture
def leader(person_with):
    return person_with("shift_lead")


@pytest.fixture
def no_names(person_with):
    """May export, and may not see personal data."""
    user = person_with("warehouse")
    user.user_permissions.set(Permission.objects.filter(codename__in=["export_order", "view_order"]))
    return user


def choose(client, *orders: Order, **fields) -> ExportRun:
    posted = client.post(reverse("orders:export-choose"), {"ids": [order.pk for order in orders], **fields})
    assert posted.status_code == 302, posted.content.decode()[:300]
    return ExportRun.objects.get(pk=posted["Location"].rstrip("/").rsplit("/", 1)[1])


def begin(client, run: ExportRun, layout: str = "ready:orders", kind: str = "", reason: str = "") -> ExportRun:
    said = {"layout": layout, "kind": kind, "reason": reason}
    assert client.post(reverse("orders:export-begin", args=[run.pk]), said).status_code == 302
    return ExportRun.objects.get(pk=run.pk)


def taken(client, run: ExportRun) -> bytes:
    answer = client.get(reverse("orders:export-file", args=[run.pk]))
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content)


def rows_of(content: bytes, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline="")))


def kinds(run: ExportRun) -> list[str]:
    return list(run.events.order_by("pk").values_list("kind", flat=True))


# ---- from the list to the file


def test_each_line_has_its_row_and_the_orders_amounts_stand_once(client_of, leader):
    take_in(
        make_shop(),
        [make_channel_order(make_line("CHAIR", 2, 1000), make_line("DESK", 1, 5000, tax_rate=8), number="R-1")],
        sku_of=mapped(make_sku("CHAIR"), make_sku("DESK")),
    )
    client = client_of(leader)
    rows = rows_of(taken(client, begin(client, choose(client, Order.objects.get()), "ready:lines")))
    assert [(row["SKU"], row["数量"], row["単価"], row["金額"], row["税率"]) for row in rows] == [
        ("CHAIR", "2", "1000", "2000", "10"),
        ("DESK", "1", "5000", "5000", "8"),
    ]
    assert [row["合計金額"] for row in rows] == ["7500", ""]


def test_a_sets_row_names_the_set_and_what_is_in_it(client_of, leader):
    bundle = make_sku("SET", is_bundle=True, ships_apart=True)
    for code, count in (("CUP", 2), ("POT", 1)):
        BundleComponent.objects.create(bundle=bundle, component=make_sku(code), quantity=count)
    take_in(make_shop(), [make_channel_order(make_line("SET", 2, 1000), number="R-1")], sku_of=mapped(bundle))
    line = Order.objects.get().lines.get()
    columns = [COLUMNS[code] for code in ("sku", "set_sku", "set_parts", "line_amount")]

    def told() -> list[tuple[str, ...]]:
        found = export_rows.sources([line.order_id], columns, "line", {})
        return [tuple(str(column.value(one)) for column in columns) for _order, rows in found for one in rows]

    assert told() == [("SET", "SET", "CUP×4 / POT×2", "2000")]
    take_apart.take_apart(line.order_id, {line.pk: 1}, actor=Actor())
    assert [row[:2] for row in told()] == [("SET", "SET"), ("CUP", "SET"), ("POT", "SET")]


def test_each_recipient_has_a_row_with_what_goes_there(client_of, leader):
    osaka = replace(TOKYO_PARTY, name="山田 太郎", phone="06-1234-5678", postal_code="0600001", prefecture="北海道")
    order = make_channel_order(
        make_line("CHAIR", 2),
        make_line("DESK", 1, recipient=1),
        number="R-1",
        recipients=(TOKYO_PARTY, osaka),
    )
    take_in(make_shop(), [order], sku_of=mapped(make_sku("CHAIR"), make_sku("DESK")))
    client = client_of(leader)
    run = begin(client, choose(client, Order.objects.get()), "ready:recipients", reason="配送会社へ渡す")
    rows = rows_of(taken(client, run))
    assert [(row["届け先"], row["商品の一覧（SKU×数量）"]) for row in rows] == [
        ("佐藤 恵", "CHAIR×2"),
        ("山田 太郎", "DESK×1"),
    ]
    assert rows[1]["届け先の郵便番号"] == '="0600001"' and rows[1]["届け先の住所"].startswith("北海道世田谷区")


def test_arranging_shows_the_columns_in_order_and_saves_nothing(client_of, leader):
    posted = layout_form("total", "no", name="") | {"arrange": "1"}
    del posted["save"]
    page = client_of(leader).post(reverse("orders:export-layout-new"), posted)
    assert [column.code for column in page.context["form"].picked] == ["total", "no"]
    assert not ExportLayout.objects.exists() and "field-error" not in page.content.decode()


@pytest.mark.parametrize(
    ("codes", "fields", "said"),
    [
        ((), {}, "列を1つ以上選んでください。"),
        (("no", "sku"), {}, "「SKU」は、明細ごとに1行のときだけ使えます。"),
        (("no",), {"name": "  "}, "このフィールドは必須です。"),
        (("no",), {"name": "使用中"}, "同じ名前のレイアウトがあります。"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(client_of, leader, codes, fields, said):
    ExportLayout.objects.create(owner=leader, name="使用中", columns=["no"])
    page = client_of(leader).post(reverse("orders:export-layout-new"), layout_form(*codes, **fields))
    assert said in page.content.decode() and ExportLayout.objects.count() == 1


def test_personal_columns_are_neither_offered_nor_taken_without_the_right(client_of, no_names):
    client = client_of(no_names)
    page = client.get(reverse("orders:export-layout-new") + "?from=ready:recipients").content.decode()
    assert 'value="buyer_name"' not in page and 'value="total"' in page
    forced = client.post(reverse("orders:export-layout-new"), layout_form("no", "buyer_name"))
    assert "個人情報の列を使う権限がありません。" in forced.content.decode() and not ExportLayout.objects.exists()


@pytest.mark.parametrize("layout", ["ready:orders", "ready:lines", "ready:recipients"])
def test_a_portion_costs_the_same_queries_whatever_it_holds(leader, many, layout, django_assert_max_num_queries):
    ids = many(60)
    few = queries_of(started(leader, ids=ids[:5], layout=layout), django_assert_max_num_queries)
    all_of_them = queries_of(started(leader, ids=ids, layout=layout), django_assert_max_num_queries)
    assert few == all_of_them


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_file(leader, many, monkeypatch, kind):
    monkeypatch.setattr(export, "PORTION", 100)
    ids = many(2400)

    def peak(n: int) -> int:
        run = started(leader, ids=ids[:n], kind=kind)
        tracemalloc.start()
        export.work(run.pk)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert ExportRun.objects.get(pk=run.pk).rows == n
        return used

    peak(100)  # what is loaded once
    small, large = peak(800), peak(2400)
    assert large < small + 300_000, f"{small:,} → {large:,} bytes"


def test_ticked_orders_become_a_csv_with_a_mark_for_excel(client_of, leader, board):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"], board["R-0002"]))
    content = taken(client, run)
    first, second = rows_of(content)
    assert content.startswith(b"\xef\xbb\xbf") and run.state == "finished" and run.rows == 2
    assert (first["受注番号"], first["モール"], first["店舗"]) == ("R-0001", "楽天市場", "楽天市場店")
    assert (first["商品合計"], first["送料"], first["合計金額"]) == ("2000", "500", "2500")
    assert first["ステータス"] == "引当待ち" and second["確認理由"] == "備考あり"
    ordered = clock.in_tokyo(board["R-0001"].ordered_at)
    assert first["注文日時"] == f"{ordered:%Y/%m/%d %H:%M:%S}"
    assert "佐藤" not in content.decode(), "no personal column was chosen"


def test_all_that_match_are_taken_in_the_lists_order(client_of, leader, board):
    client = client_of(leader)
    run = choose(client, all_matching="1", query="stage=review&sort=ordered_at")
    listed = list(Order.objects.filter(stage="review").order_by("ordered_at", "id").values_list("pk", flat=True))
    assert run.order_ids == listed and len(listed) > 1


def test_a_condition_that_cannot_be_read_takes_nothing(client_of, leader, board):
    answer = client_of(leader).post(
        reverse("orders:export-choose"), {"all_matching": "1", "query": "ordered_from=someday"}, follow=True
    )
    assert not ExportRun.objects.exists() and "受注が選択されていません。" in answer.content.decode()


def test_more_than_can_be_written_is_refused_with_what_to_do(client_of, leader, board, monkeypatch):
    monkeypatch.setattr(export, "MOST", 2)
    answer = client_of(leader).post(reverse("orders:export-choose"), {"all_matching": "1", "query": ""}, follow=True)
    assert not ExportRun.objects.exists() and "一度に書き出せるのは 2件までです。" in answer.content.decode()


def test_the_selection_is_frozen_when_it_is_chosen(client_of, leader, board):
    client = client_of(leader)
    run = choose(client, all_matching="1", query="")
    take_in(make_shop(), [make_channel_order(number="R-later")], sku_of=mapped(make_sku()))
    assert "R-later" not in taken(client, begin(client, run)).decode()


def test_a_workbook_opens_with_text_number_and_time_cells(client_of, leader, board):
    Order.objects.filter(pk=board["R-0001"].pk).update(tracking_label="001234567890", item_summary="=1+1")
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]), kind="xlsx")
    book = load_workbook(io.BytesIO(taken(client, run)))
    heads, values = book.active.iter_rows()
    row = {head.value: cell for head, cell in zip(heads, values, strict=True)}
    assert (row["送り状番号"].value, row["送り状番号"].data_type) == ("001234567890", "s")
    assert (row["商品"].value, row["商品"].data_type) == ("=1+1", "s")
    assert (row["合計金額"].value, row["注文日時"].is_date) == (2500, True)
    assert abs(row["注文日時"].value - clock.in_tokyo(board["R-0001"].ordered_at).replace(tzinfo=None)) < timedelta(
        seconds=1
    )


def test_shift_jis_says_in_which_orders_it_replaced_how_many_characters(client_of, leader, board):
    Order.objects.filter(pk=board["R-0001"].pk).update(item_summary="𠮷野の椅子 鷗")
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"], board["R-0002"]), kind="cp932")
    assert rows_of(taken(client, run), "cp932")[0]["商品"] == "〓野の椅子 〓"
    assert run.replaced == {
        "chars": 2, "orders": 1, "named": [{"id": board["R-0001"].pk, "no": "R-0001", "count": 2, "chars": "𠮷鷗"}],
    }  # fmt: skip
    page = client.get(reverse("orders:export", args=[run.pk])).content.decode()
    assert "〓 に置き換えました（1件の受注、2文字）" in page and "R-0001" in page


# ---- personal data


def test_personal_columns_need_a_reason_which_stays_on_record(client_of, leader, board):
    client = client_of(leader)
    run = choose(client, board["R-0001"])
    url = reverse("orders:export-begin", args=[run.pk])
    refused = client.post(url, RECIPIENTS | {"reason": "  "})
    assert refused.status_code == 200 and "何に使うかを書いてください。" in refused.content.decode()
    assert ExportRun.objects.get().state == "draft" and not ExportEvent.objects.exists()
    client.post(url, RECIPIENTS)
    run.refresh_from_db()
    taken(client, run)
    assert kinds(run) == ["begun", "finished", "downloaded"]
    begun = run.events.get(kind="begun")
    assert (begun.by, begun.count, begun.text, run.personal) == (leader, 1, "配送会社へ渡す", True)
    assert run.events.get(kind="downloaded").by == leader


def test_who_may_not_see_names_is_offered_no_layout_with_them(client_of, no_names, leader, board):
    ExportLayout.objects.create(owner=leader, name="名簿", columns=["no", "buyer_name"], shared=True)
    ExportLayout.objects.create(owner=leader, name="番号だけ", columns=["no"], shared=True)
    client = client_of(no_names)
    run = choose(client, board["R-0001"])
    page = client.get(reverse("orders:export", args=[run.pk])).content.decode()
    assert "受注一覧" in page and "番号だけ" in page and "送り先" not in page and "名簿" not in page
    forced = client.post(reverse("orders:export-begin", args=[run.pk]), RECIPIENTS)
    assert forced.status_code == 200 and ExportRun.objects.get().state == "draft"
    assert "名簿" not in client.get(reverse("orders:export-layouts")).content.decode()


def test_the_right_is_asked_again_when_the_file_is_taken(client_of, leader, board):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]), **{**RECIPIENTS, "kind": "csv"})
    group = leader.groups.get()
    group.permissions.remove(Permission.objects.get(codename=PERSONAL))
    assert client.get(reverse("orders:export-file", args=[run.pk])).status_code == 403
    assert kinds(run) == ["begun", "finished", "refused"]
    group.permissions.add(Permission.objects.get(codename=PERSONAL))
    group.permissions.remove(Permission.objects.get(codename="export_order"))
    assert client.get(reverse("orders:export-file", args=[run.pk])).status_code == 403


def test_anothers_file_is_not_given_out_but_its_record_is_read(client_of, leader, aoi, board):
    run = begin(client_of(leader), choose(client_of(leader), board["R-0001"]), **{**RECIPIENTS, "kind": "csv"})
    other = client_of(aoi)
    for name in ("export-file",):
        assert other.get(reverse(f"orders:{name}", args=[run.pk])).status_code == 404
    for name in ("export-begin", "export-retry", "export-again"):
        assert other.post(reverse(f"orders:{name}", args=[run.pk])).status_code == 404
    page = other.get(reverse("orders:export", args=[run.pk])).content.decode()
    assert "配送会社へ渡す" in page and reverse("orders:export-file", args=[run.pk]) not in page
    draft = choose(client_of(leader), board["R-0002"])
    assert other.get(reverse("orders:export", args=[draft.pk])).status_code == 404


def test_nobody_without_the_right_exports(client_of, ben, chie, leader, board):
    run = begin(client_of(leader), choose(client_of(leader), board["R-0001"]))
    layout = ExportLayout.objects.create(owner=ben, name="x", columns=["no"])
    posts = [reverse(f"orders:export-{name}", args=[run.pk]) for name in ("begin", "retry", "again")]
    posts += [reverse("orders:export-choose"), reverse("orders:export-layout-new")]
    posts += [reverse(f"orders:{name}", args=[layout.pk]) for name in ("export-layout", "export-layout-delete")]
    for user in (ben, chie):
        client = client_of(user)
        assert {client.post(url, {"ids": [board["R-0001"].pk]}).status_code for url in posts} == {403}
        assert client.get(reverse("orders:exports")).status_code == 403
    assert 'formaction="/orders/exports/choose/"' not in client_of(ben).get("/orders/").content.decode()
    assert client_of(leader).get(posts[0]).status_code == 405


def test_the_journal_of_exports_cannot_be_changed(client_of, leader, board):
    begin(client_of(leader), choose(client_of(leader), board["R-0001"]))
    assert "orders_exportevent" in audit.JOURNALS
    with pytest.raises(IntegrityError, match="append-only"):
        ExportEvent.objects.update(text="")


# ---- twice, broken off, failed


def test_the_second_click_finds_the_file_of_the_first(client_of, leader, board):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]))
    begin(client, run, "ready:lines", "xlsx")
    run.refresh_from_db()
    assert (run.format, run.layout_name, kinds(run)) == ("csv", "受注一覧", ["begun", "finished"])


def test_the_same_export_twice_is_two_files_and_changes_no_order(client_of, leader, board, folder):
    before = list(Order.objects.order_by("pk").values())
    client = client_of(leader)
    first = begin(client, choose(client, board["R-0001"]))
    answer = client.post(reverse("orders:export-again", args=[first.pk]))
    second = begin(client, ExportRun.objects.get(pk=answer["Location"].rstrip("/").rsplit("/", 1)[1]))
    assert first.pk != second.pk and taken(client, first) == taken(client, second)
    assert len(list(folder.iterdir())) == 2 and list(Order.objects.order_by("pk").values()) == before


def test_many_orders_go_to_a_worker_and_the_page_says_how_far_it_is(client_of, leader, board, monkeypatch):
    monkeypatch.setattr(export, "AT_ONCE", 2)
    monkeypatch.setattr(export, "PORTION", 2)
    sent = []
    monkeypatch.setattr(export, "later", lambda task, key: sent.append((task, key)))
    client = client_of(leader)
    run = begin(client, choose(client, all_matching="1", query=""))
    assert run.state == "running" and sent == [("orders.tasks.write_export", str(run.pk))]
    page = client.get(reverse("orders:export", args=[run.pk])).content.decode()
    assert "ファイルを作っています" in page and "0 / 9" in page
    export.work(sent[0][1])
    run.refresh_from_db()
    assert (run.state, run.position, run.rows) == ("finished", 9, 9)
    assert len(rows_of(taken(client, run))) == 9


def test_a_lost_worker_is_followed_by_another_and_the_first_changes_nothing_more(leader, board, monkeypatch, folder):
    run = started(leader, board)
    monkeypatch.setattr(export, "PORTION", 2)
    tell = export._tell

    def taken_over(mine, **values):
        """After the first portion the others believe this worker dead, and write the file."""
        monkeypatch.setattr(export, "_tell", tell)
        ExportRun.objects.update(touched_at=clock.now() - export.STUCK - timedelta(seconds=1))
        assert export.resume_stuck() == 1
        export.work(run.pk)
        tell(mine, **values)

    monkeypatch.setattr(export, "_tell", taken_over)
    export.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt, kinds(run).count("finished")) == ("finished", 2, 1)
    assert [path.name for path in folder.iterdir()] == [run.place]


def test_after_three_deaths_it_has_failed_and_says_so(leader, board):
    run = started(leader, board)
    for _death in range(export.ATTEMPTS):
        assert export._claimed(run.pk) is not None
        assert export._claimed(run.pk) is None, "somebody is at it"
        ExportRun.objects.update(touched_at=clock.now() - export.STUCK - timedelta(seconds=1))
    assert export.resume_stuck() == 0
    run.refresh_from_db()
    assert run.state == "failed" and "途中で止まりました" in run.error


def test_a_failure_says_why_and_can_be_retried(client_of, leader, board, monkeypatch, folder):
    client = client_of(leader)
    run = choose(client, board["R-0001"])
    real = export.opened

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "opened", full)
    run = begin(client, run)
    page = client.get(reverse("orders:export", args=[run.pk])).content.decode()
    assert run.state == "failed" and "空き容量と権限を確かめてください。" in page
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(export, "opened", real)
    retry = reverse("orders:export-retry", args=[run.pk])
    client.post(retry)
    client.post(retry)
    run.refresh_from_db()
    assert (run.state, run.error) == ("finished", "")
    assert kinds(run) == ["begun", "failed", "retried", "finished"]
    assert len(rows_of(taken(client, run))) == 1


def test_a_sheet_that_would_be_too_long_says_what_to_do_and_leaves_nothing(
    client_of, leader, board, monkeypatch, folder
):
    monkeypatch.setattr("orders.services.export_files.SHEET_ROWS", 1)
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"], board["R-0002"]), kind="xlsx")
    assert run.state == "failed" and "CSVを選ぶか、期間を分けて" in run.error and list(folder.iterdir()) == []


# ---- keeping and forgetting


def test_a_file_is_kept_some_days_and_then_removed(client_of, leader, board, folder):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]))
    assert export.forget() == 0 and len(list(folder.iterdir())) == 1
    assert (folder / run.place).stat().st_mode & 0o077 == 0, "readable to nobody else on the machine"
    ExportRun.objects.update(expires_at=clock.now())
    assert export.forget() == 1
    run.refresh_from_db()
    assert run.state == "gone" and kinds(run)[-1] == "removed"


def test_a_file_that_is_gone_leads_back_to_its_page(client_of, leader, board, folder):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]))
    (folder / run.place).unlink()
    answer = client.get(reverse("orders:export-file", args=[run.pk]), follow=True)
    assert "ファイルはもうありません。" in answer.content.decode() and kinds(run) == ["begun", "finished"]


def test_what_no_row_names_is_swept_and_old_selections_are_forgotten(client_of, leader, board, folder):
    client = client_of(leader)
    run = begin(client, choose(client, board["R-0001"]))
    choose(client, board["R-0002"])
    (folder / "lost.part").write_text("x")
    (folder / "sheet-lost").mkdir()
    long_ago = time.time() - export.STRAY_S - 5
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    ExportRun.objects.filter(state="draft").update(touched_at=clock.now() - timedelta(days=2))
    assert export.forget() == 2
    assert [path.name for path in folder.iterdir()] == [run.place]
    assert list(ExportRun.objects.values_list("pk", flat=True)) == [run.pk]


# ---- layouts


def layout_form(*codes: str, **fields: str) -> dict[str, object]:
    places = {f"place-{code}": str(place) for place, code in enumerate(codes, start=1)}
    said = {"name": "会計へ", "grain": "order", "format": "xlsx", "save": "1"}
    return {**said, **places, "col": sorted(codes), **fields}


def test_a_layout_is_saved_in_its_order_and_used(client_of, leader, board):
    client = client_of(leader)
    client.post(reverse("orders:export-layout-new"), layout_form("total", "no", "shop", format="csv"))
    layout = ExportLayout.objects.get()
    assert layout.columns == ["total", "no", "shop"]
    run = begin(client, choose(client, board["R-0001"]), str(layout.pk))
    assert taken(client, run).decode("utf-8-sig").splitlines() == ["合計金額,受注番号,店舗", "2500,R-0001,楽天市場店"]
    client.post(reverse("orders:export-layout", args=[layout.pk]), layout_form("no", name="番号"))
    layout.refresh_from_db()
    assert (layout.name, layout.columns) == ("番号", ["no"])
    client.post(reverse("orders:export-layout-delete", args=[layout.pk]))
    assert not ExportLayout.objects.exists() and taken(client, run)


def test_a_shared_layout_is_used_by_all_and_changed_by_its_owner(client_of, leader, aoi, board):
    layout = ExportLayout.objects.create(owner=leader, name="共有のもの", columns=["no"], shared=True)
    other = client_of(aoi)
    assert begin(other, choose(other, board["R-0001"]), str(layout.pk)).rows == 1
    for name in ("export-layout", "export-layout-delete"):
        assert other.post(reverse(f"orders:{name}", args=[layout.pk]), layout_form("no")).status_code == 404


# ---- cost


@pytest.fixture
def many():
    """Makes so many copies of one order, with line and recipient."""
    take_in(make_shop(), [make_channel_order(number="R-0")], sku_of=mapped(make_sku()))
    order = Order.objects.get()

    def copies(n: int) -> list[int]:
        with connection.cursor() as cursor:
            for table, own in (
                ("orders_order", "'id', i, 'channel_order_no', 'M-' || i"),
                ("orders_orderline", "'id', i, 'order_id', i, 'channel_line_id', 'M-' || i"),
                ("orders_recipient", "'id', i, 'order_id', i"),
            ):
                cursor.execute(
                    f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({own}))).*"
                    f" FROM {table} t, generate_series(1000000, %s) AS i"
                    f" WHERE t.{'id' if table == 'orders_order' else 'order_id'} = %s",
                    [999_999 + n, order.pk],
                )
        return list(Order.objects.order_by("pk").values_list("pk", flat=True))

    return copies


def queries_of(run: ExportRun, django_assert_max_num_queries) -> int:
    with django_assert_max_num_queries(1000) as counted:
        export.work(run.pk)
    return len(counted)


def started(user, board=None, ids=None, layout: str = "ready:recipients", kind: str = "csv") -> ExportRun:
    """A run as a worker finds it."""
    run = export.draft(ids or [order.pk for order in board.values()], by=user)
    chosen = next(one for one in READY_MADE if one.code == layout)
    ExportRun.objects.filter(pk=run.pk).update(
        state="running", layout_name="x", grain=chosen.grain, columns=list(chosen.columns), format=kind
    )
    return ExportRun.objects.get(pk=run.pk)


def test_the_log_costs_the_same_queries_however_long_it_is(client_of, leader, board, django_assert_num_queries):
    client = client_of(leader)
    begin(client, choose(client, board["R-0001"]))
    with django_assert_num_queries(9):
        assert client.get(reverse("orders:exports")).status_code == 200
    for name in ("R-0002", "R-0003", "R-0004"):
        begin(client, choose(client, board[name]))
    with django_assert_num_queries(9):
        page = client.get(reverse("orders:exports")).content.decode()
    assert page.count("data-row=") == 4


# ---- words


def test_every_page_speaks_english(client_of, leader, board):
    leader.language = "en"
    leader.display_name = "Lead"
    leader.save(update_fields=["language", "display_name"])
    ExportLayout.objects.create(owner=leader, name="mine", columns=["no", "buyer_name"], shared=True)
    client = client_of(leader)
    client.cookies["django_language"] = "en"
    draft = choose(client, board["R-0001"])
    begun = begin(client, choose(client, board["R-0001"]), kind="cp932")
    failed = choose(client, board["R-0001"])
    ExportRun.objects.filter(pk=failed.pk).update(state="failed", error="because")
    pages = [reverse(f"orders:{name}") for name in ("exports", "export-layouts", "export-layout-new")]
    pages += [reverse("orders:export", args=[run.pk]) for run in (draft, begun, failed)]
    left = {url: words for url in pages if (words := japanese_in(client.get(url).content.decode()))}
    assert left == {}
    assert taken(client, begun).decode("cp932").startswith("Order number,")

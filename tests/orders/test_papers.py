"""Invoices, receipts and credit notes of real orders: issued once, numbered without gaps, corrected, found, linked."""

import csv
import io
import re
import zipfile
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from oms.kernel import clock
from oms.kernel.services.outbox import deliver_due
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.documents.bill import BillKind
from orders.documents.credit import TooMuch, Wish
from orders.models import (
    DocumentEvent,
    DocumentLink,
    IssuedDocument,
    Mail,
    MailTemplate,
    Order,
    OrderEvent,
    PaperSettings,
    StoredPdf,
)
from orders.queries.document_links import address_of
from orders.services import document_files, document_links, documents
from orders.services import mail as mailing
from orders.services.documents import Refused, Wording
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.documents.test_bills import png

pytestmark = pytest.mark.django_db
PAPERS = "/orders/papers/"
PAID_AT = clock.now().replace(year=2026, month=11, day=20, hour=3)


def bought(*lines, code: str = "own-1", **fields) -> Order:
    """An order of our own shop, which issues its papers itself."""
    shop = make_shop(
        code, channel="futureshop", channel_label="自社", letterhead_name="くらし道具店",
        registration_no="T8010401000002",
    )  # fmt: skip
    fields = {"payment_method": PaymentMethod.BANK_TRANSFER, "paid_at": PAID_AT} | fields
    order = make_channel_order(*lines, **fields)
    skus = [make_sku(code) for code in dict.fromkeys(line.channel_sku for line in order.lines)]
    take_in(shop, [order], sku_of=mapped(*skus))
    return Order.objects.select_related("shop").get(channel_order_no=order.channel_order_no)


def issue(order: Order, kind: BillKind = BillKind.INVOICE, **words) -> IssuedDocument:
    issued = documents.issue([order.pk], kind, Wording(**words), actor=Actor())
    assert not issued.refused, issued.refused
    return IssuedDocument.objects.get(pk=issued.documents[order.pk])


def refusal(order: Order, kind: BillKind) -> str:
    return documents.issue([order.pk], kind, actor=Actor()).refused[order.pk]


def pdf_text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def body_of(response, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()[:400]
    return response.content.decode()


# ---- issuing


def test_an_invoice_is_written_with_its_sums_per_rate_and_kept_as_a_file():
    order = bought(
        make_line("CHAIR", 2, 1100), make_line("TEA", 1, 1080, tax_rate=8),
        totals=Totals(goods=3280, shipping=550, coupons_shop=330, points=100, total=3400),
    )  # fmt: skip
    document = issue(order)
    assert (document.number, document.amount, document.partner) == (
        f"{clock.today().year}-own-1-000001",
        3500,
        "佐藤 恵",
    )
    assert sum(amount for *_rate, amount, _tax in document.rates) == 3500
    assert [(percent, reduced) for percent, reduced, *_ in document.rates] == [(10, False), (8, True)]
    assert document_files.make_files([document.pk]) == 1 and document_files.make_files([document.pk]) == 0
    page = pdf_text(document_files.file_of(document))
    assert "T8010401000002" in page and "くらし道具店" in page and "¥3,400" in page and document.number in page
    assert OrderEvent.objects.filter(order=order, kind="document_issued", text__contains=document.number).exists()


def test_the_same_order_is_invoiced_once_however_often_one_asks():
    order = bought()
    first = issue(order)
    again = documents.issue([order.pk], BillKind.INVOICE, actor=Actor())
    assert again.documents == {order.pk: first.pk} and again.known == {order.pk}
    assert IssuedDocument.objects.count() == 1


def test_numbers_have_no_gap_per_shop_and_year_even_when_issuing_fails():
    one, other = bought(code="own-1"), bought(code="own-2")
    issue(one)
    with pytest.raises(RuntimeError), transaction.atomic():
        issue(other)
        raise RuntimeError
    issue(other)
    issue(one, BillKind.RECEIPT)
    issue(bought(code="own-1"))
    year = clock.today().year
    assert list(IssuedDocument.objects.order_by("shop__code", "serial").values_list("number", flat=True)) == [
        f"{year}-own-1-000001", f"{year}-own-1-000002", f"{year}-own-1-000003", f"{year}-own-2-000001",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_eight_people_at_once_make_one_paper_and_no_gap(race):
    orders = [bought() for _ in range(4)]
    race(8, lambda n: documents.issue([orders[n % 4].pk], BillKind.INVOICE, actor=Actor()))
    assert sorted(IssuedDocument.objects.values_list("serial", flat=True)) == [1, 2, 3, 4]


def test_nobody_changes_or_removes_what_was_issued():
    document = issue(bought())
    document_files.file_of(document)
    for rows in (IssuedDocument.objects, StoredPdf.objects, DocumentEvent.objects):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.all().delete() if rows.model is not IssuedDocument else rows.update(amount=1)


def test_a_paper_whose_values_were_changed_in_the_database_is_not_printed():
    document = issue(bought())
    document.content["reason"] = "改ざん"
    with pytest.raises(document_files.Altered):
        document_files.file_of(document)


def test_a_later_change_of_the_order_does_not_change_the_paper():
    order = bought()
    document = issue(order)
    before = document_files.file_of(document)
    Order.objects.filter(pk=order.pk).update(buyer_name="別人")
    assert document_files.file_of(document) == before and "別人" not in pdf_text(before)


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"payment_method": PaymentMethod.COD}, BillKind.RECEIPT, "二重発行"),
        ({"paid_at": None}, BillKind.RECEIPT, "入金が確認できていない"),
        ({"payment_state": PaymentState.REFUNDED}, BillKind.RECEIPT, "返金済み"),
        ({"totals": Totals(goods=1000, shipping=500, total=1400)}, BillKind.INVOICE, "一致しません"),
    ],
)
def test_what_may_not_be_issued_says_why(fields, kind, said):
    assert said in refusal(bought(**fields), kind)
    assert not IssuedDocument.objects.exists()


def test_the_mall_issues_unless_the_shop_says_otherwise():
    order = bought()
    order.shop.capabilities = {"invoice_issuer": {"": "mall", "cod": "we"}}
    order.shop.save(update_fields=["capabilities"])
    assert "モールが発行します" in refusal(order, BillKind.INVOICE)
    PaperSettings.objects.create(shop=order.shop, issuers={"bank_transfer": "we"})
    assert issue(order).amount == 1500


def test_a_receipt_bears_the_payments_day_the_cards_words_and_no_stamp_on_a_pdf():
    order = bought(make_line("DESK", 1, 90_000), payment_method=PaymentMethod.CARD, payment_name="カード", shipping=0)
    receipt = issue(order, BillKind.RECEIPT, name="株式会社山田商店", subject="机代として")
    assert receipt.transacted_on == date(2026, 11, 20)
    page = pdf_text(document_files.file_of(receipt))
    assert (
        "クレジットカード利用" in page and "株式会社山田商店" in page and "御中" in page and "但し　机代として" in page
    )
    assert "収入印紙" not in page
    transfer = bought(make_line("DESK", 1, 90_000))
    assert "収入印紙" in pdf_text(document_files.file_of(issue(transfer, BillKind.RECEIPT, on_paper=True)))


def test_tax_that_the_channel_adds_apart_stands_in_the_rate_it_belongs_to():
    order = bought(
        make_line("CHAIR", 1, 1000), make_line("TEA", 1, 500, tax_rate=8), shipping=0,
        totals=Totals(goods=1500, tax_excluded=140, total=1640),
    )  # fmt: skip
    assert issue(order).rates == [[10, False, 1100, 100], [8, True, 540, 40]]


def test_no_registration_number_is_claimed_before_it_was_valid():
    order = bought()
    PaperSettings.objects.create(shop=order.shop, registered_from=clock.today() + timedelta(days=1))
    assert "T8010401000002" not in pdf_text(document_files.file_of(issue(order)))


# ---- corrections, reissues, credit notes


def test_a_correction_is_another_paper_that_names_the_old_one():
    old = issue(bought(), BillKind.RECEIPT)
    kept = document_files.file_of(old)
    new = IssuedDocument.objects.get(
        pk=documents.correct(old.pk, Wording(name="株式会社佐藤"), reason="宛名の変更", actor=Actor())
    )
    assert new.corrects == old and new.serial == old.serial + 1 and new.partner == "株式会社佐藤"
    page = pdf_text(document_files.file_of(new))
    assert "修正領収書" in page and old.number in page and "宛名の変更" in page
    assert document_files.file_of(old) == kept
    assert list(documents.standing()) == [new]
    with pytest.raises(Refused, match="すでに訂正"):
        documents.correct(old.pk, Wording(name="x"), reason="二度目", actor=Actor())


def test_a_reissue_keeps_its_number_and_says_so_and_who_and_why(aoi):
    receipt = issue(bought(), BillKind.RECEIPT)
    page = pdf_text(document_files.reissue(receipt, reason="紛失", by=aoi))
    assert "再発行" in page and receipt.number in page
    assert "再発行" not in pdf_text(document_files.file_of(receipt))
    event = receipt.events.get(kind="reissued")
    assert (event.text, event.by) == ("紛失", aoi)


def test_a_void_paper_keeps_its_number_and_makes_room_for_another():
    order = bought()
    old = issue(order)
    documents.void(old.pk, reason="誤発行", actor=Actor())
    assert issue(order).serial == old.serial + 1
    with pytest.raises(Refused):
        documents.void(old.pk, reason="二度", actor=Actor())


def credit(order: Order, wish: Wish, **fields) -> IssuedDocument:
    values = {"day": clock.today(), "reason": "返品", "actor": Actor()} | fields
    return IssuedDocument.objects.get(pk=documents.issue_credit_note(order.pk, wish, **values))


def test_a_credit_note_takes_back_pieces_and_never_more_than_was_sold():
    order = bought(make_line("DESK", 2, 10_000), make_line("TEA", 1, 3000, tax_rate=8))
    invoice = issue(order)
    ref = str(order.lines.first().pk)
    note = credit(order, Wish({ref: 1}), key="k1")
    assert (note.amount, note.rates) == (10_000, [[10, False, 10_000, 909]])
    page = pdf_text(document_files.file_of(note))
    assert "適格返還請求書" in page and invoice.number in page and "返品" in page
    assert credit(order, Wish({ref: 1}), key="k1") == note, "a repeated click"
    credit(order, Wish({ref: 1}, fees=500), key="k2")
    with pytest.raises(TooMuch):
        credit(order, Wish({ref: 1}), key="k3")
    assert credit(order, Wish({}, reduction=3000), even_if_exempt=True).rates == [[8, True, 3000, 222]]


def test_below_ten_thousand_yen_a_credit_note_is_made_only_on_request():
    order = bought(make_line("DESK", 1, 9_999))
    wish = Wish({str(order.lines.get().pk): 1})
    with pytest.raises(Refused, match="1万円未満"):
        credit(order, wish)
    assert credit(order, wish, even_if_exempt=True).amount == 9_999


# ---- search and lists


@pytest.fixture
def three(aoi):
    found = []
    for name, price, day in (("青木 一", 1000, 1), ("石川 二", 5000, 10), ("青木 三", 9000, 20)):
        order = bought(make_line("CHAIR", 1, price), shipping=0)
        Order.objects.filter(pk=order.pk).update(buyer_name=name, paid_at=PAID_AT.replace(month=10, day=day))
        found.append(issue(order, BillKind.RECEIPT))
    return found


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("since=2026-10-05&until=2026-10-15", [1]),
        ("least=5000&most=9000", [1, 2]),
        ("q=青木", [0, 2]),
        ("q=青木&least=2000", [2]),
        ("q=青木&since=2026-10-01&until=2026-10-02&most=1000", [0]),
        ("kind=invoice", []),
        ("state=standing&q=石川", [1]),
    ],
)
def test_papers_are_found_by_day_amount_and_partner_alone_and_together(client_of, aoi, three, query, places):
    page = body_of(client_of(aoi).get(f"{PAPERS}?{query}"))
    assert [n for n, document in enumerate(three) if document.number in page] == places


def test_a_damaged_search_is_answered_and_the_list_costs_the_same_for_many(client_of, aoi, three):
    client = client_of(aoi)
    body_of(client.get(f"{PAPERS}?since=x&least=a&shop=none&after=zzz&kind=?"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(PAPERS)
    for _ in range(5):
        issue(bought(), BillKind.RECEIPT)
    with CaptureQueriesContext(connection) as many:
        client.get(PAPERS)
    assert len(many) <= len(few)


def test_names_are_hidden_from_those_who_may_not_see_them(client_of, ben, three):
    client = client_of(ben)
    page = body_of(client.get(PAPERS))
    assert "青木" not in page and "青＊＊＊" in page and three[0].number in page
    assert three[1].number in body_of(client.get(f"{PAPERS}?q=青木")), "names do not filter either"
    assert client.get(f"{PAPERS}{three[0].pk}/pdf/").status_code == 403


def test_the_list_and_the_files_are_taken_away_together(client_of, aoi, three):
    client = client_of(aoi)
    listed = b"".join(client.post(f"{PAPERS}csv/", {"query": "q=青木", "reason": "税理士へ"}).streaming_content).decode(
        "utf-8-sig"
    )
    head, *rows = csv.reader(io.StringIO(listed))
    assert head[:5] == ["種類", "番号", "取引年月日", "取引先", "取引金額"] and [row[3] for row in rows] == [
        "青木 一",
        "青木 三",
    ]
    answer = client.post(f"{PAPERS}zip/", {"query": "q=青木", "reason": "税理士へ"})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["索引.csv", rows[0][-1], rows[1][-1]]
    assert rows[0][-1] == f"20261001_青木 一_1000_{three[0].number}.pdf"
    assert "¥1,000" in pdf_text(archive.read(rows[0][-1]))
    assert three[0].events.filter(kind="exported", by=aoi).exists()


def test_a_name_that_is_a_formula_stays_text_in_the_list(client_of, aoi):
    order = bought()
    Order.objects.filter(pk=order.pk).update(buyer_name="=HYPERLINK(1)")
    issue(order)
    listed = b"".join(client_of(aoi).post(f"{PAPERS}csv/", {"reason": "税理士へ"}).streaming_content).decode()
    assert "'=HYPERLINK(1)" in listed


# ---- screens


def test_from_the_orders_page_to_the_pdf(client_of, aoi):
    client, order = client_of(aoi), bought()
    panel = body_of(client.get(f"/orders/{order.pk}/papers/", headers={"HX-Request": "true"}))
    assert f"/orders/{order.pk}/papers/invoice/" in panel and f"/orders/{order.pk}/papers/receipt/" in panel
    assert reverse("orders:order-papers", args=[order.pk]) in body_of(client.get(f"/orders/{order.pk}/"))
    form = body_of(client.get(f"/orders/{order.pk}/papers/receipt/"))
    assert "お品代として" in form and "佐藤 恵" in form
    done = client.post(f"/orders/{order.pk}/papers/receipt/", {"name": "上様", "subject": "本代"})
    assert "「上様」は宛名として使えません" in body_of(done)
    client.post(f"/orders/{order.pk}/papers/receipt/", {"name": "佐藤商店", "subject": "本代"})
    receipt = IssuedDocument.objects.get()
    page = body_of(client.get(f"{PAPERS}{receipt.pk}/"))
    assert receipt.number in page and "佐藤商店" in page
    answer = client.get(f"{PAPERS}{receipt.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf" and "佐藤商店" in pdf_text(answer.content)
    assert receipt.events.filter(kind="opened", by=aoi).count() == 1
    again = client.post(f"{PAPERS}{receipt.pk}/reissue/", {"reason": "紛失"})
    assert "再発行" in pdf_text(again.content)
    assert "再発行の理由" in body_of(client.post(f"{PAPERS}{receipt.pk}/reissue/", follow=True))
    client.post(f"{PAPERS}{receipt.pk}/correct/", {"name": "佐藤商事", "subject": "本代", "reason": "社名変更"})
    corrected = IssuedDocument.objects.get(corrects=receipt)
    assert corrected.number in body_of(client.get(f"{PAPERS}{receipt.pk}/"))
    client.post(f"{PAPERS}{corrected.pk}/void/", {"reason": "不要"})
    assert not documents.standing().exists()


def test_the_screen_says_that_the_mall_issues_and_offers_nothing(client_of, aoi):
    order = bought()
    order.shop.capabilities = {"invoice_issuer": {"": "mall"}}
    order.shop.save(update_fields=["capabilities"])
    client = client_of(aoi)
    panel = body_of(client.get(f"/orders/{order.pk}/papers/"))
    assert "モールが発行します" in panel and "papers/invoice" not in panel
    page = body_of(client.post(f"/orders/{order.pk}/papers/invoice/", {"name": "x"}))
    assert "モールが発行します" in page and not IssuedDocument.objects.exists()


def test_a_credit_note_from_the_screen(client_of, aoi):
    client, order = client_of(aoi), bought(make_line("DESK", 2, 10_000))
    url, line = f"/orders/{order.pk}/papers/credit-note/", f"line-{order.lines.get().pk}"
    key = re.search(r'name="key" value="(\w+)"', body_of(client.get(url)))[1]
    typed = {"key": key, "day": clock.today().isoformat(), "reason": "色違い", line: "3"}
    assert "2 以下" in body_of(client.post(url, typed))
    assert "あと 500 まで" in body_of(client.post(url, typed | {line: "1", "fees": "501"}))
    for _ in range(2):
        assert client.post(url, typed | {line: "1"}).status_code == 302
    assert IssuedDocument.objects.get().amount == 10_000


def test_many_orders_are_invoiced_by_the_desks_bulk_action(client_of, aoi):
    client, paid, unpaid = client_of(aoi), bought(), bought(paid_at=None)
    preview = client.post("/orders/bulk/", {"action": "receipt", "ids": [paid.pk, unpaid.pk]}, follow=True)
    assert preview.context["will"] == 1 and preview.context["skipped"] == 1
    result = client.post(f"/orders/bulk/{preview.context['run'].key}/run/", follow=True)
    assert "1件の領収書を発行しました。" in body_of(result) and "papers/zip/" in body_of(result)
    assert IssuedDocument.objects.get().order == paid


def test_a_shops_settings_change_its_papers_and_a_bad_logo_is_refused(client_of, aoi):
    client, order = client_of(aoi), bought()
    url = f"{PAPERS}shops/{order.shop_id}/"
    assert order.shop.name in body_of(client.get(f"{PAPERS}shops/"))
    typed = {"company": "株式会社くらし", "rounding": "half_up", "receipt_for": "雑貨代として",
             "link_days": "7", "quote_days": "30",
             "credit_notes": "required", "note_paper": "roll", "work_paper": "a5", "return_paper": "a5",
             "receipt_paper": "a4",
             "issuer-cod": "mall", "stamp_methods": ["bank_transfer"]}  # fmt: skip
    bad = io.BytesIO(b"GIF89a")
    bad.name = "logo.gif"
    assert "PNG か JPEG" in body_of(client.post(url, typed | {"logo_file": bad}))
    logo = io.BytesIO(png(2, 1, 2, bytes([0, 255, 0, 0, 0, 0, 255])))
    logo.name = "logo.png"
    assert client.post(url, typed | {"logo_file": logo}).status_code == 302
    papers = PaperSettings.objects.get()
    assert papers.issuers == {"cod": "mall"} and papers.logo_id
    assert (papers.note_paper, papers.receipt_paper, papers.work_paper, papers.return_paper) == (
        "roll",
        "a4",
        "a5",
        "a5",
    )
    assert client.post(url, typed | {"work_paper": "roll"}).context["form"].errors["work_paper"]
    pdf = document_files.file_of(issue(order, BillKind.RECEIPT))
    assert "雑貨代として" in pdf_text(pdf) and "株式会社くらし" in pdf_text(pdf)
    assert PdfReader(io.BytesIO(pdf)).pages[0]["/Resources"]["/XObject"]


# ---- links


def test_a_buyer_fetches_the_paper_by_the_mailed_link_until_it_ends(client_of, aoi, client, mailoutbox):
    mailing.ensure_standard_templates()
    order = bought()
    receipt = issue(order, BillKind.RECEIPT)
    deliver_due()
    mailoutbox.clear()
    client_of(aoi).post(f"{PAPERS}{receipt.pk}/link/", {"send": "1"})
    deliver_due()
    [mail] = mailoutbox
    address = re.search(r"http://testserver(\S+)", mail.body)[1]
    answer = client.get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "no-store" and "noindex" in answer["X-Robots-Tag"]
    assert receipt.events.filter(kind="downloaded", text="127.0.0.1").count() == 1
    client_of(aoi).post(f"{PAPERS}{receipt.pk}/revoke/")
    assert "使えなくなりました" in body_of(client.get(address), 410)
    assert receipt.events.filter(kind="downloaded").count() == 1


def test_a_link_ends_with_its_day_and_with_its_paper(client):
    receipt = issue(bought(), BillKind.RECEIPT)
    links = [document_links.make_link(receipt, site="http://testserver", actor=Actor()) for _ in range(2)]
    DocumentLink.objects.filter(pk=links[0].pk).update(expires_at=clock.now())
    assert client.get(address_of(links[0])).status_code == 410
    assert client.get(address_of(links[1])).status_code == 200
    documents.void(receipt.pk, reason="誤り", actor=Actor())
    assert client.get(address_of(links[1])).status_code == 410
    with pytest.raises(Refused):
        document_links.make_link(receipt, site="", actor=Actor())


def test_a_guessed_link_is_not_found(client):
    receipt = issue(bought(), BillKind.RECEIPT)
    link = document_links.make_link(receipt, site="", actor=Actor())
    good = address_of(link)
    for guess in (
        f"/orders/papers/link/{link.pk}/",
        good[:-2] + ("a/" if good[-2] != "a" else "b/"),
        "/orders/papers/link/1.x/",
    ):
        assert client.get(guess).status_code == 404


def test_a_buyer_without_an_address_gets_no_mail_and_the_screen_says_so(client_of, aoi):
    order = bought()
    Order.objects.filter(pk=order.pk).update(buyer_email="")
    receipt = issue(order, BillKind.RECEIPT)
    page = body_of(client_of(aoi).post(f"{PAPERS}{receipt.pk}/link/", {"send": "1"}, follow=True))
    assert "メールを送れません" in page and not DocumentLink.objects.exists()
    assert not Mail.objects.filter(event="document_link").exists()


def test_a_link_s_mail_waits_for_approval_where_its_template_asks_and_is_refused_where_it_is_off(client_of, aoi):
    mailing.ensure_standard_templates()
    receipt, client = issue(bought(), BillKind.RECEIPT), client_of(aoi)
    MailTemplate.objects.filter(event="document_link").update(review=True)
    page = body_of(client.post(f"{PAPERS}{receipt.pk}/link/", {"send": "1"}, follow=True))
    assert "承認待ちに入れました" in page and Mail.objects.get(event="document_link").state == "draft"
    MailTemplate.objects.filter(event="document_link").update(active=False)
    page = body_of(client.post(f"{PAPERS}{receipt.pk}/link/", {"send": "1"}, follow=True))
    assert "テンプレートが使われない設定です" in page
    assert DocumentLink.objects.count() == Mail.objects.filter(event="document_link").count() == 1


# ---- rights


POSTS = ["csv/", "zip/", "{pk}/reissue/", "{pk}/correct/", "{pk}/void/", "{pk}/link/", "{pk}/revoke/", "shops/{shop}/"]


@pytest.mark.parametrize("path", POSTS)
def test_who_may_only_look_changes_nothing(path, client_of, aoi, ben, chie):
    receipt = issue(bought(), BillKind.RECEIPT)
    url = PAPERS + path.format(pk=receipt.pk, shop=receipt.shop_id)
    assert client_of(ben).post(url, {"reason": "x"}).status_code == 403
    assert client_of(chie).post(url, {"reason": "x"}).status_code == 403
    if "correct" not in path and "void" not in path and "shops" not in path:
        assert client_of(aoi).get(url).status_code == 405
    assert documents.standing().get() == receipt


@pytest.mark.parametrize("kind", ["invoice", "receipt", "credit-note"])
def test_who_may_only_look_issues_nothing(kind, client_of, ben, chie):
    order = bought()
    for person in (ben, chie):
        assert client_of(person).post(f"/orders/{order.pk}/papers/{kind}/", {"name": "x"}).status_code == 403
    assert not IssuedDocument.objects.exists()


def test_an_accountant_may_do_all_of_it(person_with, client_of):
    client = client_of(person_with("accounting"))
    order = bought()
    client.post(f"/orders/{order.pk}/papers/invoice/", {"name": "佐藤"})
    document = IssuedDocument.objects.get()
    assert client.get(f"{PAPERS}{document.pk}/pdf/").status_code == 200
    assert client.post(f"{PAPERS}zip/", {"reason": "税理士へ"}).status_code == 200


# ---- one payment, several receipts


def paid_order() -> Order:
    return bought(
        make_line("CHAIR", 2, 30000), make_line("TEA", 1, 1080, tax_rate=8),
        totals=Totals(goods=61080, shipping=550, points=1630, total=60000),
    )  # fmt: skip


def shares(*amounts: int, on_paper: bool = False) -> list[documents.Share]:
    names = ["株式会社山田商店", "佐藤 恵", "鈴木 一郎"]
    return [
        documents.Share(Wording(name, "お品代として", on_paper), amount)
        for name, amount in zip(names, amounts, strict=False)
    ]


def test_one_payment_becomes_receipts_for_several_names():
    order = paid_order()
    made = documents.issue_split(order.pk, shares(52000, 5000, 3000, on_paper=True), actor=Actor())
    assert [(one.partner, one.amount) for one in made] == [
        ("株式会社山田商店", 52000), ("佐藤 恵", 5000), ("鈴木 一郎", 3000),
    ]  # fmt: skip
    per_rate = {
        percent: sum(rate[2] for one in made for rate in one.rates if rate[0] == percent) for percent in (10, 8)
    }
    assert per_rate == {10: 60550, 8: 1080}
    pages = [pdf_text(document_files.file_of(one)) for one in made]
    assert "お支払い ¥60,000 を 3 枚に分けて発行した領収書の 1 枚目です。" in pages[0] and "御中" in pages[0]
    assert "CHAIR の品" in pages[1] and "¥5,000" in pages[1]
    with pytest.raises(Refused):
        documents.issue_split(order.pk, shares(60000), actor=Actor())
    corrected = documents.correct(made[1].pk, Wording("佐藤 めぐみ"), reason="宛名の誤り", actor=Actor())
    assert IssuedDocument.objects.get(pk=corrected).amount == 5000


@pytest.mark.parametrize("amounts", [(30000, 20000), (60000, 1), (70000, -10000)])
def test_receipts_that_do_not_come_to_the_payment_are_refused(amounts):
    order = paid_order()
    with pytest.raises(Refused, match="60,000"):
        documents.issue_split(order.pk, shares(*amounts), actor=Actor())
    assert not IssuedDocument.objects.exists()


def test_receipts_are_split_on_a_form(client_of, aoi):
    order, client = paid_order(), client_of(aoi)
    url = reverse("orders:order-split", args=[order.pk])
    assert url in body_of(client.get(reverse("orders:order-papers", args=[order.pk])))
    assert "¥60,000" in body_of(client.get(url))
    rows = {"form-TOTAL_FORMS": "4", "form-INITIAL_FORMS": "4"}
    rows |= {"form-0-name": "山田商店", "form-0-subject": "机代として", "form-0-amount": "50000"}
    rows |= {"form-1-name": "佐藤 恵", "form-1-subject": "お茶代として", "form-1-amount": "9000"}
    assert "合わせてください" in body_of(client.post(url, rows))
    assert client.post(url, rows | {"form-1-amount": "10000"}).status_code == 302
    assert IssuedDocument.objects.count() == 2
    assert client.get(url).url == reverse("orders:order-papers", args=[order.pk])

"""CSVで対応付け: out, in with a preview, and what files did."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels.forms_mapping import CsvForm
from channels.models import CsvBatch, Listing
from channels.queries import mapping_state as queries
from channels.services import mapping_csv
from channels.views.quarantine import chosen_shop
from oms.kernel import clock
from oms.kernel.web import answer, person_of, render_page
from orders.models import Shop

SHOWN = 500
RECENT = 20
ENCODINGS = {"utf-8": "utf-8", "cp932": "Shift_JIS"}


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def download(request: HttpRequest) -> HttpResponseBase:
    """Every listing (of a shop), as `?encoding=` utf-8 or cp932."""
    shop, encoding = chosen_shop(request), request.GET.get("encoding", "utf-8")
    encoding = encoding if encoding in ENCODINGS else "utf-8"
    rows = Listing.objects.filter(shop=shop) if shop else Listing.objects.all()
    name = f"listings-{shop.code if shop else 'all'}-{clock.today():%Y%m%d}.csv"
    return StreamingHttpResponse(
        mapping_csv.written(rows, encoding=encoding),
        content_type=f"text/csv; charset={ENCODINGS[encoding]}",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_listing", raise_exception=True)
def upload(request: HttpRequest) -> HttpResponse:
    form = CsvForm(request.POST, request.FILES) if request.method == "POST" else CsvForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = mapping_csv.preview(file.read(), name=file.name, by=person_of(request))
        except mapping_csv.Unusable as fault:
            form.add_error("file", str(fault))
        else:
            return answer(request, to=reverse("channels:csv-batch", args=[batch.pk]))
    context = {
        "form": form,
        "recent": CsvBatch.objects.select_related("by").defer("rows", "changes").order_by("-pk")[:RECENT],
        "shops": Shop.objects.order_by("code"),
        "counts": queries.counts(),
        "tab": "csv",
    }
    return render_page(request, "channels/mapping_csv.html", context)


@require_GET
@permission_required("channels.change_listing", raise_exception=True)
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """What the file would change, or has changed; asks again by itself while a worker is at it."""
    row = get_object_or_404(CsvBatch.objects.select_related("by").defer("rows"), pk=pk)
    context = {
        "batch": row,
        "changes": row.changes[:SHOWN],
        "errors": row.errors[:SHOWN],
        "shown": SHOWN,
    }
    return render_page(request, "channels/csv_batch.html", context, fragment="channels/_csv_batch.html")


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(CsvBatch.objects.only("pk"), pk=pk)
    row = mapping_csv.start(pk, by=person_of(request))
    if row.state == CsvBatch.State.APPLIED:
        messages.success(request, _("反映しました：%(result)s") % {"result": row.result})
    else:
        messages.info(request, _("反映を始めました。終わると結果が表示されます。"))
    return answer(request, to=reverse("channels:csv-batch", args=[pk]))

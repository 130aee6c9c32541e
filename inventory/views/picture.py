"""A SKU's picture: shown to who sees stock, orders or parcels; set by who may change SKUs."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_POST

from inventory.models import Sku, SkuPicture
from inventory.services import pictures
from oms.kernel.pdf.picture import UnreadablePicture

SEES = ("inventory.view_sku", "orders.view_order", "fulfillment.view_shipment")
REFUSED = {
    "kind": lazy("PNG か JPEG の画像を選んでください。"),
    "size": lazy("縦横2,000ピクセルまでの画像にしてください。"),
    "large": lazy("500KBまでの画像にしてください。縮小すると小さくなります。"),
    "damaged": lazy("画像を読み取れません。もう一度書き出した画像を選んでください。"),
    "unsupported": lazy("この形式は使えません。8ビット・インターレースなしの PNG か、RGB の JPEG にしてください。"),
}


@require_GET
def picture(request: HttpRequest, pk: int, digest: str) -> HttpResponse:
    """The address names the bytes, so browsers may keep them."""
    if not any(request.user.has_perm(right) for right in SEES):
        raise PermissionDenied
    found = SkuPicture.objects.filter(sku=pk, sha256__startswith=digest).first()
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.data), content_type=found.content_type)
    response["Cache-Control"] = "private, max-age=604800, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@permission_required("inventory.change_sku", raise_exception=True)
def put(request: HttpRequest, pk: int) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.only("pk"), pk=pk)
    upload = request.FILES.get("picture")
    if request.POST.get("remove"):
        if pictures.remove(sku.pk, by_id=request.user.pk):
            messages.success(request, _("画像を外しました。"))
    elif upload is None:
        messages.error(request, _("画像のファイルを選んでください。"))
    elif (upload.size or 0) > pictures.MOST_BYTES:
        messages.error(request, str(REFUSED["large"]))
    else:
        try:
            pictures.put(sku.pk, upload.read(), by_id=request.user.pk)
            messages.success(request, _("画像を保存しました。"))
        except UnreadablePicture as wrong:
            messages.error(request, str(REFUSED[wrong.code]))
    return redirect("inventory:sku", pk)

"""Two addresses for machines, without login: /healthz and /metrics."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from oms.kernel.observability import health, metrics


@login_not_required
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 when everything works, 503 with the reasons otherwise."""
    found = health.check()
    return JsonResponse(found.as_json(), status=200 if found.ok else 503, json_dumps_params={"ensure_ascii": False})


@login_not_required
@never_cache
@require_safe
def prometheus(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)

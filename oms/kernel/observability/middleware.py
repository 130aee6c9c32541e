import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from oms.kernel.observability.metrics import REQUESTS, SECONDS


class RequestMetricsMiddleware:
    """Counts every answer by route pattern, never by path: a path would be a label per order."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unrouted"
        method = request.method if request.method in {"GET", "POST", "HEAD", "OPTIONS"} else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - started)
        return response

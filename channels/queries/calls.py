"""通信の記録: the calls to the malls, filtered."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from channels.models import ApiCall
from oms.kernel import clock

SPANS: dict[str, tuple[Any, timedelta]] = {
    "10m": (_("直近10分"), timedelta(minutes=10)),
    "1h": (_("直近1時間"), timedelta(hours=1)),
    "24h": (_("直近24時間"), timedelta(hours=24)),
}
RESULTS: dict[str, tuple[Any, Q]] = {
    "failed": (_("失敗のみ"), Q(ok=False)),
    "ok": (_("成功のみ"), Q(ok=True)),
    "limit": (_("速度の上限"), Q(status=429)),
    "refused": (_("認証の拒否"), Q(status__in=[401, 403])),
    "none": (_("応答なし"), Q(status__isnull=True)),
}


def calls(
    *, shop_id: int | None = None, purpose: str = "", result: str = "", span: str = "", text: str = ""
) -> "QuerySet[ApiCall]":
    """`text` is looked for in operation, address, error and request id; a number is a status, too."""
    rows = ApiCall.objects.select_related("shop")
    if shop_id is not None:
        rows = rows.filter(shop=shop_id)
    if purpose in ApiCall.Purpose.values:
        rows = rows.filter(purpose=purpose)
    if result in RESULTS:
        rows = rows.filter(RESULTS[result][1])
    if span in SPANS:
        rows = rows.filter(at__gte=since(span))
    if text:
        found = Q()
        for column in ("operation", "address", "error", "request_id"):
            found |= Q(**{f"{column}__icontains": text})
        if text.isdecimal() and len(text) == 3:
            found |= Q(status=int(text))
        rows = rows.filter(found)
    return rows


def since(span: str) -> datetime:
    return clock.now() - SPANS[span][1]

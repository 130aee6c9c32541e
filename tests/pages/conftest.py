import pytest
from django.http import HttpResponse

from oms import urls


@pytest.fixture
def plain_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals without their page: a walk over hundreds of addresses would draw it hundreds of times."""
    monkeypatch.setattr(urls, "handler403", lambda request, exception: HttpResponse(status=403))
    monkeypatch.setattr(urls, "handler404", lambda request, exception: HttpResponse(status=404))

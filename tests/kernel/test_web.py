"""One view, one context, two templates: what a browser gets and what htmx gets."""

import json

import pytest
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from oms.kernel import web
from oms.kernel.middleware import ContentSecurityPolicyMiddleware, LoginByHtmxMiddleware, policy_text

PAGE = "<html><main>{% include 'probe/_part.html' %}</main></html>"
PART = '<p id="part"{% if oob %} hx-swap-oob="true"{% endif %}>{{ word }}</p>'


@pytest.fixture(autouse=True)
def probe_templates(tmp_path, settings):
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe/page.html").write_text(PAGE)
    (tmp_path / "probe/_part.html").write_text(PART)
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [
        {
            **engine,
            "DIRS": [tmp_path, *engine["DIRS"]],
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]


def asked(method="get", path="/somewhere/", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = getattr(RequestFactory(), method)(path, headers=names)
    request.htmx = HtmxDetails(request)
    request._messages = CookieStorage(request)
    return request


def by_htmx(method="get", path="/somewhere/", **headers):
    return asked(method, path, HX_Request="true", **headers)


def shown(request, **more):
    response = web.render_page(request, "probe/page.html", {"word": "見本"}, fragment="probe/_part.html", **more)
    return response, response.content.decode()


def test_a_browser_gets_the_whole_page():
    response, text = shown(asked())
    assert text == '<html><main><p id="part">見本</p></main></html>'
    assert response["Vary"] == "HX-Request"


def test_htmx_gets_the_fragment_of_the_same_context():
    response, text = shown(by_htmx())
    assert text == '<p id="part">見本</p>'
    assert response["Vary"] == "HX-Request"


@pytest.mark.parametrize("header", ["HX_Boosted", "HX_History_Restore_Request"])
def test_boosted_and_restored_requests_get_whole_pages(header):
    _response, text = shown(by_htmx(**{header: "true"}))
    assert text.startswith("<html>")


def test_a_view_without_fragment_always_answers_with_the_page():
    response = web.render_page(by_htmx(), "probe/page.html", {"word": "見本"})
    assert response.content.decode().startswith("<html>")


def test_the_status_is_kept_for_both():
    for request in (asked(), by_htmx()):
        response, _text = shown(request, status=409)
        assert response.status_code == 409


def test_a_fragment_brings_the_waiting_messages_once():
    request = by_htmx()
    messages.success(request, "保存しました")
    response, text = shown(request)
    assert text.count("保存しました") == 1 and 'hx-swap-oob="beforeend"' in text
    request._messages.update(response)
    assert not response.cookies["messages"].value, "nothing waits for the next page"


def test_after_a_post_a_browser_is_redirected():
    response = web.answer(asked("post"), to="/orders/1/", fragments=["probe/_part.html"], context={"word": "済"})
    assert (response.status_code, response["Location"]) == (302, "/orders/1/")
    assert response["Vary"] == "HX-Request"


def test_after_a_post_htmx_gets_fragments_and_messages_out_of_band():
    request = by_htmx("post")
    messages.error(request, "在庫が足りません")
    response = web.answer(request, to="/orders/1/", fragments=["probe/_part.html"], context={"word": "済"})
    text = response.content.decode()
    assert '<p id="part" hx-swap-oob="true">済</p>' in text
    assert "在庫が足りません" in text and 'data-tone="error"' in text
    assert "Location" not in response


def test_messages_of_a_redirected_browser_wait_for_the_next_page():
    request = asked("post")
    messages.success(request, "保存しました")
    web.answer(request, to="/", fragments=["probe/_part.html"], context={})
    assert [str(message) for message in messages.get_messages(request)] == ["保存しました"]


def test_an_event_reaches_parts_the_server_does_not_know():
    response = web.answer(by_htmx("post"), to="/", trigger="order-changed")
    assert json.loads(response["HX-Trigger"]) == {"order-changed": {}}


def test_htmx_without_fragments_is_sent_to_the_page():
    response = web.answer(by_htmx("post"), to="/orders/1/")
    assert response["HX-Redirect"] == "/orders/1/"


def test_a_poll_without_news_is_empty_and_computes_nothing():
    def expensive():
        raise AssertionError("nothing has changed")

    response = web.live(by_htmx(path="/live/?token=7"), token="7", fragments=["probe/_part.html"], context=expensive)
    assert (response.status_code, response.content) == (204, b"")
    assert response["Vary"] == "HX-Request"


def test_a_poll_with_news_brings_fragments_and_the_new_token():
    response = web.live(
        by_htmx(path="/live/?token=7"),
        token="8",
        fragments=["probe/_part.html", "components/live.html"],
        context=lambda: {"word": "新着", "id": "live", "url": "/live/"},
    )
    text = response.content.decode()
    assert '<p id="part" hx-swap-oob="true">新着</p>' in text
    assert 'hx-get="/live/?token=8"' in text


def test_a_poll_by_a_browser_leads_to_the_page():
    response = web.live(asked(), token="8", fragments=[], context=dict, to="/orders/")
    assert response["Location"] == "/orders/"


def test_an_expired_login_redirects_the_whole_window_of_htmx():
    middleware = LoginByHtmxMiddleware(lambda _request: HttpResponseRedirect("/login/?next=/orders/live/"))
    response = middleware(by_htmx(HX_Current_URL="http://testserver/orders/?stage=review"))
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/login/?next=%2Forders%2F%3Fstage%3Dreview"


def test_an_expired_login_redirects_a_browser_as_always():
    middleware = LoginByHtmxMiddleware(lambda _request: HttpResponseRedirect("/login/?next=/orders/"))
    assert middleware(asked())["Location"] == "/login/?next=/orders/"


def test_other_redirects_of_htmx_stay_what_they_are():
    middleware = LoginByHtmxMiddleware(lambda _request: HttpResponseRedirect("/orders/"))
    assert middleware(by_htmx())["Location"] == "/orders/"


def test_the_policy_goes_with_html_and_not_with_a_pdf():
    html = ContentSecurityPolicyMiddleware(lambda _request: HttpResponse("<p>"))(asked())
    pdf = ContentSecurityPolicyMiddleware(lambda _request: HttpResponse(b"%PDF", content_type="application/pdf"))(
        asked()
    )
    assert "default-src 'self'" in html["Content-Security-Policy"]
    assert "Content-Security-Policy" not in pdf


def test_a_view_may_bring_a_policy_of_its_own():
    own = HttpResponse("<p>", headers={"Content-Security-Policy": "sandbox"})
    assert ContentSecurityPolicyMiddleware(lambda _request: own)(asked())["Content-Security-Policy"] == "sandbox"


def test_a_policy_is_written_as_browsers_read_it():
    assert policy_text({"default-src": ["'self'"], "img-src": ["'self'", "data:"]}) == (
        "default-src 'self'; img-src 'self' data:"
    )

"""The robot operator: works through the same pages and forms as a person, and decides only by what they show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests
from lxml import html

LIST = "/orders/"
ACCEPT = "//form[substring(@action, string-length(@action) - 7) = '/accept/']"
NOTE = "内容を確認"
STOPPING = (
    "buyer_note", "postal_mismatch", "street_no_missing", "address_too_long", "phone_invalid", "amount_mismatch",
    "blacklist_match", "channel_caution", "noshi", "channel_changed", "channel_cancel_request", "item_unmapped",
    "oversold",
)  # fmt: skip


class Refused(Exception):
    """The product did not let the robot do what a person would."""


@dataclass
class Robot:
    """One logged-in operator."""

    address: str
    username: str
    password: str
    session: requests.Session = field(default_factory=requests.Session)
    at: str = ""  # the page it looks at

    def log_in(self) -> None:
        page = self._get("/login/")
        form = next(form for form in page.forms if form.xpath(".//input[@name='username']"))
        self._submit(form, username=self.username, password=self.password)
        if "sessionid" not in self.session.cookies:
            raise Refused("login refused")

    def work_reasons(self) -> int:
        """Open every order that stops somewhere, read its reasons, decide; returns how many orders were decided."""
        decided = 0
        for code in STOPPING:
            for order in self._listed(f"{LIST}?reason={code}"):
                decided += self._decide(order)
        return decided

    def give_up_short_orders(self, orders: list[int]) -> int:
        """Cancel orders that no stock will come for, telling the customer."""
        for order in orders:
            self._cancel(f"{LIST}{order}/")
        return len(orders)

    def _listed(self, path: str) -> list[str]:
        """Paths of the orders on all pages of a list."""
        found: dict[str, None] = {}
        while path:
            page = self._get(path)
            for link in page.xpath("//a[@href]"):
                href = link.get("href").split("?")[0]
                parts = href.strip("/").split("/")
                if len(parts) == 2 and parts[0] == "orders" and parts[1].isdigit():
                    found[href] = None
            path = next((a.get("href") for a in page.xpath("//a[@rel='next']")), "")
            path = urljoin(LIST, path) if path else ""
        return list(found)

    def _decide(self, path: str) -> bool:
        """Read one order's reasons and act: cancel what shall be cancelled, map what is unmapped, else accept."""
        page = self._get(path)
        codes = {field.get("value") for field in page.xpath(ACCEPT + "//input[@name='code']")}
        if "channel_cancel_request" in codes:
            self._cancel(path)
            return True
        mapping = next(
            (a.get("href") for a in page.xpath("//li[contains(@class, 'reason')]//a[contains(@href, '/map')]")), None
        )
        if mapping:
            self._map(mapping)
        if codes:
            form = page.xpath(ACCEPT)[0]
            fields = {"csrfmiddlewaretoken": self._token(), "code": sorted(codes), "note": NOTE}
            self._post(form.get("action"), fields)
        return bool(codes or mapping)

    def _cancel(self, path: str) -> None:
        page = self._get(f"{path}cancel/")
        form = next(f for f in page.forms if (f.get("action") or "").endswith("/cancel/"))
        self._submit(form)

    def _map(self, path: str) -> None:
        """Take the first product that the mapping page proposes."""
        page = self._get(path)
        for form in page.forms:
            choices = form.xpath(".//input[@name='sku'][@type='radio'] | .//button[@name='sku']")
            if choices:
                self._submit(form, sku=choices[0].get("value"))
                return
        raise Refused(f"nothing to map at {path}")

    def _get(self, path: str) -> html.HtmlElement:
        answer = self.session.get(urljoin(self.address, path), timeout=60)
        if answer.status_code != 200:
            raise Refused(f"GET {path}: {answer.status_code}")
        self.at = answer.url
        return html.fromstring(answer.content)

    def _submit(self, form: html.FormElement, **values: str) -> None:
        fields = dict(_fields(form)) | values | {"csrfmiddlewaretoken": self._token()}
        self._post(urljoin(self.at, form.get("action") or self.at), fields)

    def _post(self, path: str, fields: Mapping[str, object]) -> None:
        answer = self.session.post(urljoin(self.address, path), data=fields, timeout=60)
        if answer.status_code != 200:
            raise Refused(f"POST {path}: {answer.status_code}")

    def _token(self) -> str:
        return self.session.cookies.get("csrftoken") or ""


def _fields(form: html.FormElement) -> Iterator[tuple[str, str]]:
    """What a browser would send of a form left as it is; a required choice left empty takes its first option."""
    yield from form.form_values()
    for select in form.xpath(".//select[@required]"):
        options = [option.get("value") for option in select.xpath(".//option") if option.get("value")]
        if options and not select.value:
            yield select.get("name"), options[0]
    chosen = {radio.get("name") for radio in form.xpath(".//input[@type='radio'][@checked]")}
    for radio in form.xpath(".//input[@type='radio'][@required]"):
        if radio.get("name") not in chosen:
            chosen.add(radio.get("name"))
            yield radio.get("name"), radio.get("value")

"""Japanese that a page shows to somebody who reads English, but for what people, shops and malls wrote."""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from django.apps import apps
from django.db import models

from oms.kernel.said import Form, Said
from oms.kernel.said_field import SaidField
from orders.decide.catalogue import CATALOGUE
from orders.forms import PREFECTURES
from orders.models import Order, OrderTag, ReviewReason, Rule, RuleList, Shop

JAPANESE = re.compile(r"[ぁ-ゖァ-ヺー一-鿿]+")
READ_ALOUD = {"title", "aria-label", "placeholder", "alt", "data-label", "data-key-label", "data-confirm"}
VOID = {"input", "br", "img", "meta", "link", "hr", "use", "path", "col", "source", "wbr"}
UNSEEN = {"script", "style", "template"}

# Tables whose texts are the company's own: goods, people, places, what a buyer wrote, names that the company gave.
OWN = {
    "inventory.product", "inventory.sku", "inventory.location", "customers.member", "customers.blacklistentry",
    "orders.order", "orders.recipient", "orders.orderline", "orders.shop", "orders.ordertag", "orders.ordertext",
    "orders.rule", "orders.mail", "orders.mailtemplate", "orders.papersettings", "orders.bankline", "kernel.user",
    "channels.listing", "channels.quarantinedorder", "orders.deskview", "orders.rulelist", "orders.noshichoice",
}  # fmt: skip


# Reasons whose evidence quotes, or in which only people write.
QUOTES = {"buyer_note", "note_has_date", "postal_mismatch", "street_no_missing", "question_to_colleague", "rule_hold"}


class Page(HTMLParser):
    """Collects what is seen or read aloud, except in elements that say they are Japanese (`lang="ja"`)."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.said: list[str] = []

    @property
    def told_so(self) -> bool:
        return any(own for _tag, own in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        own = values.get("lang") == "ja" or values.get("translate") == "no" or tag in UNSEEN
        if not own and not self.told_so:
            self.said += [text for name, text in attrs if name in READ_ALOUD and text]
            if tag == "input" and values.get("type") in {"submit", "button"}:
                self.said.append(values.get("value") or "")
        if tag not in VOID:
            self.open.append((tag, own))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        if not self.told_so:
            self.said.append(data)


def seen(html: str) -> list[str]:
    """The pieces of text of a page that are not marked as Japanese and hold Japanese."""
    page = Page()
    page.feed(html)
    return [" ".join(piece.split()) for piece in page.said if JAPANESE.search(piece)]


def own_words() -> list[str]:
    """What the company, its buyers and its malls wrote, as it stands in the database; the longest first."""
    found = set(PREFECTURES)
    for model in apps.get_models():
        if model._meta.label_lower not in OWN:
            continue
        names = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField) and not isinstance(field, SaidField)
        ]
        for row in model._default_manager.values_list(*names):
            for text in row:
                if text and JAPANESE.search(text):
                    found.update(" ".join(line.split()) for line in (text, *text.split("\n")))
    return sorted(filter(None, found), key=len, reverse=True)


def labels() -> set[str]:
    """Names that the company and its malls gave, also where one is a word of ours: rules, tags, lists, ways to pay."""
    found = {name for model in (Rule, OrderTag, RuleList) for name in model.objects.values_list("name", flat=True)}
    found |= {name for pair in Shop.objects.values_list("name", "channel_label") for name in pair}
    found |= set(Order.objects.values_list("payment_name", flat=True))
    return {name for name in found if JAPANESE.search(name)}


def quoted() -> set[str]:
    """What reasons look for, and what they quote of a buyer's words or of the postal master."""
    lists = [value for reason in CATALOGUE.values() for value in reason.params.values() if isinstance(value, str)]
    found = {word for text in lists for word in (text, *text.split("、"))}
    for text in ReviewReason.objects.filter(code__in=QUOTES).values_list("evidence", flat=True):
        found.update(" ".join(line.split()) for line in (text, *text.split("\n")))
        if isinstance(text, Said):
            found.update(filled_with(text.form))
    return {word for word in found if JAPANESE.search(word)}


def filled_with(form: Form) -> Iterator[str]:
    """The data that a kept sentence was filled with."""
    match form:
        case str():
            yield form
        case [_sentence, values]:
            for value in values.values():
                yield from filled_with(value)
        case {"all": parts}:
            for part in parts:
                yield from filled_with(part)


def left(html: str, known: Iterable[str]) -> list[str]:
    """The pieces that still hold Japanese when all that is known as data is taken out."""
    found = []
    for piece in seen(html):
        rest = piece
        for word in known:
            if word in rest:
                rest = rest.replace(word, " ")
        if JAPANESE.search(rest):
            found.append(piece)
    return found

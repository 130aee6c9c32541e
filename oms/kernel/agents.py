"""A browser in plain words, from what it says of itself."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

# The first that fits: most browsers also claim to be the ones below them.
BROWSERS = (
    ("LINE", re.compile(r"\bLine/")),
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Headless)?Chrome/|\bCriOS/")),
    ("Safari", re.compile(r"\bVersion/[\d.]+.*\bSafari/")),
)
SYSTEMS: tuple[tuple[str | Promise, re.Pattern[str]], ...] = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    (lazy("Androidタブレット"), re.compile(r"\bAndroid\b(?!.*\bMobile\b)")),
    (lazy("Androidスマートフォン"), re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Mac", re.compile(r"\bMacintosh\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)


def described(agent: str) -> str:
    """`Chrome（Windows）`; programs that are no browser by their first word; nothing known: 不明なブラウザ."""
    browser = next((name for name, pattern in BROWSERS if pattern.search(agent)), "")
    system = next((str(name) for name, pattern in SYSTEMS if pattern.search(agent)), "")
    if not browser:
        first = re.match(r"[A-Za-z][\w.-]{0,30}", agent)
        browser = first[0] if first and first[0] != "Mozilla" else _("不明なブラウザ")
    return _("%(browser)s（%(system)s）") % {"browser": browser, "system": system} if system else browser

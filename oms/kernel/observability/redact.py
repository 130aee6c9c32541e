"""Takes secrets and personal data out of every log event, before it is written."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "***"
SECRET_KEYS = re.compile(
    r"passw|secret|token|authoriz|cookie|credential|api_?key|license_?key|certification_key|private_key|session_?id"
    r"|csrf|signature|fernet",
    re.IGNORECASE,
)
PERSONAL_KEYS = re.compile(
    r"e?mail(_address)?$|phone|(^|_)tel$|fax|zip|postal|address|street|(buyer|recipient|sender|member|customer)_name"
    r"|kana$|birth|(^|_)ip$|remote_addr",
    re.IGNORECASE,
)
PATTERNS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "***@***"),
    (re.compile(r"\b(Bearer|Basic|ESA)\s+[\w+/=._~-]{8,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(?<![\w./:-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\w-])"), MASK),
    (
        re.compile(r"\b(\w*(?:token|secret|password|api_?key|code|signature)\w*=)[^&\s\"']+", re.IGNORECASE),
        r"\1***",
    ),
    (re.compile(r"(://[^/\s:@]+:)[^/\s@]+@"), r"\1***@"),
)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: masks values by the name of their key, and tell-tale shapes inside texts."""
    for key, value in event.items():
        event[key] = _clean(key, value)
    return event


def _clean(key: str, value: Any) -> Any:
    if SECRET_KEYS.search(key) or PERSONAL_KEYS.search(key):
        return MASK if value else value
    if key == "request" and isinstance(value, str):
        return value.partition("?")[0]  # a query string holds what people search for: names, phone numbers
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {name: _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(key, inner) for inner in value]
    return value


def clean_text(text: str) -> str:
    """The text without mail addresses, phone numbers, bearer tokens and passwords in URLs."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text

"""How Amazon answers: errors, times, amounts, tokens for further pages."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug import Response

from channels.sandbox.simulator import json_response, text_response

HTML_503 = "<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"
XML_403 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
    "<RequestId>SANDBOX</RequestId></Error>"
)


class Refusal(Exception):
    """The call is answered with this status and error."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message, "details": self.details}
        return json_response({"errors": [error]}, self.status, headers={"x-amzn-ErrorType": self.code})


def invalid(message: str, details: str = "") -> Refusal:
    return Refusal(400, "InvalidInput", message, details)


def not_found(message: str) -> Refusal:
    return Refusal(404, "NotFound", message)


def denied(details: str) -> Refusal:
    return Refusal(403, "Unauthorized", "Access to requested resource is denied.", details)


def quota_exceeded() -> Refusal:
    return Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def storage_refusal(code: str, message: str) -> Response:
    """The signed addresses belong to another service and speak XML."""
    return text_response(XML_403.format(code=code, message=message), 403, content_type="application/xml")


def utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def parse_time(name: str, text: str) -> datetime:
    """Raises Refusal for what is no ISO 8601 time with a zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise invalid(f"Invalid value for {name}: not an ISO 8601 date-time.") from wrong
    if time.tzinfo is None:
        raise invalid(f"Invalid value for {name}: a time zone is required.")
    return time


def yen(amount: int) -> dict[str, str]:
    return {"amount": str(amount), "currencyCode": "JPY"}


def page_token(**content: Any) -> str:
    """Opaque to the caller."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def read_page_token(name: str, token: str) -> Mapping[str, Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as wrong:
        raise invalid(f"Invalid {name}.") from wrong
    if not isinstance(content, dict):
        raise invalid(f"Invalid {name}.")
    return content


def csv(args: Mapping[str, str], name: str, allowed: frozenset[str] | None = None) -> list[str]:
    """A comma separated parameter; each word must be one of `allowed`."""
    words = [word for word in args.get(name, "").split(",") if word]
    wrong = [word for word in words if allowed is not None and word not in allowed]
    if wrong:
        raise invalid(f"Invalid value for {name}: {wrong[0]}")
    return words


def integer(args: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = args.get(name, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise invalid(f"Invalid value for {name}: must be between {least} and {most}.")
    return int(text)

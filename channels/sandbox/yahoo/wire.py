"""Replies and errors in Yahoo!'s XML, written as text so that their odd habits can be kept."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import ElementTree
from werkzeug import Request, Response

JST = timezone(timedelta(hours=9), "JST")
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
APPLICATION_XML = "application/xml;charset=UTF-8"
BARE_TEXT_XML = "text/xml"  # the stock API names no charset


class Refusal(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        return error(self.status, self.code, self.message)


def error(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    code_tag = f"<Code>{code}</Code>" if code else ""
    text = f"<Error><Message>{escape(message)}</Message>{code_tag}</Error>"
    return reply(text, status, headers=headers)


def item_error(code: str, message: str) -> Response:
    """Item APIs use CDATA and an empty Detail."""
    return reply(f"<Error><Message>{cdata(message)}</Message><Detail></Detail><Code>{code}</Code></Error>", 400)


def reply(
    text: str, status: int = 200, *, content_type: str = APPLICATION_XML, headers: Mapping[str, str] | None = None
) -> Response:
    response = Response((DECLARATION + text).encode(), status, headers=dict(headers or {}))
    response.headers["Content-Type"] = content_type
    return response


def result_set(rows: Iterable[str], *, total: int | None = None, first: int = 1, extra: str = "") -> str:
    found = list(rows)
    head = (
        f'<ResultSet totalResultsAvailable="{len(found) if total is None else total}" '
        f'totalResultsReturned="{len(found)}" firstResultPosition="{first}"{extra}>'
    )
    return f"{head}{''.join(found)}</ResultSet>"


def tag(name: str, value: object = "") -> str:
    """A plain element; None and "" make it empty."""
    text = "" if value is None else escape(str(value))
    return f"<{name}>{text}</{name}>"


def words(name: str, value: str, *, padded: bool = False) -> str:
    """An element with text that people wrote, in CDATA; `padded` puts line breaks around it."""
    if not value:
        return tag(name)
    around = "\n   " if padded else ""
    return f"<{name}>{around}{cdata(value)}{around}</{name}>"


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def padded(name: str, value: object) -> str:
    """Stock replies carry line breaks around their texts."""
    return f"<{name}>\n{escape(str(value))}\n</{name}>"


# ---- requests ------------------------------------------------------------------------------------------------------


def read_request(request: Request) -> Element:
    """The `<Req>` of an order API: raw XML in UTF-8, whatever content type it comes under. Raises Refusal."""
    body = request.get_data()
    try:
        body.decode("utf-8")
        root = ElementTree.fromstring(body)
    except (ParseError, UnicodeDecodeError, LookupError):
        raise Refusal(400, "od90101", "リクエストのXMLが不正です。") from None
    if root.tag != "Req":
        raise Refusal(400, "od90101", "Reqがありません。")
    return root


def value(element: Element | None, path: str) -> str:
    if element is None:
        return ""
    return (element.findtext(path) or "").strip()


def parse_stamp(text: str) -> datetime:
    """14 digits of JST. Raises Refusal."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=JST).astimezone(UTC)
    except ValueError:
        raise Refusal(400, "od90101", f"日時の形式が不正です: {text[:20]}") from None


def parse_day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=JST).date()
    except ValueError:
        raise Refusal(400, "od90101", f"日付の形式が不正です: {text[:20]}") from None


def moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(JST).isoformat(timespec="seconds")


def local_day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(JST):%Y-%m-%d}"

"""Reading what banks hand out about incoming money: the Zengin fixed-length records, CSV, pasted text. Pure.

Zengin (全国銀行協会) layouts of 200 bytes: 振込入金通知 (kind 01) and 入出金取引明細 (kind 03). Half-width kana is one
byte in CP932, so fields are cut from bytes; line breaks between records are optional, and years are Japanese.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

RECORD = 200
HEADER, DATA = b"1", b"2"
NOTICE, STATEMENT = b"01", b"03"
DEPOSIT, TRANSFERRED = b"1", {b"11"}
CANCELLED = b"1"
REIWA, CENTURY = 2018, 2000
FIELDS = ("on", "month", "day", "amount", "payer", "text")


class Unreadable(ValueError):
    """Says in Japanese what is wrong with the file."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One incoming transfer as the bank wrote it (kana composed and full-width)."""

    on: date
    amount: int
    payer: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    layout: str
    account: str
    lines: Sequence[Incoming]


def decoded(content: bytes) -> str:
    """UTF-8 (with or without its mark), else CP932. Raises Unreadable."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise Unreadable(_("文字コードを読み取れません。Shift_JIS か UTF-8 のファイルを選んでください。"))


# ---- Zengin


def is_zengin(content: bytes) -> bool:
    head = content[:RECORD]
    return len(head) == RECORD and head[:1] == HEADER and head[1:3] in {NOTICE, STATEMENT} and b"," not in head


def read_zengin(content: bytes, *, today: date) -> Statement:
    """Every incoming transfer that was not cancelled. Raises Unreadable naming the record."""
    kind, accounts, lines = b"", [], []
    for number, record in enumerate(_records(content), start=1):
        if record[:1] == HEADER:
            kind = record[1:3]
            accounts.append(_account(record, kind))
        elif record[:1] == DATA:
            line = _notice(record, number, today) if kind == NOTICE else _statement(record, number, today)
            lines += [line] if line else []
    layout = "zengin-notice" if kind == NOTICE else "zengin-statement"
    return Statement(layout, "・".join(dict.fromkeys(filter(None, accounts))), lines)


def _records(content: bytes) -> Iterator[bytes]:
    """200 bytes each; a break after a record may stand or not, and so may the old end-of-file mark."""
    at, end = 0, len(content.rstrip(b"\x1a\r\n"))
    while at < end:
        record = content[at : at + RECORD]
        if len(record) < RECORD and record[:1] not in {b"8", b"9"}:
            raise Unreadable(_("全銀形式の行の長さが 200 バイトではありません。ファイルが途中で切れています。"))
        yield record
        at += RECORD
        while content[at : at + 1] in {b"\r", b"\n"}:
            at += 1


def _account(record: bytes, kind: bytes) -> str:
    bank, branch = _text(record[22:26]), _text(record[41:44])
    number = _text(record[60:67]) if kind == NOTICE else _text(record[63:73])
    return f"{bank}-{branch}-{number[-7:]}"


def _notice(record: bytes, number: int, today: date) -> Incoming | None:
    if record[127:128] == CANCELLED:
        return None
    return Incoming(
        on=_era_day(record[7:13], number, today),
        amount=_yen(record[19:29], number),
        payer=_text(record[49:97]),
        text=_text(record[128:148]),
    )


def _statement(record: bytes, number: int, today: date) -> Incoming | None:
    if record[21:22] != DEPOSIT or record[22:24] not in TRANSFERRED:
        return None
    return Incoming(
        on=_era_day(record[9:15], number, today),
        amount=_yen(record[24:36], number),
        payer=_text(record[81:129]),
        text=" ".join(filter(None, (_text(record[159:179]), _text(record[179:199])))),
    )


def _text(field: bytes) -> str:
    return unicodedata.normalize("NFKC", field.decode("cp932", "replace")).replace("\0", " ").strip()


def _yen(field: bytes, number: int) -> int:
    text = field.decode("ascii", "replace").strip()
    if not text.isdecimal():
        raise Unreadable(_("%(n)s行目の金額が数字ではありません。") % {"n": number})
    if len(text.lstrip("0")) > MOST_DIGITS:
        raise _too_large(number)
    return int(text)


def _era_day(field: bytes, number: int, today: date) -> date:
    """A year of the era or, as some banks have it, the last two digits of the common one: whichever is nearer."""
    text = field.decode("ascii", "replace")
    if not re.fullmatch(r"\d{6}", text):
        raise Unreadable(_("%(n)s行目の日付が数字ではありません。") % {"n": number})
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        found = [date(base + year, month, day) for base in (REIWA, CENTURY)]
    except ValueError as error:
        raise Unreadable(_("%(n)s行目の日付がありえない日です。") % {"n": number}) from error
    return min(found, key=lambda one: abs((one - today).days))


# ---- CSV


HEADINGS: Mapping[str, Sequence[str]] = {
    "month": ("日(月)", "(月)"),
    "day": ("日(日)", "(日)"),
    "on": ("(年)", "勘定日", "取引日", "入金日", "年月日", "日付", "操作日"),
    "amount": (
        "入金金額",
        "お預り金額",
        "お預かり金額",
        "預入金額",
        "入金額",
        "お預り",
        "お預入",
        "入金",
        "預入",
        "金額",
    ),
    "payer": ("振込依頼人名", "振込依頼人", "依頼人", "取引内容", "摘要内容", "取り扱い内容", "内容", "摘要"),
    "text": ("EDI", "メモ", "備考", "摘要"),
}


def table_of(text: str) -> list[list[str]]:
    """Rows of cells; separated by tabs where the first line has any, else by commas. Raises Unreadable."""
    lines = text.strip("\ufeff\n\r")
    delimiter = "\t" if "\t" in lines.split("\n", 1)[0] else ","
    try:
        read = list(csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable(_("CSV として読み取れません。銀行からもう一度ダウンロードしてください。")) from error
    return [[cell.strip() for cell in row] for row in read if any(row)]


def guess_columns(rows: Sequence[Sequence[str]]) -> tuple[dict[str, int], int]:
    """(field → column, rows to skip) from the first row that looks like a heading; ({}, 0) when none does."""
    for at, row in enumerate(rows[:10]):
        heads = [unicodedata.normalize("NFKC", cell).replace(" ", "") for cell in row]
        found: dict[str, int] = {}
        for field, words in HEADINGS.items():
            column = next((c for word in words for c, head in enumerate(heads) if word in head), None)
            if column is not None and column not in found.values():
                found[field] = column
        if {"on", "amount", "payer"} <= found.keys():
            return found, at + 1
    return {}, 0


def read_csv(rows: Sequence[Sequence[str]], columns: Mapping[str, int], skip: int, *, today: date) -> list[Incoming]:
    """The rows with an incoming amount. Raises Unreadable naming the row."""
    if not {"on", "amount", "payer"} <= columns.keys():
        raise Unreadable(_("日付・入金額・振込依頼人の列を選んでください。"))
    lines = []
    for number, row in enumerate(rows[skip:], start=skip + 1):

        def cell(field: str, row: Sequence[str] = row) -> str:
            column = columns.get(field)
            return row[column] if column is not None and column < len(row) else ""

        amount = amount_of(cell("amount"))
        if not amount and _digits_of(cell("amount")):
            raise _too_large(number)
        if not amount:
            continue
        day = "/".join(filter(None, (cell("on"), cell("month"), cell("day"))))
        on = day_of(day, today=today)
        if on is None:
            raise Unreadable(_("%(n)s行目の日付「%(day)s」を読み取れません。") % {"n": number, "day": day[:20]})
        lines.append(Incoming(on, amount, payer_of(cell("payer")), _clean(cell("text"))))
    return lines


AMOUNT = re.compile(r"[¥￥\\]?\s*(\d{1,3}(?:,\d{3})+|\d+)\s*円?", re.ASCII)
MOST_DIGITS = 9  # of an amount; what has more is a number of something else


def amount_of(text: str) -> int:
    """Whole yen, 0 for an empty cell, a withdrawal or anything else."""
    digits = _digits_of(text)
    return int(digits or 0) if len(digits) <= MOST_DIGITS else 0


def _digits_of(text: str) -> str:
    match = AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return match[1].replace(",", "").lstrip("0") if match else ""


def _too_large(number: int) -> Unreadable:
    return Unreadable(_("%(n)s行目の金額が大きすぎます。金額の列を確かめてください。") % {"n": number})


DAY = re.compile(r"(?:(令和|R)\s*)?(\d{1,4}|元)[年/.\-](\d{1,2})[月/.\-](\d{1,2})日?.*", re.DOTALL)


def day_of(text: str, *, today: date) -> date | None:
    """2026/11/20, 20261120, 2026年11月20日, R8.11.20; two digits are taken for the nearer reading."""
    text = unicodedata.normalize("NFKC", text).strip()
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}/{text[4:6]}/{text[6:]}"
    match = DAY.fullmatch(text)
    if match is None:
        return None
    era, year, month, day = match.groups()
    number = 1 if year == "元" else int(year)
    bases = [REIWA] if era or year == "元" else [0] if number >= 100 else [REIWA, CENTURY]
    try:
        found = [date(base + number, int(month), int(day)) for base in bases]
    except ValueError:
        return None
    return min(found, key=lambda one: abs((one - today).days))


TRANSFER_WORDS = re.compile(r"^(?:振込入金|振込＊|振込\*|振込|フリコミ|振替|入金)[\s:：*＊]*")


def payer_of(text: str) -> str:
    """The name behind the bank's own word for a transfer."""
    clean = _clean(text)
    return TRANSFER_WORDS.sub("", clean) or clean


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


# ---- pasted text

PASTED = re.compile(r"^\s*(?P<day>\S*\d+[年/.\-]\d+[月/.\-]\d+日?)\s+(?P<rest>.+)$")


def read_pasted(text: str, *, today: date) -> list[Incoming]:
    """Lines of day, amount and name, the last two in either order. Raises Unreadable naming the line."""
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        read = _pasted(unicodedata.normalize("NFKC", line), today)
        if read is None:
            raise Unreadable(
                _("%(n)s行目を読み取れません。「2026/11/20 12,345 ヤマダタロウ」のように並べてください。")
                % {"n": number}
            )
        lines.append(read)
    return lines


def _pasted(line: str, today: date) -> Incoming | None:
    match = PASTED.match(line.replace("\t", " "))
    on = day_of(match["day"], today=today) if match else None
    if match is None or on is None:
        return None
    words = match["rest"].split()
    amounts = [at for at, word in enumerate(words) if amount_of(word)]
    if not amounts or len(words) == 1:
        return None
    at = amounts[0] if amounts[0] == 0 else amounts[-1]
    return Incoming(on, amount_of(words[at]), payer_of(" ".join(words[:at] + words[at + 1 :])))

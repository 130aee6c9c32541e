"""What a buyer's remark says: the channel's own slip lines and plain delivery wishes are understood, the rest is left.

Pure. Malls write the delivery wish into the remark ("[配送日時指定:]" and lines below it), shoppers write "特になし",
and many ask for a delivery box. None of that needs a person; what remains does.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

SLOTS = {"午前中": "am", "午前": "am", "夜間": "1921"}

HEADING = re.compile(r"^\[[^\]]{1,20}\]$")
LABEL = re.compile(
    r"^(?:配送日時指定|お?届け(?:希望)?日(?:時)?|配達希望(?:日時?|時間帯?)?|希望(?:配達)?日時?|時間帯?指定?|希望時間帯?|備考|のし|その他)[::]\s*"
)
DATE = re.compile(
    r"(?:(?P<year>20\d\d)[-/年.])?(?P<month>1[0-2]|0?[1-9])[-/月.](?P<day>3[01]|[12]\d|0?[1-9])日?(?:\s*\([月火水木金土日祝]\))?"
)
# A day or an hour in other words than a date.
WHEN = re.compile(
    r"[月火水木金土日]曜日?|(?:本日|今日|明日|あした|明後日|あさって|今週|来週|週末|月末|連休)|"
    r"(?:午前|午後|朝|夕方|夜)\s*(?:\d{1,2}時)?|\d{1,2}(?:時(?!間)|:\d\d)"
)
HOURS = re.compile(r"(?P<start>\d{1,2})(?::00|時)?\s*(?:[~〜–-]|から)\s*(?P<end>\d{1,2})(?::00|時)(?:頃|の間)?")
NOTHING = re.compile(
    r"^(?:特に?(?:は)?(?:あり|ござい)ません|(?:特に)?(?:なし|無し|ない(?:です)?)|-+|指定(?:なし|しない)|希望(?:なし|しない))$"
)
# A sentence made of nothing but the words of delivery, saying that there is no wish. No word may be added that could
# turn it: "配達は不要です" and "配達を希望しません" are for a person.
ABOUT = (
    r"(?:(?:お|ご)?(?:届け|配達|配送|到着|受け?取り?)|日時|日付|日にち|曜日|日|時間帯|時間|時刻|(?:お|ご)?(?:希望|指定|要望)|"
    r"特に|とくに|には|[のやとはがもに・、])"
)
NO_WISH = re.compile(
    rf"^(?:(?=.*(?:希望|指定|要望)){ABOUT}+(?:(?:あり|ござい)ません|なし(?:です)?|無し(?:です)?|ない(?:です)?)"
    rf"|(?=.*(?:日|時)){ABOUT}+いつでも(?:構いません|かまいません|大丈夫です|結構です|いいです|良いです)"
    rf"|(?=.*(?:希望|指定)){ABOUT}+不要(?:です)?)$"
)
COURTESY = re.compile(
    r"^(?:どうぞ)?(?:よろしく|宜しく)(?:お願い(?:いた|致)?します|お願い申し上げます)$|^お(?:世話|手数)になり?ます$|^ありがとうございます$"
)
# What carrier and packers read on the label or the slip; no one has to decide anything…
CARRIER_TOPIC = re.compile(
    r"宅配(?:ボックス|box)|置き配|玄関(?:前|先)|メーターボックス|物置|管理人|インターホン|チャイム|呼び鈴|不在|"
    r"納品書[はを]?(?:同梱)?(?:不要|なし)|(?:明細書?|ちらし|チラシ|カタログ)(?:類)?[はを]?(?:同梱)?不要|品名[はを]"
)
# …unless something is asked, or the order itself is to be changed.
ASKS = re.compile(
    r"\?|か$|教えて|返事|返信|連絡|確認|可能|変更|取消|取り消|キャンセル|住所|引っ?越|返品|交換|領収|請求|見積|注文|追加|急ぎ|電話"
)
WISH_TAIL = re.compile(
    r"^(?:に|で|の|着|必着|頃|ごろ|以降|までに?|を?)*(?:(?:配達|お?届け|配送|到着|指定)(?:を)?)?(?:希望(?:します|です)?|(?:で)?お願い(?:いた|致)?します|してください|して下さい)?$"
)


@dataclass(frozen=True, slots=True)
class Remark:
    """`rest` is what a person must read; `carrier_note` what only the carrier must."""

    wish_date: date | None = None
    wish_slot: str = ""
    carrier_note: str = ""
    rest: str = ""


def read(text: str, ordered_on: date) -> Remark:
    """Read a remark written on `ordered_on`. A date without a year is the next such day."""
    wish_date, wish_slot, carrier, rest = None, "", [], []
    for sentence in _sentences(text):
        found_date, found_slot, left = _wish(sentence, ordered_on)
        if WISH_TAIL.match(left) and (found_date or found_slot):
            wish_date, wish_slot = found_date or wish_date, found_slot or wish_slot
        elif CARRIER_TOPIC.search(sentence) and not ASKS.search(sentence):
            carrier.append(sentence)
        elif not (NOTHING.match(sentence) or NO_WISH.match(sentence) or COURTESY.match(sentence)):
            rest.append(sentence)
    return Remark(wish_date, wish_slot, "。".join(carrier), "\n".join(rest))


def _sentences(text: str) -> list[str]:
    """Normalised lines and sentences, without headings, labels and closing marks."""
    plain = unicodedata.normalize("NFKC", text).lower()
    parts = (part.strip(" 、,.!") for line in plain.splitlines() for part in re.split(r"[。!]|(?<=\?)", line))
    lines = (LABEL.sub("", part).strip() for part in parts if not HEADING.match(part))
    return [line for line in lines if line]


def _wish(sentence: str, ordered_on: date) -> tuple[date | None, str, str]:
    """The date and slot in one sentence, and what is left of it without them."""
    left, day, slot = sentence, None, ""
    hours = HOURS.search(left)
    if (match := DATE.search(left)) and not (hours and hours.start() <= match.start() < hours.end()):
        day = day_named(match, ordered_on)
        left = left[: match.start()] + left[match.end() :] if day else left
    for word, code in SLOTS.items():
        if not slot and word in left:
            slot, left = code, left.replace(word, "", 1)
    if not slot and (match := HOURS.search(left)):
        slot = f"{int(match['start']):02d}{int(match['end']):02d}"
        left = left[: match.start()] + left[match.end() :]
    return day, slot, re.sub(r"[\s、,・/()]+", "", left)


def day_named(match: re.Match[str], ordered_on: date) -> date | None:
    """The day that a match of `DATE` means in a text of `ordered_on`; None when there is no such day."""
    try:
        day = date(int(match["year"] or ordered_on.year), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    return day if match["year"] or day >= ordered_on else day.replace(year=day.year + 1)


def find_date(text: str, ordered_on: date) -> str:
    """What in a text names a day, as it was written; empty when nothing does."""
    for sentence in _sentences(text):
        match = DATE.search(sentence)
        if match and day_named(match, ordered_on):
            return match[0]
    return ""


def find_when(text: str, ordered_on: date) -> str:
    """The same of a day, a weekday or an hour in whatever words."""
    if found := find_date(text, ordered_on):
        return found
    match = next((match for sentence in _sentences(text) if (match := WHEN.search(sentence))), None)
    return match[0].strip() if match else ""

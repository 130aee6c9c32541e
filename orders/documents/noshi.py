"""What a noshi shall look like, read from the words in which a buyer or a mall told it. Pure."""

import re
from dataclasses import dataclass

# As they are written on the paper; what a buyer writes in kana means the same.
PURPOSES = frozenset({
    "御祝", "御結婚御祝", "結婚御祝", "寿", "御出産御祝", "出産御祝", "御新築御祝", "新築御祝", "御入学御祝",
    "入学御祝", "御卒業御祝", "御就職御祝", "御開店御祝", "開店御祝", "御昇進御祝", "還暦御祝", "古希御祝", "喜寿御祝",
    "傘寿御祝", "米寿御祝", "白寿御祝", "長寿御祝", "初節句御祝", "内祝", "出産内祝", "結婚内祝", "新築内祝",
    "入学内祝", "快気内祝", "命名内祝", "快気祝", "全快祝", "御礼", "謝礼", "御中元", "御歳暮",
    "御年賀", "暑中御見舞", "残暑御見舞", "寒中御見舞", "暑中御伺", "御見舞", "御挨拶", "御餞別", "記念品",
    "粗品", "粗菓", "祝敬老の日", "祝敬老", "志", "満中陰志", "忌明志", "粗供養", "御供",
    "御供物", "御霊前", "御仏前", "偲び草", "無地",
})  # fmt: skip
KANA = (
    (re.compile("^[おご](?=[^おご])"), "御"),
    (re.compile("お(?=祝|見舞|礼|伺)"), "御"),
    (re.compile("祝い$"), "祝"),
)
CORD = re.compile(
    r"(?:水引)?(?P<color>紅白|赤白|黒白|黄白|双銀|金銀)?の?"
    r"(?P<knot>花結び|蝶結び|蝶々結び|ちょう結び|結び切り|結切り|あわじ結び|淡路結び)(?P<cords>[357]本|10本|十本)?(?:水引|のし|熨斗)?"
)
COLOR = re.compile("(?:水引)?(紅白|赤白|黒白|黄白|双銀|金銀)(?:水引)?")
KNOTS = {
    "花結び": "蝶結び",
    "蝶々結び": "蝶結び",
    "ちょう結び": "蝶結び",
    "結切り": "結び切り",
    "淡路結び": "あわじ結び",
}
PLACE = re.compile("(内|外|うち|そと)(?:のし|熨斗|掛け|がけ)?")
PLACES = {"内": "内のし", "うち": "内のし", "外": "外のし", "そと": "外のし"}
MOURNING = re.compile("弔事用?|仏事用?|法事用?")

LABELS = {
    "表書き": "purpose", "表書": "purpose", "上書き": "purpose", "用途": "purpose",
    "名入れ": "name", "名入": "name", "お名前": "name", "名前": "name", "贈り主": "name", "贈り主名": "name",
    "水引": "cord", "種類": "cord", "のしの種類": "cord", "のし種類": "cord", "熨斗の種類": "cord",
    "掛け方": "place", "のしの掛け方": "place", "かけ方": "place", "内のし・外のし": "place", "内外": "place",
}  # fmt: skip
_LABEL = "|".join(sorted(LABELS, key=len, reverse=True))
LABELLED = re.compile(rf"(?P<label>{_LABEL})\s*[:：]\s*(?P<said>.*)", re.S)
PARTS = re.compile(rf"[、,，;；\n／/]|(?<![ぁ-んァ-ヶ一-龠・])(?=(?:{_LABEL})\s*[:：])")
_EMPTY = r"\s*[:：]\s*(?=$|[、,，;；\n／/])"
NO_PURPOSE = re.compile(rf"(?:表書き?|上書き|用途){_EMPTY}")
NO_NAME = re.compile(rf"(?:名入れ?|お?名前|贈り主名?){_EMPTY}|名入れ(?:あり|有り?)\s*$")
WORDS = re.compile(r"[\s()（）【】\[\]「」:：・]+")
ONLY_NOSHI = re.compile("(のし|熨斗)(紙|あり|有り|希望|を?希望します)?")


@dataclass(frozen=True, slots=True)
class Noshi:
    """`text` is all that was said. What of it could not be told apart is in `rest`, never lost."""

    text: str
    cord: str = ""  # 水引
    purpose: str = ""  # 表書き
    name: str = ""  # 名入れ
    place: str = ""  # 内のし or 外のし
    rest: str = ""


def read_noshi(text: str) -> Noshi:
    """Words with a label ("名入れ：山田") are what the label says; others are told by what they are. A name without
    its label is not guessed: it stays in `rest`."""
    found: dict[str, str] = {}
    rest: list[str] = []
    for part in filter(None, (part.strip() for part in PARTS.split(text))):
        labelled = LABELLED.fullmatch(part)
        said = labelled["said"].strip() if labelled else part
        kind = LABELS[labelled["label"]] if labelled else ""
        if kind in ("name", "purpose") and said and kind not in found:
            found[kind] = (_purpose(said) or said) if kind == "purpose" else said
            continue
        rest += [word for word in filter(None, WORDS.split(said)) if not _told(word, found)]
    return Noshi(text=text.strip(), rest=" ".join(rest), **found)


def lacks_purpose(text: str) -> bool:
    """A noshi without words for its head: nobody knows what to write. What could not be told apart may be those."""
    noshi = read_noshi(text)
    return not noshi.purpose and (not noshi.rest or NO_PURPOSE.search(text) is not None)


def lacks_name(text: str) -> bool:
    """A name was asked for and left empty; a purpose alone is complete."""
    return not read_noshi(text).name and NO_NAME.search(text) is not None


def in_words(noshi: Noshi) -> str:
    """The parts as one text in which people, rules and files find each of them; empty when there is none."""
    labelled = (("水引", noshi.cord), ("表書き", noshi.purpose), ("名入れ", noshi.name), ("掛け方", noshi.place))
    return "／".join([*(f"{label}：{value}" for label, value in labelled if value), *filter(None, [noshi.rest])])


def in_one_line(noshi: Noshi) -> str:
    """As it is printed where there is room for a line: what was understood, else the words as they came."""
    name = f"名入れ「{noshi.name}」" if noshi.name else ""
    parts = [noshi.cord, noshi.purpose, name, noshi.place, noshi.rest]
    return "　".join(filter(None, parts)) or noshi.text


def _told(word: str, found: dict[str, str]) -> bool:
    """Put the word where it belongs; False for one that belongs nowhere or says a second, different thing."""
    if ONLY_NOSHI.fullmatch(word):
        return True
    cord = _cord(word)
    place = PLACE.fullmatch(word)
    kinds = (("cord", cord), ("place", PLACES[place[1]] if place else ""), ("purpose", _purpose(word)))
    for kind, value in kinds:
        if value:
            return found.setdefault(kind, value) == value
    return False


def _cord(word: str) -> str:
    if match := CORD.fullmatch(word):
        knot = KNOTS.get(match["knot"], match["knot"])
        return f"{match['color'] or ''}{knot}{match['cords'] or ''}"
    if match := COLOR.fullmatch(word):
        return match[1]
    return "弔事" if MOURNING.fullmatch(word) else ""


def _purpose(word: str) -> str:
    word = re.sub("(?:のし|熨斗)$", "", word)
    for pattern, written in KANA:
        word = pattern.sub(written, word)
    return word if word in PURPOSES else ""

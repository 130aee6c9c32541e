"""What files of other systems hold: fields, the heads they are known by, and cells read into values. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from inventory import own_fields
from oms.kernel import clock
from oms.kernel.address import full_prefecture
from oms.kernel.postal import postal_digits
from oms.kernel.said import said

MOST_UNITS = 9_999_999
MOST_YEN = 999_999_999
MOST_GRAMS = 9_999_999


class BadCell(Exception):
    """A cell that cannot be read; the sentence says what to write."""


@dataclass(frozen=True, slots=True)
class Field:
    """`heads` are names other systems and people use for it, compared without width, case and spaces."""

    label: str | Promise
    heads: tuple[str, ...]
    needed: bool = False


FIELDS: Mapping[str, Mapping[str, Field]] = {
    "products": {
        "code": Field(lazy("SKUコード"), ("syohin_code", "商品コード", "sku", "skuコード", "品番"), needed=True),
        "name": Field(lazy("商品名"), ("syohin_name", "商品名", "品名", "name"), needed=True),
        "product": Field(lazy("親商品コード"), ("daihyo_syohin_code", "代表商品コード", "親商品コード")),
        "variant": Field(lazy("バリエーション"), ("バリエーション", "バリエーション名", "規格")),
        "jan": Field(lazy("JANコード"), ("jan_code", "janコード", "jan", "バーコード")),
        "price": Field(lazy("販売価格（税込）"), ("baika_tnk", "売価", "販売価格", "価格")),
        "tax_rate": Field(lazy("税率"), ("消費税率", "税率", "tax_rate")),
        "shelf": Field(lazy("棚番"), ("location", "棚番", "ロケーション")),
        "cost": Field(lazy("仕入価格（税抜）"), ("genka_tnk", "仕入価格", "仕入価格税抜", "原価", "仕入単価", "cost")),
        "supplier": Field(lazy("仕入先"), ("仕入先", "仕入先名", "仕入先名称", "supplier")),
        "weight": Field(lazy("重さ（g）"), ("重さ", "重量", "重さg", "重量g", "weight", "weight_g")),
        "tags": Field(lazy("商品タグ"), ("商品タグ", "タグ", "tags")),
        "custom": Field(lazy("自由項目（素材=綿；原産国=日本）"), ("自由項目", "カスタム項目", "custom")),
    },
    "bundles": {
        "code": Field(lazy("セットのSKUコード"), ("set_syohin_code", "セット商品コード"), needed=True),
        "name": Field(lazy("セットの商品名"), ("set_syohin_name", "セット商品名")),
        "price": Field(lazy("販売価格（税込）"), ("set_baika_tnk", "セット売価", "販売価格")),
        "part": Field(lazy("構成品のSKUコード"), ("syohin_code", "商品コード", "構成品コード"), needed=True),
        "quantity": Field(lazy("数量"), ("suryo", "数量", "構成数"), needed=True),
    },
    "stock": {
        "code": Field(lazy("SKUコード"), ("syohin_code", "商品コード", "sku", "skuコード", "品番"), needed=True),
        "place": Field(lazy("拠点コード"), ("拠点コード", "拠点", "倉庫コード", "倉庫")),
        "on_hand": Field(lazy("在庫数"), ("在庫数", "実在庫", "在庫"), needed=True),
    },
    "members": {
        "member_no": Field(lazy("会員番号"), ("会員番号", "会員id", "顧客番号", "顧客id", "member_no")),
        "name": Field(lazy("氏名"), ("氏名", "会員名", "名前", "顧客名", "name")),
        "kana": Field(lazy("カナ"), ("カナ", "氏名カナ", "フリガナ", "ふりがな")),
        "phone": Field(lazy("電話番号"), ("電話番号", "電話", "tel", "phone")),
        "email": Field(lazy("メール"), ("メール", "メールアドレス", "email", "mail")),
        "postal": Field(lazy("郵便番号"), ("郵便番号", "〒")),
        "prefecture": Field(lazy("都道府県"), ("都道府県",)),
        "birthday": Field(lazy("生年月日"), ("生年月日", "誕生日", "birthday")),
        "rank": Field(lazy("会員ランク"), ("会員ランク", "ランク", "rank")),
        "store_member": Field(lazy("店舗会員"), ("店舗会員", "店舗会員フラグ")),
        "tags": Field(lazy("会員のタグ"), ("会員のタグ", "会員タグ", "タグ")),
    },
    "orders": {
        "no": Field(lazy("受注番号"), ("店舗伝票番号", "受注番号", "注文番号"), needed=True),
        "ordered_at": Field(lazy("受注日"), ("受注日", "注文日", "注文日時", "受注日時"), needed=True),
        "name": Field(lazy("注文者"), ("受注名", "注文者名", "注文者氏名", "購入者名"), needed=True),
        "kana": Field(lazy("注文者カナ"), ("受注名カナ", "注文者名カナ", "購入者カナ")),
        "phone": Field(lazy("注文者の電話番号"), ("受注電話番号", "注文者電話番号", "購入者電話番号")),
        "email": Field(lazy("注文者のメール"), ("受注メールアドレス", "注文者メールアドレス", "メールアドレス")),
        "postal": Field(lazy("注文者の郵便番号"), ("受注郵便番号", "注文者郵便番号")),
        "address1": Field(lazy("注文者の住所1"), ("受注住所1", "注文者住所1", "注文者住所")),
        "address2": Field(lazy("注文者の住所2"), ("受注住所2", "注文者住所2")),
        "to_name": Field(lazy("届け先"), ("発送先名", "送付先名", "届け先名", "お届け先名")),
        "to_kana": Field(lazy("届け先カナ"), ("発送先カナ", "送付先名カナ")),
        "to_phone": Field(lazy("届け先の電話番号"), ("発送電話番号", "発送先電話番号", "送付先電話番号")),
        "to_postal": Field(lazy("届け先の郵便番号"), ("発送郵便番号", "発送先郵便番号", "送付先郵便番号")),
        "to_address1": Field(lazy("届け先の住所1"), ("発送先住所1", "送付先住所1", "送付先住所")),
        "to_address2": Field(lazy("届け先の住所2"), ("発送先住所2", "送付先住所2")),
        "payment": Field(lazy("支払方法"), ("支払方法", "決済方法")),
        "delivery": Field(lazy("配送方法"), ("発送方法", "配送方法")),
        "goods": Field(lazy("商品合計"), ("商品計", "商品合計")),
        "shipping": Field(lazy("送料"), ("発送料", "送料")),
        "fees": Field(lazy("手数料"), ("手数料", "決済手数料")),
        "points": Field(lazy("ポイント利用"), ("ポイント", "ポイント利用額")),
        "total": Field(lazy("合計金額"), ("合計金額", "請求金額", "総合計")),
        "remarks": Field(lazy("備考"), ("備考",)),
        "sku": Field(lazy("商品コード"), ("商品コード", "sku", "skuコード"), needed=True),
        "item": Field(lazy("商品名"), ("商品名",)),
        "options": Field(lazy("選択肢"), ("商品オプション", "選択肢")),
        "price": Field(lazy("単価"), ("商品価格", "単価", "販売単価")),
        "quantity": Field(lazy("数量"), ("受注数量", "数量", "個数"), needed=True),
        "shipped": Field(lazy("出荷済み"), ("出荷済フラグ", "出荷済み", "出荷日", "出荷確定日")),
        "cancelled": Field(lazy("キャンセル"), ("キャンセル区分", "キャンセル")),
    },
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A documented layout: field → head."""

    name: str
    kind: str
    heads: Mapping[str, str]


# Layouts: manual.next-engine.net, 商品管理の一括登録, 受注CSVファイルの作成【汎用】 (5552).
PRESETS = (
    Preset(
        "ネクストエンジン 商品マスタ", "products",
        {"code": "syohin_code", "product": "daihyo_syohin_code", "name": "syohin_name", "price": "baika_tnk"},
    ),
    Preset(
        "ネクストエンジン 汎用受注", "orders",
        {
            "no": "店舗伝票番号", "ordered_at": "受注日", "postal": "受注郵便番号", "address1": "受注住所1",
            "address2": "受注住所2", "name": "受注名", "kana": "受注名カナ", "phone": "受注電話番号",
            "email": "受注メールアドレス", "to_postal": "発送郵便番号", "to_address1": "発送先住所1",
            "to_address2": "発送先住所2", "to_name": "発送先名", "to_kana": "発送先カナ", "to_phone": "発送電話番号",
            "payment": "支払方法", "delivery": "発送方法", "goods": "商品計", "shipping": "発送料", "fees": "手数料",
            "points": "ポイント", "total": "合計金額", "remarks": "備考", "item": "商品名", "sku": "商品コード",
            "price": "商品価格", "quantity": "受注数量", "options": "商品オプション", "shipped": "出荷済フラグ",
        },
    ),
)  # fmt: skip


def head_key(head: str) -> str:
    """One spelling for 受注住所１, 受注住所1 and 受注住所 1."""
    return re.sub(r"[\s_\-（）()【】]", "", unicodedata.normalize("NFKC", head).casefold())


def guess(kind: str, heads: Sequence[str]) -> tuple[str, dict[str, int]]:
    """(name of the preset that fits, or "", field → column): a documented layout when the file has its heads, else
    whatever heads are known."""
    at = places(heads)
    for preset in PRESETS:
        if preset.kind == kind and all(head_key(head) in at for head in list(preset.heads.values())):
            return preset.name, chosen(preset.heads, heads) | {
                name: column for name, column in _known(kind, at).items() if name not in preset.heads
            }
    return "", _known(kind, at)


def _known(kind: str, at: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, one in FIELDS[kind].items():
        column = next((at[key] for head in one.heads if (key := head_key(head)) in at), None)
        if column is not None and column not in found.values():
            found[name] = column
    return found


def places(heads: Sequence[str]) -> dict[str, int]:
    """Head → column; of equal heads the first."""
    found: dict[str, int] = {}
    for column, head in enumerate(heads):
        found.setdefault(head_key(head), column)
    return found


def chosen(wanted: Mapping[str, str], heads: Sequence[str]) -> dict[str, int]:
    """A preset's fields in this file."""
    at = places(heads)
    return {name: at[head_key(head)] for name, head in wanted.items() if head_key(head) in at}


def missing(kind: str, mapping: Mapping[str, int]) -> list[str]:
    return [str(one.label) for name, one in FIELDS[kind].items() if one.needed and name not in mapping]


def values_of(cells: Sequence[str], mapping: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[at].strip() if at < len(cells) else "" for name, at in mapping.items()}


def key_of(kind: str, values: Mapping[str, str], *, place: str = "") -> str:
    """What names the unit a line belongs to. Raises BadCell for a line whose cells cannot be read."""
    CHECKS[kind](values)
    if kind == "stock":
        where = values.get("place") or place
        if not where:
            raise BadCell(said("拠点コードがありません。列を選ぶか、取り込む拠点を選んでください。"))
        return f"{values['code']}\t{where}"
    if kind == "members":
        return _key_of_member(values)
    return values["no"] if kind == "orders" else values["code"]


def _key_of_member(values: Mapping[str, str]) -> str:
    """By the surest thing that the line tells."""
    if number := values.get("member_no"):
        return f"no:{number}"
    if mail := values.get("email"):
        return f"mail:{mail.casefold()}"
    return f"tel:{postal_digits(values.get('phone', ''))}:{values.get('name', '')}"[:200]


def _check_product(values: Mapping[str, str]) -> None:
    text(values, "code", said("SKUコード"), 60)
    text(values, "name", said("商品名"), 255)
    yen(values.get("price", ""))
    tax_rate(values.get("tax_rate", ""))
    jan(values.get("jan", ""))
    short(values, "product", said("親商品コード"), 60)
    short(values, "variant", said("バリエーション"), 120)
    short(values, "shelf", said("棚番"), 40)
    short(values, "supplier", said("仕入先"), 100)
    cost(values.get("cost", ""))
    grams(values.get("weight", ""))
    tags(values.get("tags", ""))
    custom(values.get("custom", ""))


def _check_bundle(values: Mapping[str, str]) -> None:
    text(values, "code", said("セットのSKUコード"), 60)
    text(values, "part", said("構成品のSKUコード"), 60)
    if not units(values.get("quantity", "")):
        raise BadCell(said("数量は1以上にしてください。"))
    if values["code"] == values["part"]:
        raise BadCell(said("セットの構成品に、そのセット自身は入れられません。"))
    yen(values.get("price", ""))


def _check_stock(values: Mapping[str, str]) -> None:
    text(values, "code", said("SKUコード"), 60)
    units(values.get("on_hand", ""))


def _check_order(values: Mapping[str, str]) -> None:
    text(values, "no", said("受注番号"), 64)
    text(values, "name", said("注文者"), 120)
    text(values, "sku", said("商品コード"), 120)
    moment(values.get("ordered_at", ""))
    if not units(values.get("quantity", "")):
        raise BadCell(said("数量は1以上にしてください。"))
    for name in ("price", "goods", "shipping", "fees", "points", "total"):
        yen(values.get(name, ""))


def _check_member(values: Mapping[str, str]) -> None:
    short(values, "member_no", said("会員番号"), 40)
    short(values, "name", said("氏名"), 120)
    short(values, "email", said("メール"), 254)
    if not (values.get("member_no") or values.get("email") or (values.get("phone") and values.get("name"))):
        raise BadCell(said("会員番号、メール、または氏名と電話番号のどれかが要ります。"))
    if values.get("birthday"):
        birthday(values["birthday"])
    tags(values.get("tags", ""))


def birthday(cell: str) -> date:
    day = moment(cell).date()
    if not date(1900, 1, 1) <= day <= clock.today():
        raise BadCell(said("生年月日「%(cell)s」は1900年から今日までの日付にしてください。", cell=cell[:30]))
    return day


CHECKS = {
    "members": _check_member,
    "products": _check_product,
    "bundles": _check_bundle,
    "stock": _check_stock,
    "orders": _check_order,
}


def text(values: Mapping[str, str], name: str, label: str, most: int) -> str:
    found = values.get(name, "")
    if not found:
        raise BadCell(said("%(label)sが空です。", label=label))
    return short(values, name, label, most)


def short(values: Mapping[str, str], name: str, label: str, most: int) -> str:
    found = values.get(name, "")
    if len(found) > most:
        raise BadCell(said("%(label)sは%(most)d文字までです。", label=label, most=most))
    return found


def yen(cell: str) -> int:
    """¥1,200 and 1200.00 are 1200; an empty cell is 0."""
    plain = re.sub(r"[¥￥\\,円\s]", "", unicodedata.normalize("NFKC", cell))
    if not plain:
        return 0
    if not re.fullmatch(r"-?\d+(\.0+)?", plain) or abs(int(plain.split(".")[0])) > MOST_YEN:
        raise BadCell(said("金額「%(cell)s」を読み取れません。円の整数で書いてください。", cell=cell[:30]))
    return int(plain.split(".")[0])


def cost(cell: str) -> int:
    found = yen(cell)
    if found < 0:
        raise BadCell(said("仕入価格「%(cell)s」は0以上の整数で書いてください。", cell=cell[:30]))
    return found


def grams(cell: str) -> int:
    """450, 450g, 1,200 グラム and 1.2kg; whole grams. An empty cell is 0."""
    plain = re.sub(r"[,\s]", "", unicodedata.normalize("NFKC", cell)).casefold()
    if not plain:
        return 0
    match = re.fullmatch(r"(\d{1,8})(?:\.(\d{1,3}))?(g|グラム|kg|キログラム)?", plain)
    whole, part, unit = match.groups() if match else ("", "", "")
    found = int(f"{whole}{(part or '').ljust(3, '0')}") if whole else -1  # in thousandths of what stands there
    heavy = found if unit in {"kg", "キログラム"} else found // 1000
    if match is None or (unit not in {"kg", "キログラム"} and found % 1000) or heavy > MOST_GRAMS:
        raise BadCell(said("重さ「%(cell)s」を読み取れません。グラムの整数で書いてください。", cell=cell[:30]))
    return heavy


def tags(cell: str) -> list[str]:
    try:
        return own_fields.read_tags(cell)
    except own_fields.Unreadable as fault:
        raise BadCell(said("タグ「%(cell)s」は使えません。1つ40字、30個までです。", cell=str(fault)[:30])) from fault


def custom(cell: str) -> dict[str, str]:
    try:
        return own_fields.read_fields(cell)
    except own_fields.Unreadable as fault:
        raise BadCell(
            said(
                "自由項目「%(cell)s」を読み取れません。「素材=綿；原産国=日本」の形で書いてください。",
                cell=str(fault)[:30],
            )
        ) from fault


def units(cell: str) -> int:
    plain = re.sub(r"[,個点\s]", "", unicodedata.normalize("NFKC", cell))
    if not re.fullmatch(r"\d+(\.0+)?", plain) or int(plain.split(".")[0]) > MOST_UNITS:
        raise BadCell(said("数「%(cell)s」を読み取れません。0以上の整数で書いてください。", cell=cell[:30]))
    return int(plain.split(".")[0])


def tax_rate(cell: str) -> int:
    plain = unicodedata.normalize("NFKC", cell).replace("%", "").strip()
    rates = {
        "": 10,
        "10": 10,
        "0.1": 10,
        "0.10": 10,
        "8": 8,
        "0.08": 8,
        "標準": 10,
        "軽減": 8,
        "標準税率": 10,
        "軽減税率": 8,
    }
    if plain not in rates:
        raise BadCell(said("税率「%(cell)s」を読み取れません。8か10で書いてください。", cell=cell[:30]))
    return rates[plain]


def jan(cell: str) -> str:
    plain = unicodedata.normalize("NFKC", cell).replace(" ", "")
    if plain and not re.fullmatch(r"\d{8}|\d{12,14}", plain):
        raise BadCell(said("JANコード「%(cell)s」は8桁か12〜14桁の数字にしてください。", cell=cell[:30]))
    return plain


SHAPES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d", "%Y%m%d%H%M%S")


def moment(cell: str) -> datetime:
    """A date or time on a Tokyo clock."""
    plain = unicodedata.normalize("NFKC", cell).replace("-", "/").replace("T", " ").strip()[:19]
    plain = re.sub(r"年|月", "/", plain).replace("日", "")
    for shape in SHAPES:
        try:
            return datetime.strptime(plain, shape).replace(tzinfo=clock.TOKYO)
        except ValueError:
            continue
    raise BadCell(said("日付「%(cell)s」を読み取れません。2026/11/20 10:30:00 の形で書いてください。", cell=cell[:30]))


def is_yes(cell: str) -> bool:
    """Flags and dates: anything but empty and a plain no."""
    return unicodedata.normalize("NFKC", cell).strip().casefold() not in {
        "",
        "0",
        "false",
        "no",
        "未",
        "未出荷",
        "しない",
    }


def split_address(line1: str, line2: str) -> tuple[str, str, str]:
    """(prefecture, city, rest): the first line often holds prefecture and city in one."""
    found = re.match(r"(北海道|東京都|大阪府|京都府|.{2,3}県)(.*)", line1)
    prefecture, rest = (full_prefecture(found.group(1)), found.group(2)) if found else ("", line1)
    town = re.match(r"(.+?郡.+?[町村]|.+?市.+?区|.+?[市区町村])(.*)", rest)
    city, tail = (town.group(1), town.group(2)) if town else ("", rest)
    return prefecture, city, f"{tail} {line2}".strip()


def postal(cell: str) -> str:
    return postal_digits(cell)

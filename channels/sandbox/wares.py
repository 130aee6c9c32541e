"""Words the catalogue is made of: what this merchant sells, in which colours and sizes, at which prices."""

from dataclasses import dataclass

Variant = tuple[str, str]
"""(suffix in the code, word in Japanese)"""


@dataclass(frozen=True, slots=True)
class Family:
    """Products that differ by series and kind, each in some colours and sizes."""

    prefix: str
    category: str
    series: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]  # (Japanese kind, base price including tax)
    colours: tuple[Variant, ...] = ()
    sizes: tuple[Variant, ...] = ()
    tax_rate: int = 10
    temperature: str = "ambient"
    size_cm: int = 60
    weight_g: int = 800
    products: int = 50


WOOD = (("WN", "ウォールナット"), ("OK", "オーク"), ("WH", "ホワイト"), ("GY", "グレージュ"))
PAINT = (("BK", "マットブラック"), ("NV", "ネイビー"), ("IV", "アイボリー"), ("GN", "オリーブ"))
CLOTH = (("WH", "白"), ("BK", "黒"), ("NV", "紺"), ("GY", "杢グレー"))
SIZES = (("S", "S"), ("M", "M"), ("L", "L"), ("XL", "XL"))
PACKS = (("1", "1袋"), ("3", "3袋セット"))

FURNITURE = Family(
    "FUR",
    "furniture",
    ("ノルド", "和の音", "ミナモ", "ソリッド", "ハルカ", "アトリ", "こもれび", "リュミエ", "カエデ", "タタズミ"),
    (
        ("ダイニングテーブル 幅120", 32800),
        ("ダイニングチェア 2脚組", 15800),
        ("ソファ 2人掛け", 42800),
        ("テレビボード 幅150", 24800),
        ("本棚 5段", 12800),
        ("サイドテーブル", 6980),
        ("すのこベッド シングル", 19800),
    ),
    WOOD,
    size_cm=200,
    weight_g=18000,
    products=60,
)
BICYCLE = Family(
    "BIC",
    "bicycle",
    ("ルート", "カゼ", "シティア", "トレイル", "ソラ", "メトロ"),
    (
        ("クロスバイク 700C", 39800),
        ("シティサイクル 26インチ", 24800),
        ("折りたたみ自転車 20インチ", 29800),
        ("子ども用自転車 18インチ", 18800),
        ("電動アシスト自転車 26インチ", 98000),
    ),
    PAINT,
    size_cm=260,
    weight_g=19000,
    products=30,
)
APPAREL = Family(
    "APP",
    "apparel",
    ("綿麻", "吸水速乾", "オーガニックコットン", "リネン", "裏起毛", "和晒し", "メリノ", "シアサッカー"),
    (
        ("Tシャツ", 2980),
        ("ロングTシャツ", 3480),
        ("シャツ", 5480),
        ("パーカー", 6480),
        ("ワイドパンツ", 5980),
        ("カーディガン", 6980),
        ("ワンピース", 7980),
        ("ルームウェア上下", 4980),
    ),
    CLOTH,
    SIZES,
    weight_g=300,
    products=64,
)
FOOD = Family(
    "FOD",
    "food",
    ("静岡", "宇治", "信州", "北海道", "沖縄", "能登", "讃岐", "南部", "丹波", "瀬戸内"),
    (
        ("深蒸し茶 100g", 1180),
        ("ほうじ茶ティーバッグ", 880),
        ("十割そば 乾麺", 980),
        ("黒豆甘納豆", 1080),
        ("梅干し はちみつ 300g", 1680),
        ("ドリップコーヒー 10袋", 1480),
        ("だしパック 30包", 1980),
        ("はちみつ 180g", 2160),
        ("煎餅詰合せ", 1620),
        ("半生うどん 6食", 1350),
    ),
    sizes=PACKS,
    tax_rate=8,
    weight_g=400,
    products=96,
)
CHILLED = Family(
    "CHL",
    "food",
    ("十勝", "蔵王", "阿蘇", "函館", "京都"),
    (("モッツァレラ 3個", 2480), ("味噌漬け 豚ロース 4枚", 3980), ("生わらび餅", 1580), ("明太子 300g", 2980)),
    tax_rate=8,
    temperature="chilled",
    products=18,
)
FROZEN = Family(
    "FRZ",
    "food",
    ("宇都宮", "函館", "焼津", "博多", "神戸"),
    (("冷凍餃子 40個", 2680), ("いくら醤油漬け 250g", 5980), ("まぐろたたき 500g", 3480), ("もつ鍋 2人前", 3280)),
    tax_rate=8,
    temperature="frozen",
    products=18,
)
POTTERY = Family(
    "POT",
    "goods",
    ("有田焼", "美濃焼", "波佐見焼", "益子焼", "九谷焼", "萩焼"),
    (("マグカップ", 1980), ("飯碗", 1480), ("急須 360ml", 4980), ("豆皿 5枚組", 3300), ("角皿", 2640)),
    (("AI", "藍"), ("SR", "白"), ("SM", "墨")),
    products=28,
)
TOWEL = Family(
    "TWL",
    "goods",
    ("今治", "泉州"),
    (("フェイスタオル 2枚組", 1650), ("バスタオル", 2750), ("ハンドタオル 3枚組", 1320), ("タオルケット", 5980)),
    (("WH", "白"), ("GY", "グレー"), ("NV", "紺")),
    products=8,
)
LACQUER = Family(
    "LAC",
    "goods",
    ("越前漆器", "山中漆器", "会津塗", "秋田杉"),
    (("汁椀", 2860), ("弁当箱", 5480), ("夫婦箸", 3300), ("丸盆", 4400)),
    (("RD", "朱"), ("BK", "黒"), ("NT", "木地")),
    products=16,
)
FAMILIES = (FURNITURE, BICYCLE, APPAREL, FOOD, CHILLED, FROZEN, POTTERY, TOWEL, LACQUER)

SCARCE_NAMES = ("手織り巾着", "木彫りブローチ", "豆皿 うさぎ", "藍染めハンカチ", "限定ポストカード 10枚")
PREORDER_NAMES = ("新米 魚沼産コシヒカリ 5kg", "おせち 二段重", "福袋 2点入り", "復刻クロスバイク", "新作ブランケット")
SET_NAMES = ("朝ごはんセット", "新生活セット", "ギフトセット", "お茶の時間セット", "食卓セット")

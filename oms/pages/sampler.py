"""What the style guide shows: a form with every kind of field, and rows of a table."""

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    name = forms.CharField(label=_("店舗名"), max_length=40, help_text=_("一覧とメールに出る名前です。"))
    email = forms.EmailField(label=_("メールアドレス"))
    quantity = forms.IntegerField(label=_("数量"), min_value=0, required=False)
    carrier = forms.ChoiceField(label=_("配送会社"), choices=[("yamato", _("ヤマト運輸")), ("sagawa", _("佐川急便"))])
    ship_on = forms.DateField(label=_("出荷予定日"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    memo = forms.CharField(label=_("社内メモ"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    gift = forms.BooleanField(label=_("ギフト包装"), required=False)
    when = forms.ChoiceField(
        label=_("送信"),
        choices=[("now", _("すぐに")), ("later", _("60秒後"))],
        widget=forms.RadioSelect,
        initial="later",
    )


TONES = (
    ("neutral", _("新規受付")),
    ("attention", _("確認待ち")),
    ("waiting", _("入金待ち")),
    ("ready", _("出荷指示待ち")),
    ("info", _("出荷作業中")),
    ("done", _("出荷済み")),
    ("danger", _("保留")),
)
ICONS = (
    *("home", "orders", "review", "ship", "stock", "members", "shops", "outbox", "mail", "search", "filter", "check"),
    *("close", "copy", "print", "download", "refresh", "clock", "plus", "more", "next", "previous", "external", "hold"),
    *("gift", "lock", "undo", "note"),
)


@dataclass(frozen=True)
class SampleRow:
    no: str
    shop: str
    buyer: str
    item: str
    total: int
    tone: str
    stage: str
    due: str
    due_tone: str


SAMPLE_ROWS = (
    SampleRow(
        "503-1234567-8901234",
        "Amazon",
        "田中 一郎 様(東京都)",
        "オーク材チェア ナチュラル × 2",
        48400,
        "attention",
        "確認待ち",
        "3時間後",
        "soon",
    ),
    SampleRow(
        "356201-20261122-0000501",
        "楽天市場",
        "斎藤 由美 様(大阪府)",
        "折りたたみ自転車 20インチ × 1",
        32800,
        "ready",
        "出荷指示待ち",
        "1日後",
        "near",
    ),
    SampleRow(
        "store-10000231",
        "Yahoo!ショッピング",
        "山﨑 翔太 様(沖縄県)",
        "リネンシャツ M 他 2 点",
        12650,
        "waiting",
        "入金待ち",
        "4日後",
        "calm",
    ),
    SampleRow(
        "912345678", "Qoo10", "小林 さくら 様(北海道)", "信州りんご 5kg × 1", 4320, "danger", "保留", "2時間前", "late"
    ),
    SampleRow(
        "FS-20261122-017",
        "自社EC",
        "渡邉 健 様(福岡県)",
        "ダイニングテーブル 140cm × 1",
        89800,
        "done",
        "出荷済み",
        "–",
        "none",
    ),
)

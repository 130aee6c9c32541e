"""The reasons as a lead looks at them: how they are set, how often they open, what becomes of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.db.models import (
    Aggregate,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Extract
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from orders.decide.catalogue import CATALOGUE, EVERYWHERE, OFFICE
from orders.models import OrderEvent, ReasonSetting, ReviewDecision, ReviewReason, ReviewSettingChange
from orders.models.order import Carrier, PaymentMethod, Stage
from orders.models.reason import Level
from orders.queries.tones import LEVEL_TONES
from orders.services import reason_settings
from orders.services.reason_settings import Setting

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

WINDOWS = (7, 30, 90)
GROUPS = {
    "data": lazy("取込・データ"),
    "wishes": lazy("お客様の希望"),
    "address": lazy("住所・届け先"),
    "delivery": lazy("配達日"),
    "payment": lazy("支払い"),
    "combination": lazy("同梱"),
    "stock": lazy("在庫"),
    "customer": lazy("お客様"),
    "after": lazy("送信のあと"),
    "hand": lazy("ルール"),
}
# What became of a reason that was raised. `unchanged`: a person waved it through and nothing was done to the order.
OUTCOMES = {
    "unchanged": lazy("変更なしで確認済み"),
    "changed": lazy("手を加えて確認済み"),
    "corrected": lazy("直して解消"),
    "by_itself": lazy("自然に解消"),
    "cancelled": lazy("受注をキャンセル"),
    "open": lazy("未確認"),
}
# What people do to an order because of a reason.
DEEDS = (
    "edited", "note", "held", "lines_cancel_asked", "memo_asked", "cancel_accepted", "cancel_declined", "merged",
    "split", "mail_sent", "mail_approved", "task_asked", "payment_waived", "paid", "labelled", "tagged", "oversell",
    "mapped",
)  # fmt: skip
# What the thresholds of the catalogue are.
PARAM_LABELS = {
    "hours": lazy("何時間以内の注文を比べるか"),
    "days": lazy("日数"),
    "yen": lazy("金額（円）"),
    "pieces": lazy("個数"),
    "words": lazy("探す言葉（「、」で区切る）"),
    "fine": lazy("SKU に関わらない選択肢の名前（「、」で区切る）"),
    "methods": lazy("配送会社の決まった配送方法の名前（「、」で区切る）"),
    "goods": lazy("対象の SKU コードかカテゴリ（「、」で区切る）"),
    "hours_left": lazy("期限の何時間前から知らせるか"),
    "mailbox_size": lazy("ポスト投函に入るサイズ係数の合計"),
    "match_score": lazy("何点から一致とみなすか（電話番号60・メール60・住所50・氏名30、氏名と合わせた郵便番号30）"),
    "similar_score": lazy("何点から類似とみなすか（電話番号60・メール60・住所50・氏名30、氏名と合わせた郵便番号30）"),
    "loose_mail": lazy("メールアドレスの「.」と「+」のあとの違いを無視して照合する"),
    "areas": lazy("対象の地域（1行に1つ）"),
    "limits": lazy("商品ごとの個数（1行に1つ）"),
}
PARAM_HELP = {
    "limits": lazy(
        "SKU コードかカテゴリと、空白のあとに個数を書きます。例：CHAIR-01 2。書いていない商品は、上の個数までです。"
    ),
    "areas": lazy(
        "郵便番号のはじめの数字・都道府県・離島のどれかを書きます。続けて空白のあとに、その地域で使えない配送会社（ヤマト・佐川・郵便・その他）や"
        "方法（クール・冷蔵・冷凍・代引・時間帯・希望日・宅配・ポスト投函）、いつまでか（2026/12/05まで）を足せます。"
        "例：沖縄県 佐川 クール"
    ),
}
WORTHLESS_FROM, WORTHLESS_SHARE = 20, 0.95
State = ReviewReason.State


class Median(Aggregate):
    """The middle value, by PostgreSQL."""

    template = "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class ReasonStats:
    """`opened` by window in days; the rest counts the reasons raised in the window looked at."""

    opened: dict[int, int] = field(default_factory=lambda: dict.fromkeys(WINDOWS, 0))
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    median_s: float | None = None

    @property
    def ended(self) -> int:
        return sum(n for name, n in self.outcomes.items() if name != "open")

    @property
    def self_closed_percent(self) -> int | None:
        return round(100 * self.outcomes["by_itself"] / self.ended) if self.ended else None

    @property
    def median_text(self) -> str:
        """In minutes, hours or days."""
        if self.median_s is None:
            return ""
        minutes = self.median_s / 60
        if minutes < 60:
            return _("%(n)d分") % {"n": max(1, round(minutes))}
        if minutes < 2 * 1440:
            return _("約%(n)s時間") % {"n": f"{minutes / 60:.1f}"}
        return _("約%(n)s日") % {"n": f"{minutes / 1440:.1f}"}

    @property
    def worthless(self) -> bool:
        """Whether nearly everybody who was stopped by it let the order go as it was."""
        return self.ended >= WORTHLESS_FROM and self.outcomes["unchanged"] >= WORTHLESS_SHARE * self.ended


NO_STATS = ReasonStats()


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason on the list; `label` is the company's own, `applying` while open orders still follow a change."""

    code: str
    label: str
    catalogue_label: str
    level: str
    tone: str
    active: bool
    differs: bool
    applying: bool
    overrides: int
    stats: ReasonStats


class Outcome(TypedDict):
    outcome: str


def raised(days: int) -> "QuerySet[WithAnnotations[ReviewReason, Outcome]]":
    """The reasons raised in the last days, each with its `outcome`. A reason that opened again counts once, with its
    last opening."""
    events = OrderEvent.objects.filter(
        order=OuterRef("order"), by__isnull=False, kind__in=DEEDS, at__gte=OuterRef("raised_at"),
        at__lte=OuterRef("closed_at"),
    )  # fmt: skip
    decided = ReviewDecision.objects.filter(
        order=OuterRef("order"),
        code=OuterRef("code"),
        changed=True,
        undone_at=None,
        decided_at__gte=OuterRef("raised_at"),
    )
    touched = Exists(events) | Exists(decided)
    closed = Q(state=State.AUTO_RESOLVED)
    was_cancelled = Q(order__cancelled_at__gte=F("raised_at"), order__cancelled_at__lte=F("closed_at"))
    outcome = Case(
        When(state=State.OPEN, then=Value("open")),
        When(closed & was_cancelled, then=Value("cancelled")),
        When(closed & touched, then=Value("corrected")),
        When(closed, then=Value("by_itself")),
        When(touched, then=Value("changed")),
        default=Value("unchanged"),
    )
    since = clock.now() - timedelta(days=days)
    return ReviewReason.objects.filter(raised_at__gte=since).annotate(outcome=outcome)


def stats(days: int, *, code: str = "") -> dict[str, ReasonStats]:
    """By code. Two queries."""
    rows = raised(max(WINDOWS))
    rows = rows.filter(code=code) if code else rows
    now = clock.now()
    sums = {
        f"n{window}": Count("pk", filter=Q(raised_at__gte=now - timedelta(days=window))) for window in {*WINDOWS, days}
    }
    found: dict[str, ReasonStats] = defaultdict(ReasonStats)
    medians = _medians(days, code)
    for row in cast("list[dict[str, Any]]", list(rows.order_by().values("code", "outcome").annotate(**sums))):
        one = found.setdefault(row["code"], ReasonStats(median_s=medians.get(row["code"])))
        one.outcomes[row["outcome"]] = row[f"n{days}"]
        for window in WINDOWS:
            one.opened[window] += row[f"n{window}"]
    return found


def _medians(days: int, code: str) -> dict[str, float]:
    """Seconds from the opening of a reason to a person's decision, the middle one."""
    since = clock.now() - timedelta(days=days)
    rows = ReviewReason.objects.filter(raised_at__gte=since, state=State.ACCEPTED, closed_at__isnull=False)
    rows = rows.filter(code=code) if code else rows
    took = Extract(F("closed_at") - F("raised_at"), "epoch", output_field=FloatField())
    return dict(rows.order_by().values("code").annotate(median=Median(took)).values_list("code", "median"))


def reason_list(days: int) -> list[tuple[Any, list[ReasonLine]]]:
    """(group's label, its reasons) in the catalogue's order. Four queries."""
    settings, numbers = reason_settings.read(), stats(days)
    applying = set(ReasonSetting.objects.filter(applied_version__lt=F("version")).values_list("pk", flat=True))
    groups: dict[str, list[ReasonLine]] = {name: [] for name in GROUPS}
    for code in CATALOGUE:
        line = _line(settings.of(code), numbers.get(code, NO_STATS), applying)
        groups[CATALOGUE[code].group].append(line)
    return [(GROUPS[name], lines) for name, lines in groups.items() if lines]


def _line(setting: Setting, numbers: ReasonStats, applying: set[str]) -> ReasonLine:
    entry = CATALOGUE[setting.code]
    return ReasonLine(
        code=setting.code,
        label=setting.label or str(entry.standard),
        catalogue_label=str(entry.standard),
        level=str(Level(setting.level).label),
        tone=LEVEL_TONES.get(setting.level, "neutral"),
        active=setting.active,
        differs=setting.document != reason_settings.default(setting.code).document,
        applying=setting.code in applying,
        overrides=len(setting.overrides),
        stats=numbers,
    )


def rows_behind(code: str, days: int, outcome: str) -> "QuerySet[WithAnnotations[ReviewReason, Outcome]]":
    """The rows that a number counted: of one reason, raised in the window, with this outcome ("" for all)."""
    rows = raised(days).filter(code=code).select_related("order__shop", "closed_by")
    return rows.filter(outcome=outcome) if outcome else rows


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One stored change of a setting: (field's label, before, after) for what differs."""

    version: int
    at: datetime
    by: str
    differences: list[tuple[str, str, str]]


DOCUMENT_LABELS = {
    "active": lazy("この理由を調べる"),
    "level": lazy("区分"),
    "label": lazy("呼び名"),
    "note_required": lazy("メモを必須にする"),
    "shown": lazy("見える範囲"),
    "params": lazy("しきい値"),
    "overrides": lazy("例外"),
}


def changes_of(*subjects: str) -> list[SettingChange]:
    """Who set what to what, newest first. One query."""
    rows = ReviewSettingChange.objects.filter(subject__in=subjects).select_related("by")[:30]
    return [SettingChange(row.version, row.at, str(row.by) if row.by else _("自動"), _differences(row)) for row in rows]


def _differences(row: ReviewSettingChange) -> list[tuple[str, str, str]]:
    prefix = ""
    if row.subject.startswith("stage:"):
        prefix = f"{dict(Stage.choices).get(row.subject.removeprefix('stage:'), row.subject)}: "
    return [
        (prefix + str(DOCUMENT_LABELS.get(name, name)), _words(row.before.get(name)), _words(after))
        for name, after in row.after.items()
        if row.before.get(name) != after
    ]


def _words(value: Any) -> str:
    """A stored value for people."""
    if isinstance(value, bool):
        return _("はい") if value else _("いいえ")
    if isinstance(value, dict):
        return _limits(value) or _("標準")
    if isinstance(value, list):
        return _("、").join(_exception(*row) for row in value) or _("（なし）")
    return _word(str(value)) if value else _("（なし）")


SHOWN = {OFFICE: lazy("受注の担当者だけ"), EVERYWHERE: lazy("倉庫・店舗の出荷画面にも出す")}


def _limits(params: Mapping[str, Any]) -> str:
    words = {True: _("はい"), False: _("いいえ")}
    return _("、").join(
        f"{PARAM_LABELS.get(name, name)}: {words[one] if isinstance(one, bool) else one}"
        for name, one in params.items()
    )


BUYERS = {reason_settings.FIRST_TIME: lazy("初めての注文者"), reason_settings.KNOWN: lazy("2回目からの注文者")}
WHOM: Mapping[str, Mapping[str, Any]] = {
    "payment": dict(PaymentMethod.choices),
    "carrier": dict(Carrier.choices),
    "buyer": BUYERS,
}


def _exception(kind: str, value: str, level: str, limits: Mapping[str, Any] | None = None) -> str:
    """Shops, malls and ranks by their codes."""
    whom = WHOM.get(kind, {}).get(value, value)
    told = [_level(level)] if level else []
    told += [_limits(limits)] if limits else []
    return f"{whom} = {' '.join(told) or _('そのまま')}"


def _word(text: str) -> str:
    return str(SHOWN[text]) if text in SHOWN else _level(text)


def _level(text: str) -> str:
    return str(Level(text).label) if text in Level.values else text

"""What rules may do: every action with what it asks, what it competes for, whether it can be taken back. Pure words.

How an action is carried out is registered beside it, in `orders.services.rules.verbs`; upper apps add theirs.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.decide.rules.fields import Choices
from orders.models.mail import MailEvent
from orders.models.order import Carrier, Priority
from orders.models.papers import NotePaper
from orders.models.reason import Level
from orders.models.tag import OrderText

Params = Mapping[str, Any]
ALWAYS: Callable[[Params], str] = lambda _params: ""  # noqa: E731 - the default of a field


@dataclass(frozen=True, slots=True)
class Param:
    """`kind`: text, number, date, choice, or what is looked up by name: tag, user, team, sku, location, reason, url,
    mail_text (`event:variant` of a mail template)."""

    name: str
    label: str | Promise
    kind: str = "text"
    required: bool = True
    choices: Choices = ()
    longest: int = 200
    least: int = 0
    most: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Spec:
    """`slot`: two rules that fill the same slot of an order compete, and the higher priority wins; empty: no rival.
    `late`: also after the shipping instruction. `undoable`: may be taken back when the condition no longer holds.
    `waits_for`: the event at which an order is looked at again, for an action whose moment may still be to come."""

    code: str
    label: str | Promise
    params: Sequence[Param] = ()
    slot: Callable[[Params], str] = ALWAYS
    undoable: bool = True
    late: bool = False
    sentence: str | Promise = ""
    waits_for: str = ""


SLOTS: Choices = (
    ("am", _("午前中")), ("1214", "12–14"), ("1416", "14–16"), ("1618", "16–18"), ("1820", "18–20"), ("1921", "19–21"),
    ("", _("指定なし")),
)  # fmt: skip
DATE_MODES: Choices = (("fixed", _("日付を指定")), ("today", _("今日から○日後")), ("shift", _("今の日付から○日ずらす")))
WISH_MODES: Choices = (("clear", _("希望日を消す")), ("fixed", _("日付を指定")), ("shift", _("今の日付から○日ずらす")))
MAIL_WHEN: Choices = (("now", _("すぐ送る")), ("hours", _("○時間後に送る")), ("draft", _("下書きにして人が確かめる")))
REMIND_MODES: Choices = (
    ("today", _("今日から○日後")), ("fixed", _("日付を指定")), ("planned", _("出荷予定日の○日後（前は −）")),
    ("wish", _("配達希望日の○日後（前は −）")),
)  # fmt: skip
MONEY_MODES: Choices = (("yen", _("円")), ("percent", _("商品合計の％")))
NOTE_PRICES: Choices = (("hide", _("金額を載せない")), ("show", _("金額を載せる")))
PRIORITIES: Choices = tuple((str(value), label) for value, label in Priority.choices)


NOTE_PARTS = ("text", "prices", "paper")


def note_subject(params: Params) -> str:
    """What of the delivery note an action chooses: two that choose other parts go together."""
    return "delivery_note:" + "+".join(part for part in NOTE_PARTS if params.get(part))


def _same(slot: str) -> Callable[[Params], str]:
    return lambda _params: slot


_DAYS = Param("days", _("日数"), "number", required=False, least=-60, most=365)
_DATE = Param("date", _("日付"), "date", required=False)
# Whom a task is for: each may be left out.
_FOR = (
    Param("team", _("チーム"), "team", required=False),
    Param("user", _("担当"), "user", required=False),
    Param("location", _("店舗・拠点"), "location", required=False),
)
_SPECS = (
    Spec("add_tag", _("タグを付ける"), (Param("tag", _("タグ"), "tag", longest=40),), late=True),
    Spec("remove_tag", _("タグを外す"), (Param("tag", _("タグ"), "tag", longest=40),), late=True),
    Spec("flag", _("重要の印を付ける"), slot=_same("important"), late=True),
    Spec("assign", _("担当を決める"), (Param("user", _("担当"), "user"),), slot=_same("assignee"), late=True),
    Spec(
        "assign_team",
        _("チームの手の空いた人を担当にする"),
        (Param("team", _("チーム"), "team"),),
        slot=_same("assignee"),
        late=True,
    ),
    Spec(
        "set_priority",
        _("優先度を変える"),
        (Param("priority", _("優先度"), "choice", choices=PRIORITIES),),
        slot=_same("priority"),
    ),
    Spec(
        "set_planned_date",
        _("出荷予定日を変える"),
        (Param("mode", _("決め方"), "choice", choices=DATE_MODES), _DATE, _DAYS),
        slot=_same("planned_ship_date"),
    ),
    Spec(
        "set_wish_date",
        _("配達希望日を変える"),
        (Param("mode", _("決め方"), "choice", choices=WISH_MODES), _DATE, _DAYS),
        slot=_same("wish_date"),
    ),
    Spec(
        "set_slot",
        _("希望時間帯を変える"),
        (Param("slot", _("時間帯"), "choice", required=False, choices=SLOTS),),
        slot=_same("wish_slot"),
    ),
    Spec(
        "set_method",
        _("配送方法を変える"),
        (
            Param("method", _("配送方法"), longest=60),
            Param("carrier", _("配送会社"), "choice", choices=Carrier.choices),
        ),
        slot=_same("method"),
    ),
    Spec(
        "set_location",
        _("出荷元を指定する"),
        (Param("location", _("拠点"), "location"),),
        slot=_same("location"),
    ),
    Spec(
        "add_line",
        _("同梱品の行を足す（0円）"),
        (Param("sku", "SKU", "sku"), Param("quantity", _("数量"), "number", least=1, most=99)),
        slot=lambda params: f"line:{params.get('sku')}",
    ),
    Spec(
        "add_fee",
        _("手数料を足す"),
        (Param("label", _("名目"), longest=40), Param("amount", _("金額（円・税込）"), "number", least=1)),
        slot=lambda params: f"fee:{params.get('label')}",
    ),
    Spec(
        "add_discount",
        _("値引する"),
        (
            Param("label", _("名目"), longest=40),
            Param("mode", _("単位"), "choice", choices=MONEY_MODES),
            Param("amount", _("値引の大きさ"), "number", least=1),
        ),
        slot=lambda params: f"discount:{params.get('label')}",
    ),
    Spec("ship_unpaid", _("入金を待たずに出荷する"), slot=_same("payment_gate")),
    Spec("capture", _("代金の売上を確定する"), slot=_same("capture"), late=True),
    Spec(
        "add_text",
        _("文を載せる"),
        (
            Param("reader", _("載せる先"), "choice", choices=OrderText.Reader.choices),
            Param("text", _("文"), longest=300),
        ),
    ),
    Spec(
        "set_delivery_note",
        _("納品書を変える"),
        (
            Param("text", _("通信欄の文（店舗の文の代わり）"), required=False, longest=300),
            Param("prices", _("金額"), "choice", required=False, choices=NOTE_PRICES),
            Param("paper", _("用紙"), "choice", required=False, choices=NotePaper.choices),
        ),
        slot=note_subject,
    ),
    Spec(
        "set_mail_text",
        _("メールの別文面を使う"),
        (Param("template", _("別文面"), "mail_text"),),
        slot=lambda params: f"mail:{str(params.get('template', '')).partition(':')[0]}",
        late=True,
    ),
    Spec(
        "hold",
        _("保留にする"),
        (
            Param("text", _("理由"), longest=150),
            Param("days", _("解除までの日数"), "number", required=False, least=1, most=365),
            Param("until", _("解除する日"), "date", required=False),
        ),
        slot=_same("hold"),
    ),
    Spec(
        "raise_reason",
        _("確認理由を出す"),
        (Param("text", _("文"), longest=200), Param("level", _("区分"), "choice", choices=Level.choices)),
    ),
    Spec("clear_reason", _("確認理由を閉じる"), (Param("code", _("確認理由"), "reason"),), undoable=False),
    Spec(
        "set_level",
        _("確認理由の区分を変える"),
        (Param("code", _("確認理由"), "reason"), Param("level", _("区分"), "choice", choices=Level.choices)),
        slot=lambda params: f"level:{params.get('code')}",
    ),
    Spec(
        "send_mail",
        _("メールを送る"),
        (
            Param("event", _("メールの種類"), "choice", choices=MailEvent.choices),
            Param("when", _("送る時"), "choice", choices=MAIL_WHEN),
            Param("hours", _("時間"), "number", required=False, least=1, most=720),
        ),
        late=True,
    ),
    Spec(
        "suppress_mail",
        _("メールを送らない"),
        (Param("event", _("メールの種類"), "choice", choices=MailEvent.choices),),
        late=True,
    ),
    Spec(
        "create_task",
        _("作業を作る"),
        (
            Param("text", _("内容")),
            *_FOR,
            Param("hours", _("期限（時間）"), "number", required=False, least=1, most=2000),
        ),
        late=True,
    ),
    Spec(
        "set_reminder",
        _("リマインダーを置く"),
        (
            Param("text", _("内容")),
            Param("mode", _("決め方"), "choice", choices=REMIND_MODES),
            _DATE,
            _DAYS,
            *_FOR,
        ),
        late=True,
    ),
    Spec("add_member_tag", _("会員にタグを付ける"), (Param("tag", _("会員のタグ"), longest=40),), late=True),
    Spec("add_member_note", _("会員にメモを書く"), (Param("text", _("文"), longest=300),), late=True),
    Spec("add_note", _("社内メモに書き足す"), (Param("text", _("文"), longest=300),), late=True),
    Spec("call_webhook", _("Webhook を呼ぶ"), (Param("url", "URL", "url", longest=300),), undoable=False, late=True),
)

SPECS: dict[str, Spec] = {}


def register(spec: Spec) -> None:
    if spec.code in SPECS:
        raise ValueError(f"action {spec.code} is registered twice")
    SPECS[spec.code] = spec


for _spec in _SPECS:
    register(_spec)


def key_of(action: Mapping[str, Any]) -> str:
    """What is done, whichever version says so: its code and what it asks, shortened. What actions can say by
    now, and this one does not, leaves the key as it was."""
    unsaid = {name for name in ("location", "until") if not action.get(name)}
    params = {name: value for name, value in action.items() if name not in {"do", "undo", *unsaid}}
    text = json.dumps(params, ensure_ascii=False, sort_keys=True)
    return f"{action['do']}:{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"

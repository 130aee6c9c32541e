"""What a channel can do and what only its own pages can, in words, from what its connector declares."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from channels.connectors.contract import Capabilities
from channels.connectors.registry import connector_class


@dataclass(frozen=True, slots=True)
class Ability:
    """`yes` says whether it is done from here at all; `words` how, or what happens instead."""

    label: str
    yes: bool
    words: str


@dataclass(frozen=True, slots=True)
class Abilities:
    rows: Sequence[Ability]
    cannot: Sequence[str]


def abilities(channel: str) -> Abilities:
    """Raises KeyError for a channel without a connector."""
    can = connector_class(channel).capabilities
    return Abilities([*_orders(can), *_money(can), *_words(can), *_stock(can)], [_(text) for text in can.cannot])


def _orders(can: Capabilities) -> list[Ability]:
    news = _("通知キューを設定すると、数秒で届きます") if can.events else _("定期的に取り込みます")
    answers = {"accept": _("承認だけできます"), "both": _("承認・拒否できます")}
    shipped = _("分けて出荷したときも、そのつど送ります") if can.partial_shipment else _("すべて出荷してから送ります")
    return [
        Ability(_("新しい注文のお知らせ"), can.events, news),
        Ability(_("注文の確認"), can.confirm, _("送ります") if can.confirm else _("このモールにはありません")),
        Ability(_("出荷通知"), True, shipped),
        _plain(_("送り状番号の訂正"), can.tracking_correction),
        _plain(_("注文のキャンセル"), can.cancel),
        _plain(_("一部キャンセル"), can.partial_cancel),
        Ability(_("キャンセル申請への回答"), can.cancel_answer in answers, answers.get(can.cancel_answer, _no())),
    ]


def _money(can: Capabilities) -> list[Ability]:
    changes = {"lower": _("減額だけできます"), "both": _("増額・減額できます")}
    return [
        Ability(
            _("入金の登録"),
            can.payment_report,
            _("ここからできます") if can.payment_report else _("モールが管理します"),
        ),
        Ability(
            _("代金の確定"), can.captures, _("出荷通知で確定します") if can.captures else _("出荷通知では確定しません")
        ),
        Ability(_("金額の変更"), can.amount_change in changes, changes.get(can.amount_change, _no())),
    ]


def _words(can: Capabilities) -> list[Ability]:
    mails = {"free": _("自由に送れます"), "relay": _("モールのメール転送を通して送れます")}
    return [
        _plain(_("店舗メモの書き込み"), can.memo),
        Ability(_("購入者へのメール"), can.mail in mails, mails.get(can.mail, _no())),
    ]


def _stock(can: Capabilities) -> list[Ability]:
    how = _("個数そのものと、増減を送れます") if can.relative_stock else _("個数そのものを送ります")
    return [Ability(_("在庫数の送信"), True, how)]


def _plain(label: str, yes: bool) -> Ability:
    return Ability(label, yes, _("ここからできます") if yes else _no())


def _no() -> str:
    return _("モールの画面で行います")

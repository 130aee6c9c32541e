"""What stops an order, or deserves a look: the reason catalogue's checks as pure functions over plain facts.

Every check returns what it found with the evidence as a sentence; a reason whose check finds nothing any more
closes itself. Adding a reason is: a code with its label here, a check in `CHECKS`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel import address as addresses
from oms.kernel.money import yen
from oms.kernel.postal import is_remote_island
from orders.decide import remarks
from orders.models.order import PaymentState
from orders.models.reason import Level


@dataclass(frozen=True, slots=True)
class Reason:
    """A catalogue entry. `clearable`: a person may accept it; otherwise only its cause going away closes it."""

    label: str | Promise
    level: str
    next_step: str | Promise
    clearable: bool = True


CATALOGUE: dict[str, Reason] = {
    "item_unmapped": Reason(_("商品マスタなし"), Level.BLOCK, _("商品対応表で SKU を選ぶ"), clearable=False),
    "amount_mismatch": Reason(_("金額不一致"), Level.BLOCK, _("内訳を見て差額を認めるか確かめる")),
    "channel_cancel_request": Reason(_("キャンセル申請あり"), Level.BLOCK, _("キャンセルするか、続けるかを決める")),
    "channel_changed": Reason(_("モール側変更あり"), Level.BLOCK, _("変更の内容を読む")),
    "buyer_note": Reason(_("備考あり"), Level.BLOCK, _("備考を読む")),
    "postal_mismatch": Reason(_("郵便番号と住所の不一致"), Level.BLOCK, _("郵便番号か住所を直す")),
    "street_no_missing": Reason(_("番地なし"), Level.BLOCK, _("番地を直すか、確かめて認める")),
    "address_too_long": Reason(_("住所文字数超過"), Level.BLOCK, _("住所を短くする")),
    "phone_invalid": Reason(_("電話番号不正"), Level.BLOCK, _("電話番号を直す")),
    "noshi": Reason(_("のし"), Level.BLOCK, _("のしの名入れを確かめる")),
    "blacklist_match": Reason(_("ブラックリスト一致"), Level.BLOCK, _("注文者を確かめる")),
    "channel_caution": Reason(_("モールの注意喚起"), Level.BLOCK, _("モールの画面で注文者を確かめる")),
    "paid_short": Reason(_("入金不足"), Level.BLOCK, _("不足分を案内するか、当社負担にする"), clearable=False),
    "auth_expiring": Reason(_("与信期限切れ間近"), Level.WARN, _("与信を取り直すか、先に出荷する")),
    "paid_over": Reason(_("過入金"), Level.WARN, _("差額を返金する")),
    "oversold": Reason(_("売り越し"), Level.BLOCK, _("どの受注に在庫を回すかを決める")),
    "rule_hold": Reason(_("ルールによる確認"), Level.BLOCK, _("ルールが書いた理由を読んで決める")),
    "rule_error": Reason(_("ルールのエラー"), Level.BLOCK, _("ルールを直すか、この受注を人が確かめる")),
    "remote_island": Reason(_("離島・中継地域"), Level.WARN, _("お届けに日数がかかることを知らせる")),
    "gift_wrap": Reason(_("ラッピング・ギフト"), Level.INFO, _("ラッピングして出荷する")),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A reason found. `fingerprint` is equal as long as the facts behind it are."""

    code: str
    evidence: str
    field: str = ""

    @property
    def level(self) -> str:
        return CATALOGUE[self.code].level

    @property
    def fingerprint(self) -> str:
        return hashlib.sha1(f"{self.code}\0{self.evidence}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Address:
    postal_code: str
    prefecture: str
    city: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the checks look at; amounts as in `orders.channel_order.Totals`. `total` None: not told yet."""

    ordered_on: date
    remarks: str
    recipients: Sequence[Address]
    buyer_phone: str
    unmapped: Sequence[str]
    goods_lines: int  # sum of the lines' amounts
    goods: int
    shipping_fee: int
    fees: int
    gift_fees: int
    discount: int
    coupons: int
    points: int
    tax_excluded: int
    total: int | None
    cancel_requested: bool
    cancel_reason: str
    gift: str
    noshi: str
    carrier: str = "yamato"
    changes: str = ""  # what the channel changed after instruction
    blacklisted: str = ""
    flags: Sequence[str] = field(default_factory=tuple)
    paid: int = 0  # what our ledger holds
    paid_state: str = ""
    authorized_until: date | None = None
    ships_on: date | None = None  # as planned or promised; None: at once
    today: date | None = None


def evaluate(facts: OrderFacts) -> list[Found]:
    """Every reason that the facts give, at most one per code."""
    found: dict[str, Found] = {}
    for check in CHECKS:
        for reason in check(facts):
            found.setdefault(reason.code, reason)
    return list(found.values())


def _item_unmapped(facts: OrderFacts) -> Iterator[Found]:
    if facts.unmapped:
        codes = "、".join(facts.unmapped)
        yield Found("item_unmapped", f"商品コード {codes} に対応する SKU がありません。", "lines")


def _amount_mismatch(facts: OrderFacts) -> Iterator[Found]:
    if facts.total is None:
        return
    expected = (
        facts.goods_lines + facts.shipping_fee + facts.fees + facts.gift_fees + facts.tax_excluded
        - facts.discount - facts.coupons - facts.points
    )  # fmt: skip
    if expected != facts.total:
        yield Found(
            "amount_mismatch",
            f"明細・送料・手数料・値引の計は {yen(expected)}、モールの合計は {yen(facts.total)} で、"
            f"差は {yen(facts.total - expected)} です。",
            "total",
        )


def _paid_differently(facts: OrderFacts) -> Iterator[Found]:
    if facts.total is None or facts.paid_state not in {PaymentState.PARTIALLY_PAID, PaymentState.OVERPAID}:
        return
    short = facts.paid_state == PaymentState.PARTIALLY_PAID
    yield Found(
        "paid_short" if short else "paid_over",
        f"請求 {yen(facts.total)} に対して入金は {yen(facts.paid)} で、"
        f"{yen(abs(facts.total - facts.paid))} {'足りません' if short else '多く入っています'}。",
        "payment",
    )


AUTH_DAYS_LEFT = 2


def _auth_expiring(facts: OrderFacts) -> Iterator[Found]:
    """The authorisation ends before the goods are to leave, or in so few days that nothing may go wrong."""
    ends = facts.authorized_until
    if ends is None or facts.today is None or facts.paid_state != PaymentState.AUTHORIZED:
        return
    leaves = max(facts.ships_on or facts.today, facts.today)
    if ends <= leaves or (ends - facts.today).days <= AUTH_DAYS_LEFT:
        planned = f"{leaves:%m/%d}" if facts.ships_on else "未定"
        yield Found("auth_expiring", f"与信は {ends:%m/%d} まで、出荷予定は {planned} です。", "payment")


def _cancel_request(facts: OrderFacts) -> Iterator[Found]:
    if facts.cancel_requested:
        reason = facts.cancel_reason or "理由の記載はありません"
        yield Found("channel_cancel_request", f"購入者がキャンセルを申請しています（{reason}）。", "cancel_requested")


def _channel_changed(facts: OrderFacts) -> Iterator[Found]:
    if facts.changes:
        yield Found("channel_changed", facts.changes, "channel_state")


def _buyer_note(facts: OrderFacts) -> Iterator[Found]:
    if facts.remarks and (rest := remarks.read(facts.remarks, facts.ordered_on).rest):
        yield Found("buyer_note", rest, "remarks")


def _address(facts: OrderFacts) -> Iterator[Found]:
    for recipient in facts.recipients:
        for problem in addresses.check_address(
            recipient.postal_code, recipient.prefecture, recipient.city, recipient.address
        ):
            if problem.code in CATALOGUE:
                yield Found(problem.code, problem.evidence, "recipient")
        for problem in addresses.check_phone(recipient.phone or facts.buyer_phone):
            yield Found(problem.code, f"電話番号「{problem.evidence}」では連絡がつきません。", "phone")
        if is_remote_island(recipient.postal_code):
            yield Found("remote_island", f"〒{recipient.postal_code} は離島・中継地域です。", "recipient")


def _gift(facts: OrderFacts) -> Iterator[Found]:
    if facts.noshi and not _has_noshi_name(facts.noshi):
        yield Found("noshi", f"のし「{facts.noshi}」に名入れがありません。", "noshi")
    if facts.gift:
        yield Found("gift_wrap", f"ラッピング: {facts.gift}", "gift")


def _has_noshi_name(noshi: str) -> bool:
    """A purpose alone (御祝, 内祝 …) is complete; only a name asked for and left empty is not."""
    return not noshi.rstrip().endswith(("名入れ:", "名入れ：", "名入れあり"))


# Beginnings of the marks with which channels warn of a buyer or look into an order themselves.
CAUTION_FLAGS = ("caution", "rakuten_checking", "suspect", "fraud_hold", "black_order", "contact_later")


def _caution(facts: OrderFacts) -> Iterator[Found]:
    marks = [flag for flag in facts.flags if flag.startswith(CAUTION_FLAGS)]
    if marks:
        yield Found("channel_caution", f"モールがこの注文に注意を促しています（{'、'.join(marks)}）。", "flags")


def _blacklist(facts: OrderFacts) -> Iterator[Found]:
    if facts.blacklisted:
        yield Found("blacklist_match", facts.blacklisted, "buyer")


CHECKS: list[Callable[[OrderFacts], Iterator[Found]]] = [
    _item_unmapped,
    _amount_mismatch,
    _paid_differently,
    _auth_expiring,
    _cancel_request,
    _channel_changed,
    _blacklist,
    _caution,
    _buyer_note,
    _address,
    _gift,
]

"""Which open order an incoming transfer pays. Pure: keys of names, and three groups of proposals."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from oms.kernel.text import kana_key

# How banks shorten the forms of companies, before or behind the name, with whichever bracket is left.
_FORMS = "カブシキガイシヤ|カブシキカイシヤ|ユウゲンガイシヤ|ゴウドウガイシヤ|ザイダンホウジン|シヤダンホウジン"
_SHORT = "カ|ユ|ド|メ|シ|ザイ|シヤ|イ|ガク|フク|トクヒ"
_COMPANY = re.compile(rf"^(?:{_FORMS})|(?:{_FORMS})$|^[(]?(?:{_SHORT})[)]|[(](?:{_SHORT})[)]?|[(][^)]{{0,6}}[)]")
_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
_SAME_SOUND = str.maketrans({"ヲ": "オ", "ヅ": "ズ", "ヂ": "ジ", "ヴ": "ブ", "ヱ": "エ", "ヰ": "イ"})
_DROPPED = re.compile(r"[ー\s.,・･'\"\-/]")
_DIGITS = re.compile(r"\d{4,}")
SURE_DIGITS = 6
MOST_TOGETHER = 6
MOST_SHOWN = 5


def payer_key(name: str) -> str:
    """ﾔﾏﾀﾞ ﾀﾛｳ, ヤマタ゛タロウ, カ)ヤマダ タロウ and 1234ヤマダタロウ → ヤマダタロウ; small kana become large."""
    text = unicodedata.normalize("NFKC", name).replace("゛", "\u3099").replace("゜", "\u309a")
    text = re.sub(r"\s+(?=[\u3099\u309a])", "", text)
    text = kana_key(unicodedata.normalize("NFC", text)).translate(_SMALL)
    text = _COMPANY.sub("", text)
    text = re.sub(r"[\d()（）]", "", text).translate(_SAME_SOUND)
    return _DROPPED.sub("", text)


def loose_key(key: str) -> str:
    """Without voicing marks, which some banks' terminals lose."""
    return "".join(c for c in unicodedata.normalize("NFD", key) if c not in "\u3099\u309a")


def digits_in(*texts: str) -> list[str]:
    """Runs of four digits and more that a payer wrote, hyphens within them ignored."""
    joined = " ".join(unicodedata.normalize("NFKC", text) for text in texts)
    return _DIGITS.findall(re.sub(r"(?<=\d)[-ー‐](?=\d)", "", joined))


class Group(StrEnum):
    SURE = "sure"
    LIKELY = "likely"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """What speaks for a proposal, for the screens to put in words."""

    NAME = "name"
    SIMILAR_NAME = "similar_name"
    AMOUNT = "amount"
    ALIAS = "alias"
    NUMBER = "number"
    PHONE = "phone"
    TOGETHER = "together"
    BILL = "bill"


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that waits for our money. `names` are payer keys; `due` what is still owed; `bill` the monthly bill on
    which it stands, `account` whose it is. What an account owes beside its orders is one too: `id` is then the
    account's, negated."""

    id: int
    number: str
    due: int
    names: frozenset[str]
    phone: str = ""
    member_id: int | None = None
    bill: int | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """`rest` is what of it pays nothing yet; `members` pay under this name, as accepted matches taught."""

    id: int
    rest: int
    key: str
    digits: Sequence[str] = ()
    members: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`orders` to be paid together; empty for a transfer that nothing explains. `others` are further candidates."""

    transfer_id: int
    group: Group
    orders: Sequence[int] = ()
    why: Sequence[Why] = ()
    others: Sequence[int] = field(default_factory=tuple)


def propose(transfers: Sequence[Transfer], orders: Sequence[OpenOrder]) -> list[Proposal]:
    """One proposal for each transfer. An order is promised to one sure transfer only, the earliest."""
    book = _Book(orders)
    taken: set[int] = set()
    found = []
    for transfer in transfers:
        proposal = _propose(transfer, book, taken)
        if proposal.group == Group.SURE:
            taken.update(proposal.orders)
        found.append(proposal)
    # A transfer that is not sure does not propose what a sure one behind it takes.
    return [
        p if p.group == Group.SURE or not taken & set(p.orders) else _propose(by_id, book, taken)
        for p, by_id in zip(found, transfers, strict=True)
    ]


class _Book:
    """Open orders by what a transfer can name."""

    def __init__(self, orders: Sequence[OpenOrder]) -> None:
        self.all = {order.id: order for order in orders}
        self.by_name: defaultdict[str, list[OpenOrder]] = defaultdict(list)
        self.by_loose: defaultdict[str, list[OpenOrder]] = defaultdict(list)
        self.by_amount: defaultdict[int, list[OpenOrder]] = defaultdict(list)
        self.by_member: defaultdict[int, list[OpenOrder]] = defaultdict(list)
        self.by_tail: defaultdict[str, list[tuple[str, OpenOrder]]] = defaultdict(list)
        self.billed = [order for order in orders if order.bill is not None]
        for order in orders:
            for name in order.names:
                self.by_name[name].append(order)
                self.by_loose[loose_key(name)].append(order)
            self.by_amount[order.due].append(order)
            if order.member_id is not None:
                self.by_member[order.member_id].append(order)
            number = re.sub(r"\D", "", order.number)
            for text in filter(None, (number, order.phone)):
                self.by_tail[text[-4:]].append((text, order))

    def numbered(self, digits: Sequence[str]) -> list[tuple[OpenOrder, str]]:
        """Orders whose number or phone ends in digits that the payer wrote, with those digits."""
        return [(order, run) for run in digits for text, order in self.by_tail[run[-4:]] if text.endswith(run)]


def _propose(transfer: Transfer, book: _Book, taken: set[int]) -> Proposal:  # noqa: PLR0911, PLR0912 - one answer a rule
    """The first rule that fits, the strongest first."""

    def free(orders: Sequence[OpenOrder]) -> list[OpenOrder]:
        return [order for order in orders if order.id not in taken]

    def answer(group: Group, orders: Sequence[OpenOrder], *why: Why, others: Sequence[OpenOrder] = ()) -> Proposal:
        rest = tuple(order.id for order in others if order not in orders)[:MOST_SHOWN]
        return Proposal(transfer.id, group, tuple(order.id for order in orders), why, rest)

    named = free(book.by_name.get(transfer.key, ())) if transfer.key else []
    written = [(order, run) for order, run in book.numbered(transfer.digits) if order.id not in taken]
    exact = [order for order in named if order.due == transfer.rest]
    told = [(order, run) for order, run in written if order.due == transfer.rest]
    if len({order.id for order, run in told if len(run) >= SURE_DIGITS}) == 1:
        return answer(Group.SURE, [told[0][0]], _why_number(*told[0]), Why.AMOUNT)
    if len(exact) == 1:
        return answer(Group.SURE, exact, Why.NAME, Why.AMOUNT)
    if bill := _billed(named, transfer.rest):
        return answer(Group.SURE, bill, Why.NAME, Why.BILL)
    if told:
        return answer(Group.LIKELY, [told[0][0]], _why_number(*told[0]), Why.AMOUNT, others=exact)
    if exact:
        return answer(Group.LIKELY, exact[:1], Why.NAME, Why.AMOUNT, others=exact)
    if together := _together(named, transfer.rest):
        return answer(Group.LIKELY, together, Why.NAME, Why.TOGETHER, others=named)
    amount = free(book.by_amount.get(transfer.rest, ()))
    known = [order for order in amount if order.member_id in transfer.members]
    if known:
        return answer(Group.LIKELY, known[:1], Why.ALIAS, Why.AMOUNT, others=known)
    aliased = free([order for member in sorted(transfer.members) for order in book.by_member.get(member, ())])
    if bill := _billed(aliased, transfer.rest):
        return answer(Group.LIKELY, bill, Why.ALIAS, Why.BILL)
    similar = free(book.by_loose.get(loose_key(transfer.key), ())) if transfer.key else []
    if close := [order for order in similar if order.due == transfer.rest]:
        return answer(Group.LIKELY, close[:1], Why.SIMILAR_NAME, Why.AMOUNT, others=close)
    if written:
        return answer(Group.LIKELY, [written[0][0]], _why_number(*written[0]), others=named)
    if named:
        return answer(Group.LIKELY, named[:1], Why.NAME, others=named)
    if bill := _billed(free(book.billed), transfer.rest):
        return answer(Group.LIKELY, bill, Why.BILL)
    if len(amount) == 1:
        return answer(Group.LIKELY, amount, Why.AMOUNT)
    return answer(Group.UNKNOWN, [], others=[*aliased, *similar, *amount])


def _why_number(order: OpenOrder, run: str) -> Why:
    return Why.PHONE if order.phone.endswith(run) else Why.NUMBER


def _together(orders: Sequence[OpenOrder], amount: int) -> list[OpenOrder]:
    """The only set of two or more of one payer's orders that makes this amount; none when several do."""
    few = orders[:MOST_TOGETHER]
    fits = [
        list(some)
        for size in range(2, len(few) + 1)
        for some in combinations(few, size)
        if sum(order.due for order in some) == amount
    ]
    return fits[0] if len(fits) == 1 else []


def _billed(orders: Sequence[OpenOrder], amount: int) -> list[OpenOrder]:
    """What monthly bills ask for that comes to this amount: all that an account owes, as its last bill says with what
    was carried over, or one bill alone. None when it fits several."""
    groups: defaultdict[tuple[int | None, int | None], list[OpenOrder]] = defaultdict(list)
    for order in orders:
        if order.bill is not None:
            groups[order.account, None].append(order)
            groups[order.account, order.bill].append(order)
    fits = {frozenset(one.id for one in some): some for some in groups.values() if _sum(some) == amount}
    return next(iter(fits.values())) if len(fits) == 1 else []


def _sum(orders: Sequence[OpenOrder]) -> int:
    return sum(order.due for order in orders)


def shares(amount: int, dues: Mapping[int, int]) -> dict[int, int]:
    """How a transfer is spread over orders, in their order: each what it owes, the last whatever is left.

    A single order, or the last one, may get more than it owes (paid over) or less (paid short); an order for which
    nothing is left gets no share.
    """
    left, found = amount, {}
    ids = list(dues)
    for order_id in ids:
        part = left if order_id == ids[-1] else min(left, dues[order_id])
        if part > 0:
            found[order_id] = part
        left -= max(0, part)
    return found

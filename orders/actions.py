"""What can be done to many orders at once, for the desk's bulk actions and for rules.

Floors above register theirs in `AppConfig.ready`; screens ask the registry and know no action by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import scope
from oms.kernel.models import User
from orders.services.journal import Actor

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen now: who changes, who does not and why, and what follows, in words. `notes` say of single
    orders that change what happens to them; `costs` what it costs us, for people who may see that."""

    will: Sequence[int]
    skipped: Mapping[int, str] = field(default_factory=dict)
    effects: Sequence[str] = ()
    notes: Mapping[int, str] = field(default_factory=dict)
    costs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What one wants next, on the result's page: a button that posts `ids` to `url`; a link where there are none."""

    text: str
    url: str
    ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one slice of the selection."""

    done: Sequence[int]
    skipped: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    offers: Sequence[Offer] = ()


class ActionForm(forms.Form):
    """What an action asks before it runs. Cleaned values must fit into JSON. `live`: the preview follows each field."""

    live = True

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        super().__init__(data)
        self.order_ids = order_ids

    @property
    def params(self) -> dict[str, Any]:
        """Cleaned values when the form was filled in rightly, else what it starts with."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data
        return {name: self.get_initial_for_field(one, name) for name, one in self.fields.items()}


Planner = Callable[[Sequence[int], Params], Plan]
# Runs inside one transaction over one slice of the selection; no network, no files.
Runner = Callable[[Sequence[int], Params, Actor], Outcome]


@dataclass(frozen=True)
class Memory:
    """How an action is taken back. `read` gives, per order, what the action is about to change, as values that fit
    into JSON; `undo` puts such values back and says what became of each order. Both run inside one transaction over
    one slice of locked orders. An order whose values are not those the action left is never given to `undo`."""

    read: Callable[[Sequence[int], Params], dict[int, dict[str, Any]]]
    undo: Callable[[Mapping[int, dict[str, Any]], Params, Actor], Outcome]


class Group(TextChoices):
    """Where an action stands on the desk's bar: `BAR` are the few buttons of every hour; the others share one menu,
    under these headings."""

    BAR = "bar", lazy("よく使う操作")
    FLOW = "flow", lazy("確認・入金")
    DELIVERY = "delivery", lazy("配送・在庫")
    CHANNEL = "channel", lazy("モール")
    ORDER = "order", lazy("整理")
    PAPER = "paper", lazy("帳票・書き出し")
    CANCEL = "cancel", lazy("受注の取りやめ")


@dataclass(frozen=True)
class Action:
    """`label` says what the button does; `done` what has been done, with %(n)s (`done_with` where it depends on what
    was asked). `key` presses the button; `rank` is its place among the others, `group` where it stands. Without
    `memory` it cannot be taken back. `all_places`: it moves goods wherever they lie, so it is not for people limited to
    some places."""

    code: str
    label: str | Promise
    done: str | Promise
    icon: str
    permission: str
    plan: Planner
    run: Runner
    form: Callable[..., ActionForm] = ActionForm
    key: str = ""
    danger: bool = False
    rank: int = 50
    memory: Memory | None = None
    group: Group = Group.ORDER
    all_places: bool = False
    done_with: Callable[[Params], str | Promise] | None = None

    def told(self, params: Params) -> str:
        """What has been done, of a run with these parameters; with %(n)s."""
        return str(self.done_with(params) if self.done_with else self.done)


_registered: dict[str, Action] = {}


def register(action: Action) -> None:
    """Offer an action. The same code twice is a mistake."""
    known = _registered.setdefault(action.code, action)
    if known is not action:
        raise ValueError(f"action {action.code} is registered twice")


def get(code: str) -> Action | None:
    return _registered.get(code)


def may_take(user: User, action: Action) -> bool:
    return user.has_perm(action.permission) and not (action.all_places and scope.current().places)


def offered_to(user: User) -> list[Action]:
    """The actions this person may take, in the order of the day's work."""
    allowed = [action for action in _registered.values() if may_take(user, action)]
    return sorted(allowed, key=lambda action: action.rank)


@dataclass(frozen=True)
class Door:
    """A page of its own for chosen orders: a button beside 書き出し that posts the selection to a URL, by its name."""

    label: str | Promise
    url: str
    permission: str


_doors: list[Door] = []


def register_door(door: Door) -> None:
    if door not in _doors:
        _doors.append(door)


def doors_for(user: User) -> list[Door]:
    return [door for door in _doors if user.has_perm(door.permission) and scope.may_open(door.url)]


FEW = 6  # so many buttons fit on the bar


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of chosen rows: buttons that stand there, and (heading, code, actions) of the menu beside them."""

    buttons: Sequence[Action]
    menu: Sequence[tuple[str, str, Sequence[Action]]] = ()


def bar(offered: Sequence[Action], *, also: Sequence[Group] = ()) -> Bar:
    """These actions, arranged; few need no menu. Groups of `also` stand in it even when no action of theirs is
    offered."""
    if len(offered) <= FEW:
        return Bar(offered)
    found = [
        (str(group.label), group.value, [action for action in offered if action.group == group])
        for group in Group
        if group != Group.BAR
    ]
    return Bar(
        [action for action in offered if action.group == Group.BAR],
        [(label, code, own) for label, code, own in found if own or code in also],
    )

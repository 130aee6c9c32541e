"""What can be done to many orders at once, for the desk's bulk actions and for rules.

Floors above register theirs in `AppConfig.ready`; screens ask the registry and know no action by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django import forms
from django.utils.functional import Promise

from oms.kernel.models import User
from orders.services.journal import Actor

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen now: who changes, who does not and why, and what follows, in words."""

    will: Sequence[int]
    skipped: Mapping[int, str] = field(default_factory=dict)
    effects: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one slice. `links` lead to what it made: (text, url)."""

    done: Sequence[int]
    skipped: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()


class ActionForm(forms.Form):
    """What an action asks before it runs. Cleaned values must fit into JSON."""

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        super().__init__(data)
        self.order_ids = order_ids

    @property
    def params(self) -> dict[str, Any]:
        """Cleaned values when the form was filled in rightly, else what it starts with."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data
        return {name: self.get_initial_for_field(one, name) for name, one in self.fields.items()}


class Planner(Protocol):
    def __call__(self, order_ids: Sequence[int], params: Params) -> Plan: ...


class Runner(Protocol):
    """Runs inside one transaction over one slice of the selection; no network, no files."""

    def __call__(self, order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome: ...


@dataclass(frozen=True)
class Action:
    """`label` says what the button does; `done` what has been done, with %(n)s. `key` presses the button."""

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
    primary: bool = False


_registered: dict[str, Action] = {}


def register(action: Action) -> None:
    """Offer an action; the order of registration is the order on the screen. The same code twice is a mistake."""
    known = _registered.setdefault(action.code, action)
    if known is not action:
        raise ValueError(f"action {action.code} is registered twice")


def get(code: str) -> Action | None:
    return _registered.get(code)


def offered_to(user: User) -> list[Action]:
    """The actions this person may take."""
    return [action for action in _registered.values() if user.has_perm(action.permission)]

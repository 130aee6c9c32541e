"""What the codes in rules' documents are called: read only for the kinds that are asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group

from customers.models import Rank
from inventory.models import Location
from oms.kernel.models import User
from oms.kernel.roles import ROLES
from orders.decide.rules.actions import SPECS
from orders.decide.rules.sentence import NAMED_PARAMS, Names
from orders.models import Rule, Shop
from orders.models.mail import MailEvent
from orders.services.rules import active


def _channels() -> dict[str, Any]:
    return dict(Shop.objects.order_by("channel", "code").values_list("channel", "channel_label"))


def _users() -> dict[str, Any]:
    return {user.username: str(user) for user in User.objects.filter(is_active=True).order_by("username")}


def _teams() -> dict[str, Any]:
    labels = {role.code: role.label for role in ROLES}
    return {name: labels.get(name, name) for name in Group.objects.values_list("name", flat=True)}


def _mail_texts() -> dict[str, Any]:
    return {f"{event}:{name}": f"{MailEvent(event).label}: {name}" for event, name in active.mail_texts()}


READ: Mapping[str, Callable[[], dict[str, Any]]] = {
    "channel": _channels,
    "shop": lambda: dict(Shop.objects.order_by("channel", "code").values_list("code", "name")),
    "member_rank": lambda: dict(Rank.objects.values_list("code", "name")),
    "location": lambda: dict(Location.objects.order_by("priority").values_list("code", "name")),
    "user": _users,
    "team": _teams,
    "mail_text": _mail_texts,
    "rule": lambda: {str(pk): name for pk, name in Rule.objects.values_list("pk", "name")},
}


def names(kinds: Iterable[str] = READ.keys()) -> Names:
    """Kind → code → name, one query each."""
    return {kind: READ[kind]() for kind in sorted(set(kinds))}


def names_in(actions: Iterable[Mapping[str, Any]]) -> Names:
    """Of the codes that these actions hold; no query where they hold none."""
    return names(
        param.kind
        for action in actions
        for param in SPECS[action["do"]].params
        if param.kind in NAMED_PARAMS and action.get(param.name)
    )

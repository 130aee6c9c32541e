"""The seven roles of a merchant's day, as groups with permissions.

The code owns these groups: after each migration they hold exactly what is written here. A company that wants another
mixture makes a group of its own. Permissions are named by string, so a role may name one that its app declares later.
"""

from dataclasses import dataclass

from django.apps import AppConfig, apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import User

OWN_APPS = ("kernel", "inventory", "customers", "orders", "fulfillment", "channels")

LOOK_AT_ORDERS = frozenset(
    {"orders.view_order", "orders.view_ordertask", "inventory.view_sku", "fulfillment.view_shipment"}
)
WORK_ON_ORDERS = LOOK_AT_ORDERS | {
    "orders.change_order",
    "orders.review_order",
    "orders.confirm_order",
    "orders.cancel_order",
    "orders.hold_order",
    "orders.release_order",
    "orders.record_payment",
    "orders.send_mail",
    "orders.view_issueddocument",
    "orders.issue_document",
    "orders.view_personal_data",
    "customers.view_member",
    "customers.add_membernote",
    "fulfillment.print_document",
    "fulfillment.ship_shipment",
    "channels.view_connection",
    "channels.view_listing",
    "channels.change_listing",
    "channels.view_oversellcase",
    "channels.decide_oversellcase",
    "kernel.view_effect",
}
WORK_ON_ORDERS |= {
    "fulfillment.ask_stop",
    "orders.view_returncase",
    "orders.change_returncase",
    "orders.inspect_returncase",
    "orders.settle_returncase",
}
WORK_ON_ORDERS |= {"fulfillment.export_waybill"}
WORK_ON_ORDERS |= {"orders.add_order"}  # by telephone, or as a copy
LEAD_ORDERS = WORK_ON_ORDERS | {
    "orders.force_order",
    "orders.approve_refund",
    "fulfillment.reopen_shipment",
    "fulfillment.change_stoppolicy",
    "fulfillment.change_costsetting",
    "fulfillment.change_waybillsetting",
    "orders.change_shippingplan",
    "orders.export_order",
    "orders.export_document",
    "orders.change_papersettings",
    "orders.manage_rules",
    "orders.manage_reasons",
    "orders.change_mailtemplate",
    "orders.change_paymentgate",
    "orders.move_in",
    "customers.change_member",
    "customers.change_rank",
    "customers.manage_blacklist",
    "inventory.change_balance",
    "inventory.change_sku",
    "inventory.view_cost",
    "channels.retry_effect",
    "channels.change_publishrule",
}
SHIP = frozenset(
    {"fulfillment.view_shipment", "fulfillment.ship_shipment", "fulfillment.print_document", "inventory.view_sku"}
)
SHIP |= {"orders.view_returncase", "orders.inspect_returncase", "fulfillment.export_waybill"}
SHIP |= {"orders.view_ordertask"}  # their own tasks, without the right to all orders
STORE = SHIP | {"customers.view_member", "customers.add_membernote", "orders.view_order", "orders.view_personal_data"}
RUN_STORE = STORE | {"inventory.change_balance", "customers.change_member"}
# What is left of anybody's rights while they are in by PIN on a device of their store: the work there, nothing of
# what decides who may come in, and no file of addresses.
BY_PIN = RUN_STORE - {"fulfillment.export_waybill"}
STORE_ROLES = ("store_staff", "store_manager")  # whose people, unless limited, work in every store
RUN_STORE |= {"kernel.manage_store_devices"}
ACCOUNT = frozenset(
    {
        "orders.view_order",
        "orders.export_order",
        "orders.view_issueddocument",
        "orders.issue_document",
        "orders.export_document",
        "orders.change_papersettings",
        "orders.view_personal_data",
        "orders.record_payment",
        "orders.change_paymentgate",
        "fulfillment.view_shipment",
        "fulfillment.print_document",
        "inventory.view_sku",
    }
)
ACCOUNT |= {
    "orders.view_ordertask",
    "orders.view_returncase",
    "orders.settle_returncase",
    "orders.approve_refund",
    "inventory.view_cost",
    "fulfillment.change_costsetting",
}


@dataclass(frozen=True)
class Role:
    """`code` is the group's name; `permissions` is None for "every permission of our own apps"."""

    code: str
    label: str | Promise
    permissions: frozenset[str] | None
    username: str
    demo_name: str


ROLES = (
    Role("operator", _("受注担当"), WORK_ON_ORDERS, "operator", "佐藤 美咲"),
    Role("shift_lead", _("受注責任者"), LEAD_ORDERS, "lead", "鈴木 健太"),
    Role("store_staff", _("店舗スタッフ"), STORE, "store", "高橋 葵"),
    Role("store_manager", _("店長"), RUN_STORE, "manager", "田中 直樹"),
    Role("warehouse", _("倉庫担当"), SHIP, "warehouse", "渡辺 翔"),
    Role("accounting", _("経理"), ACCOUNT, "accounting", "伊藤 恵"),
    Role("administrator", _("管理者"), None, "admin", "山本 理沙"),
)


@dataclass(frozen=True)
class DemoAccount:
    username: str
    role: str
    password: str


@transaction.atomic
def sync_roles(app_label: str | None = None) -> None:
    """Make the groups hold what `ROLES` says, for one app or all; a permission that does not exist yet is left out."""
    labels = OWN_APPS if app_label is None else (app_label,)
    existing = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.filter(content_type__app_label__in=labels).select_related("content_type")
    }
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role.code)
        wanted = {p.pk for name, p in existing.items() if role.permissions is None or name in role.permissions}
        held = set(group.permissions.filter(content_type__app_label__in=labels).values_list("pk", flat=True))
        group.permissions.add(*wanted - held)
        group.permissions.remove(*held - wanted)


def after_migrate(sender: AppConfig, **_kwargs: object) -> None:
    """Receiver of `post_migrate`, once per app; runs after Django has made that app's permissions."""
    if sender.label in OWN_APPS and apps.is_installed("django.contrib.auth"):
        sync_roles(sender.label)


def roles_of(user: User) -> list[Role]:
    """The roles a person holds, in the order of the day's work."""
    codes = set(user.groups.values_list("name", flat=True))
    return [role for role in ROLES if role.code in codes]


def label_of(group: Group) -> str:
    """The role's name as people read it."""
    return next((str(role.label) for role in ROLES if role.code == group.name), group.name)


@transaction.atomic
def create_demo_accounts(password: str) -> list[DemoAccount]:
    """One account per role with this password; existing ones get it again. Needs `sync_roles()` to have run."""
    hashed = make_password(password)  # hashed once: seven slow hashes would double the demo's start
    for role in ROLES:
        user, _created = User.objects.update_or_create(
            username=role.username,
            defaults={
                "display_name": role.demo_name,
                "password": hashed,
                "is_active": True,
                "is_staff": role.permissions is None,
            },
        )
        user.groups.set([Group.objects.get_or_create(name=role.code)[0]])
    return [DemoAccount(role.username, str(role.label), password) for role in ROLES]

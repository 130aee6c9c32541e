"""The roles are groups; what they hold is what the code says, no more and no less."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission

from oms.kernel.models import User
from oms.kernel.roles import OWN_APPS, ROLES, create_demo_accounts, roles_of, sync_roles

pytestmark = pytest.mark.django_db


def held(code):
    permissions = Group.objects.get(name=code).permissions.select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def existing():
    permissions = Permission.objects.filter(content_type__app_label__in=OWN_APPS).select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def test_migrating_alone_makes_the_seven_roles():
    assert {role.code for role in ROLES} == set(Group.objects.values_list("name", flat=True))
    assert len(ROLES) == 7


def test_each_role_holds_what_is_written_and_exists():
    for role in ROLES:
        wanted = existing() if role.permissions is None else role.permissions & existing()
        assert held(role.code) == wanted, role.code


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("operator", "orders.cancel_order", "orders.export_order"),
        ("operator", "orders.view_personal_data", "channels.change_connection"),
        ("operator", "orders.record_payment", "channels.retry_effect"),
        ("shift_lead", "orders.export_order", "kernel.manage_users"),
        ("warehouse", "fulfillment.ship_shipment", "orders.view_order"),
        ("store_staff", "orders.view_order", "orders.cancel_order"),
        ("store_manager", "inventory.change_balance", "channels.view_connection"),
        ("accounting", "orders.export_order", "orders.change_order"),
        ("administrator", "channels.change_connection", None),
        ("administrator", "kernel.manage_users", None),
    ],
)
def test_the_line_between_the_roles(role, may, may_not):
    assert may in held(role)
    assert may_not not in held(role)


def test_syncing_repairs_a_group_and_leaves_others_alone():
    own = Group.objects.create(name="繁忙期応援")
    permission = Permission.objects.get(codename="manage_users")
    own.permissions.add(permission)
    Group.objects.get(name="warehouse").permissions.add(permission)
    Group.objects.get(name="operator").permissions.clear()
    sync_roles()
    assert "kernel.manage_users" not in held("warehouse")
    assert held("operator")
    assert list(own.permissions.all()) == [permission]


def test_syncing_twice_changes_nothing(django_assert_max_num_queries):
    sync_roles()
    before = {role.code: held(role.code) for role in ROLES}
    sync_roles()
    assert before == {role.code: held(role.code) for role in ROLES}


def test_demo_accounts_can_log_in_with_their_role_and_nothing_more():
    accounts = create_demo_accounts("himitsu-1")
    assert [account.username for account in accounts] == [role.username for role in ROLES]
    assert accounts[0].role == "受注担当"
    for account, role in zip(accounts, ROLES, strict=True):
        user = authenticate(username=account.username, password="himitsu-1")
        assert roles_of(user) == [role]
        assert not user.is_superuser
    assert [user.username for user in User.objects.filter(is_staff=True)] == ["admin"]


def test_demo_accounts_can_be_made_again_with_another_password():
    create_demo_accounts("himitsu-1")
    create_demo_accounts("himitsu-2")
    assert User.objects.count() == len(ROLES)
    assert authenticate(username="lead", password="himitsu-1") is None
    assert authenticate(username="lead", password="himitsu-2") is not None

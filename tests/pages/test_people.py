"""利用者: who may log in and what they may do."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from oms.kernel.models import User

pytestmark = pytest.mark.django_db
PEOPLE, ADD = reverse("pages:people"), reverse("pages:person-add")
NEW = {
    "username": "dai",
    "display_name": "大 だい",
    "email": "dai@example.com",
    "is_active": "on",
    "roles": ["operator", "warehouse"],
    "password": "himitsu-no-kotoba",
}


@pytest.fixture
def as_aoi(client_of, aoi):
    return client_of(aoi)


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def person_url(user) -> str:
    return reverse("pages:person", args=[user.pk])


def test_a_person_is_added_and_can_log_in(as_aoi, client):
    assert "大 だいを保存しました" in text_of(as_aoi.post(ADD, NEW, follow=True))
    dai = User.objects.get(username="dai")
    assert sorted(dai.groups.values_list("name", flat=True)) == ["operator", "warehouse"] and not dai.is_staff
    assert client.login(username="dai", password="himitsu-no-kotoba")
    assert dai.has_perm("orders.review_order")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": ""}, "password"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"username": "aoi"}, "username"),
        ({"username": "a b"}, "username"),
        ({"roles": ["king"]}, "roles"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_a_bad_value_is_said_in_its_field_and_the_password_never_comes_back(as_aoi, changes, field):
    page = as_aoi.post(ADD, NEW | changes)
    assert field in page.context["form"].errors and not User.objects.filter(username="dai").exists()
    assert "himitsu-no-kotoba" not in text_of(page)


def test_an_empty_password_keeps_the_old_one_and_roles_follow_the_ticks(as_aoi, client):
    as_aoi.post(ADD, NEW)
    dai = User.objects.get(username="dai")
    own = Group.objects.create(name="our-own")
    dai.groups.add(own)
    assert 'value="operator" id="id_roles_0" checked' in text_of(as_aoi.get(person_url(dai))).replace(
        ' aria-describedby="id_roles_helptext"', ""
    )
    as_aoi.post(person_url(dai), NEW | {"password": "", "roles": ["administrator", "our-own"]})
    dai.refresh_from_db()
    assert sorted(dai.groups.values_list("name", flat=True)) == ["administrator", "our-own"] and dai.is_staff
    assert client.login(username="dai", password="himitsu-no-kotoba")


def test_a_stopped_person_cannot_log_in(as_aoi, client, ben):
    as_aoi.post(person_url(ben), {"username": "ben", "display_name": "弁田", "roles": []})
    ben.refresh_from_db()
    assert not ben.is_active and not client.login(username="ben", password="himitsu-no-kotoba")
    assert "停止" in text_of(as_aoi.get(PEOPLE))


def test_nobody_locks_the_last_door_behind_themselves(as_aoi, aoi):
    page = as_aoi.post(person_url(aoi), {"username": "aoi", "display_name": "青井", "roles": []})
    assert set(page.context["form"].errors) == {"is_active", "roles"}
    aoi.refresh_from_db()
    assert aoi.is_active and aoi.has_perm("kernel.manage_users")


def test_whoever_changes_the_own_password_stays_logged_in(as_aoi, aoi):
    posted = {"username": "aoi", "display_name": "青井", "is_active": "on", "roles": ["administrator"]}
    page = as_aoi.post(person_url(aoi), posted | {"password": "atarashii-kotoba"}, follow=True)
    assert "青井を保存しました" in text_of(page)


def test_only_who_manages_users_sees_the_page_and_its_link(client_of, ben, person_with, aoi):
    for user in (ben, person_with("shift_lead")):
        client = client_of(user)
        assert client.get(PEOPLE).status_code == client.get(ADD).status_code == 403
        assert client.get(person_url(aoi)).status_code == client.post(person_url(aoi), NEW).status_code == 403
        assert PEOPLE not in text_of(client.get("/"))
    assert PEOPLE in text_of(client_of(aoi).get("/"))
    assert client_of(aoi).post(PEOPLE).status_code == 405

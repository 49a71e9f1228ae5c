"""People, roles and grants: only who administers edits them, nobody rises above themselves, all of it is audited."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from catalog.access import Role
from catalog.models import ValueGrant
from tests.admin.conftest import Stocked, events_after, newest_event
from tests.stocked_store import make_user


def person_form(user: User, **changes: Any) -> dict[str, Any]:
    return {"username": user.username, "email": user.email, "is_active": "on", **changes}


def change(client: Client, user: User, **changes: Any) -> int:
    address = reverse("admin:auth_user_change", args=[user.pk])
    return client.post(address, person_form(user, **changes)).status_code


def test_giving_a_role_is_audited(administrator: Client) -> None:
    user, first = make_user("vera", Role.VIEWER), newest_event()
    steward = Group.objects.get(name=Role.STEWARD.value)

    assert change(administrator, user, groups=[steward.pk], is_staff="on") == 302

    [event] = events_after(first)
    assert event.before == {"groups": ["viewer"], "is_staff": False}
    assert event.after == {"groups": ["steward"], "is_staff": True}


def test_an_administrator_makes_no_superuser(administrator: Client) -> None:
    user = make_user("vera", Role.VIEWER)

    assert change(administrator, user, is_superuser="on") == 302
    assert not User.objects.get(pk=user.pk).is_superuser


def test_an_administrator_does_not_touch_superusers(administrator: Client) -> None:
    boss = User.objects.create_superuser("boss", password="correct horse")

    assert change(administrator, boss, is_active="") == 403
    password = reverse("admin:auth_user_password_change", args=[boss.pk])
    form = {"password1": "stolen horse staple", "password2": "stolen horse staple", "usable_password": "true"}
    assert administrator.post(password, form).status_code == 403
    delete = reverse("admin:auth_user_delete", args=[boss.pk])
    assert administrator.post(delete, {"post": "yes"}).status_code == 403
    boss.refresh_from_db()
    assert boss.is_active
    assert boss.check_password("correct horse")


def test_a_password_set_for_another_is_audited_without_it(root: Client) -> None:
    user, first = make_user("vera"), newest_event()
    form = {"password1": "staple battery 9", "password2": "staple battery 9", "usable_password": "true"}

    assert root.post(reverse("admin:auth_user_password_change", args=[user.pk]), form).status_code == 302

    user.refresh_from_db()
    assert user.check_password("staple battery 9")
    [event] = events_after(first)
    assert (event.action, event.object_name, event.before, event.after) == ("set password", "vera", None, None)


def test_a_new_person_leaves_no_password_in_the_audit(administrator: Client) -> None:
    first = newest_event()
    form = {"username": "nora", "password1": "staple battery 9", "password2": "staple battery 9"}

    answer = administrator.post(reverse("admin:auth_user_add"), {**form, "usable_password": "true"})

    assert answer.status_code == 302
    [event] = events_after(first)
    assert event.after is not None
    assert event.after["username"] == "nora"
    assert "password" not in event.after


def test_built_in_roles_stay(root: Client) -> None:
    role = Group.objects.get(name="viewer")

    assert root.post(reverse("admin:auth_group_delete", args=[role.pk]), {"post": "yes"}).status_code == 403
    assert root.post(reverse("admin:auth_group_change", args=[role.pk]), {"name": "nobody"}).status_code == 403
    assert Group.objects.filter(name="viewer").exists()


def test_people_with_tokens_are_not_deleted(root: Client, stocked: Stocked) -> None:
    owner = User.objects.get(username="reader_of_finance")

    answer = root.post(reverse("admin:auth_user_delete", args=[owner.pk]), {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_grant_names_its_maker(administrator: Client, stocked: Stocked) -> None:
    user, first = make_user("vera", Role.VIEWER), newest_event()
    form = {"group": stocked.group.pk, "user": user.pk, "reason": "fraud case 12"}

    assert administrator.post(reverse("admin:catalog_valuegrant_add"), form).status_code == 302

    grant = ValueGrant.objects.get(user=user)
    assert (grant.created_by, grant.reason) == ("ada", "fraud case 12")
    [event] = events_after(first)
    assert (event.action, event.object_type, event.object_name) == ("create", "valuegrant", "finance → vera")


def test_a_grant_is_to_a_user_or_to_a_role(administrator: Client, stocked: Stocked) -> None:
    user, role = make_user("vera"), Group.objects.get(name="viewer")
    address = reverse("admin:catalog_valuegrant_add")

    both = administrator.post(address, {"group": stocked.group.pk, "user": user.pk, "role": role.pk})
    neither = administrator.post(address, {"group": stocked.group.pk})

    assert "Name a user or a role, not both." in both.content.decode()
    assert "Name a user or a role, not both." in neither.content.decode()
    assert ValueGrant.objects.count() == 1


def group_with_grant(stocked: Stocked, user: User) -> dict[str, Any]:
    return {
        "sensitivity": "internal",
        "source": "warehouse",
        "source_table": "finance",
        "timezone": "UTC",
        "description": stocked.group.description,
        "owner": stocked.group.owner,
        "tags": [tag.pk for tag in stocked.group.tags.all()],
        "features-TOTAL_FORMS": "0",
        "features-INITIAL_FORMS": "0",
        "grants-TOTAL_FORMS": "2",
        "grants-INITIAL_FORMS": "1",
        "grants-0-id": stocked.group.grants.get().pk,
        "grants-0-group": stocked.group.pk,
        "grants-0-DELETE": "on",
        "grants-1-group": stocked.group.pk,
        "grants-1-user": user.pk,
    }


def test_grants_within_a_group_are_audited_one_by_one(administrator: Client, stocked: Stocked) -> None:
    user, first = make_user("vera"), newest_event()
    address = reverse("admin:catalog_featuregroup_change", args=[stocked.group.pk])

    assert administrator.post(address, group_with_grant(stocked, user)).status_code == 302

    told = [(event.action, event.object_name) for event in events_after(first)]
    assert told == [("delete", "finance → reader_of_finance"), ("create", "finance → vera")]
    assert stocked.group.grants.get().created_by == "ada"


@pytest.mark.parametrize("role", ["steward", "engineer"])
def test_others_grant_nothing(role: str, stocked: Stocked, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(role)
    user, first = make_user("vera"), newest_event()

    address = reverse("admin:catalog_featuregroup_change", args=[stocked.group.pk])
    client.post(address, group_with_grant(stocked, user))
    form = {"group": stocked.group.pk, "user": user.pk}
    assert client.post(reverse("admin:catalog_valuegrant_add"), form).status_code == 403

    assert [grant.user.username for grant in ValueGrant.objects.all() if grant.user] == ["reader_of_finance"]
    assert events_after(first) == []

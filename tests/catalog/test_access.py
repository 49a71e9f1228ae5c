"""What a person may do comes with their roles, and grows from role to role."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User

from catalog.access import CAPABILITIES, Capability, Role, capabilities_of, may
from tests.stocked_store import make_user

pytestmark = pytest.mark.django_db
ALL = frozenset(Capability)

EXPECTED = {
    Role.VIEWER: {Capability.SEE_METADATA, Capability.READ_VALUES},
    Role.DATA_SCIENTIST: {
        Capability.SEE_METADATA,
        Capability.READ_VALUES,
        Capability.MANAGE_SERVICES,
        Capability.WRITE_JOURNAL,
    },
    Role.DATA_ENGINEER: ALL - {Capability.READ_SENSITIVE, Capability.CERTIFY, Capability.ADMINISTER},
    Role.STEWARD: ALL - {Capability.ADMINISTER},
    Role.ADMINISTRATOR: set(ALL),
}


@pytest.mark.parametrize("role", Role)
def test_a_role_brings_its_capabilities(role: Role) -> None:
    user = make_user("someone", role)
    assert capabilities_of(user) == EXPECTED[role]
    assert {capability for capability in Capability if may(user, capability)} == EXPECTED[role]


def test_every_role_is_a_group_of_the_database() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= {role.value for role in Role}
    assert set(CAPABILITIES) == set(Role)


def test_each_role_may_all_that_the_one_before_may() -> None:
    ordered = [CAPABILITIES[role] for role in Role]
    assert all(less < more for less, more in zip(ordered, ordered[1:], strict=False))


def test_several_roles_add_up() -> None:
    user = make_user("someone", Role.VIEWER)
    user.groups.add(Group.objects.get(name=Role.DATA_SCIENTIST.value))
    assert may(user, Capability.MANAGE_SERVICES)


def test_people_without_a_role_and_other_groups_may_nothing() -> None:
    user = make_user("someone")
    user.groups.add(Group.objects.create(name="football"))
    assert capabilities_of(user) == frozenset()


def test_superusers_may_everything() -> None:
    assert capabilities_of(User.objects.create_superuser("root")) == ALL


def test_those_who_left_may_nothing() -> None:
    user = User.objects.create_superuser("root", is_active=False)
    assert capabilities_of(user) == frozenset()


def test_strangers_may_nothing_unless_the_configuration_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert capabilities_of(AnonymousUser()) == frozenset()
    open_door = settings.FEATURESTORE.security.model_copy(update={"api_authentication": False})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, security=open_door))

    assert capabilities_of(AnonymousUser()) == EXPECTED[Role.VIEWER]
    assert capabilities_of(make_user("someone")) == frozenset()


def test_the_answer_is_asked_for_once_per_user_object() -> None:
    user = make_user("someone", Role.VIEWER)
    assert may(user, Capability.SEE_METADATA)
    user.groups.clear()
    assert may(user, Capability.SEE_METADATA)
    assert not may(User.objects.get(pk=user.pk), Capability.SEE_METADATA)

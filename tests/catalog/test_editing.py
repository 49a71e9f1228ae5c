"""The verbs for edits by hand: what they change, record and refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from catalog.access import Role
from catalog.editing import (
    archive_feature,
    archive_group,
    deprecate_feature,
    deprecate_group,
    edit_feature,
    edit_group,
    restore_feature,
    restore_group,
    set_replacement,
    tag_names,
)
from catalog.errors import Conflict, InvalidInput, PermissionDenied
from catalog.models import AuditEvent, Feature, FeatureService, FeatureVersion, Status
from tests.stocked_store import make_feature, make_group, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FeatureVersion:
    return make_feature(make_group("finance"), "balance")


@pytest.fixture
def steward() -> User:
    return make_user("stella", Role.STEWARD)


def events() -> list[tuple[str, Any, Any]]:
    return [(event.action, event.before, event.after) for event in AuditEvent.objects.order_by("pk")]


def test_an_edit_changes_what_it_names_and_nothing_else(version: FeatureVersion, steward: User) -> None:
    edited = edit_feature(
        feature=version.feature, changes={"description": "Mean", "tags": ["Money", " churn "]}, editor=steward
    )

    stored = Feature.objects.get(pk=edited.pk)
    assert (stored.description, stored.owner) == ("Mean", "")
    assert [tag.name for tag in stored.tags.all()] == ["churn", "money"]
    before, after = {"description": "", "tags": []}, {"description": "Mean", "tags": ["churn", "money"]}
    assert events() == [("update", before, after)]


def test_an_edit_that_changes_nothing_records_nothing(version: FeatureVersion, steward: User) -> None:
    edit_feature(feature=version.feature, changes={"description": "", "tags": []}, editor=steward)

    assert events() == []


def test_the_default_is_another_of_its_own_versions(version: FeatureVersion, steward: User) -> None:
    second = FeatureVersion.objects.create(feature=version.feature, major=2, minor=0, data_type="float")

    assert (
        edit_feature(feature=version.feature, changes={"default_version": second}, editor=steward).default_version
        == second
    )
    assert events() == [("update", {"default_version": version.pk}, {"default_version": second.pk})]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "other"}, "name of a feature cannot be edited"),
        ({"ownr": "me"}, "did you mean owner?"),
        ({"sensitivity": "secret"}, "sensitivity: Value 'secret' is not a valid choice."),
        ({"owner": "x" * 201}, "owner: Ensure this value has at most 200 characters"),
        ({"tags": [""]}, "'' is no tag"),
        ({"tags": ["a,b"]}, "is no tag"),
    ],
)
def test_what_a_feature_does_not_take(
    changes: dict[str, Any], told: str, version: FeatureVersion, steward: User
) -> None:
    with pytest.raises(InvalidInput) as refused:
        edit_feature(feature=version.feature, changes={"description": "Mean", **changes}, editor=steward)

    assert told in refused.value.message
    assert Feature.objects.get(pk=version.feature_id).description == ""
    assert events() == []


def test_the_default_is_no_version_of_another_or_archived_one(version: FeatureVersion, steward: User) -> None:
    other = make_feature(version.feature.group, "salary")
    gone = FeatureVersion.objects.create(
        feature=version.feature, major=2, minor=0, data_type="float", status=Status.ARCHIVED
    )

    for wrong in (other, gone, "1.0"):
        with pytest.raises(InvalidInput):
            edit_feature(feature=version.feature, changes={"default_version": wrong}, editor=steward)


def test_a_group_is_edited_alike(version: FeatureVersion, steward: User) -> None:
    group = edit_group(
        group=version.feature.group, changes={"max_age": timedelta(days=30), "owner": "risk"}, editor=steward
    )

    assert (group.max_age, group.owner) == (timedelta(days=30), "risk")
    assert events() == [("update", {"max_age": "", "owner": ""}, {"max_age": "30 00:00:00", "owner": "risk"})]
    with pytest.raises(InvalidInput, match="source_table of a group cannot be edited"):
        edit_group(group=group, changes={"source_table": "other"}, editor=steward)


def test_values_are_opened_only_by_who_may_read_them(version: FeatureVersion, steward: User) -> None:
    feature, engineer = version.feature, make_user("enno", Role.DATA_ENGINEER)
    closed = edit_feature(feature=feature, changes={"sensitivity": "personal"}, editor=engineer)

    with pytest.raises(PermissionDenied, match="from personal to internal"):
        edit_feature(feature=closed, changes={"sensitivity": ""}, editor=engineer)
    assert Feature.objects.get(pk=feature.pk).sensitivity == "personal"
    assert edit_feature(feature=closed, changes={"sensitivity": ""}, editor=steward).sensitivity == ""


def test_the_life_of_a_feature(version: FeatureVersion) -> None:
    salary = make_feature(version.feature.group, "salary").feature

    deprecated = deprecate_feature(feature=version.feature, reason="Drifts.", replacement=salary)
    assert (deprecated.status, deprecated.status_reason) == (Status.DEPRECATED, "Drifts.")
    assert deprecated.replacement == salary
    with pytest.raises(Conflict, match="deprecated already"):
        deprecate_feature(feature=deprecated, reason="again")
    archived = archive_feature(feature=deprecated, reason="gone")
    assert (archived.status, archived.status_reason, archived.replacement) == (Status.ARCHIVED, "gone", salary)
    with pytest.raises(Conflict, match="archived already"):
        deprecate_feature(feature=archived, reason="again")
    restored = restore_feature(feature=archived)
    assert (restored.status, restored.status_reason, restored.replacement) == (Status.ACTIVE, "", None)
    with pytest.raises(Conflict, match="active already"):
        restore_feature(feature=restored)
    assert [action for action, _, _ in events()] == ["deprecate", "archive", "restore"]


def test_deprecating_needs_a_reason_and_no_circle(version: FeatureVersion) -> None:
    for reason, replacement in (("  ", None), ("x" * 501, None), ("old", version.feature)):
        with pytest.raises(InvalidInput):
            deprecate_feature(feature=version.feature, reason=reason, replacement=replacement)
    assert events() == []


def test_what_replaces_a_feature_is_another_active_one(version: FeatureVersion) -> None:
    salary = make_feature(version.feature.group, "salary").feature
    old = deprecate_feature(feature=make_feature(version.feature.group, "old").feature, reason="old")

    with pytest.raises(Conflict, match="balance is active"):
        set_replacement(feature=version.feature, replacement=salary)
    deprecated = deprecate_feature(feature=version.feature, reason="Drifts")
    for wrong in (deprecated, old):
        with pytest.raises(InvalidInput):
            set_replacement(feature=deprecated, replacement=wrong)
    assert set_replacement(feature=deprecated, replacement=salary).replacement == salary
    assert events()[-1] == ("update", {"replacement": None}, {"replacement": salary.pk})
    assert set_replacement(feature=deprecated, replacement=None).replacement is None


def test_a_steward_certifies_and_others_do_not(version: FeatureVersion, steward: User) -> None:
    engineer = make_user("enno", Role.DATA_ENGINEER)

    edit_feature(feature=version.feature, changes={"tier": "experimental"}, editor=engineer)
    with pytest.raises(PermissionDenied, match="certify"):
        edit_feature(feature=version.feature, changes={"tier": "certified"}, editor=engineer)
    certified = edit_feature(feature=version.feature, changes={"tier": "certified"}, editor=steward)
    with pytest.raises(PermissionDenied, match="certify"):
        edit_feature(feature=certified, changes={"tier": "standard"}, editor=engineer)
    edit_feature(feature=certified, changes={"unit": "EUR"}, editor=engineer)

    assert Feature.objects.get(pk=certified.pk).tier == "certified"
    assert [(before, after) for _, before, after in events()][:2] == [
        ({"tier": "standard"}, {"tier": "experimental"}),
        ({"tier": "experimental"}, {"tier": "certified"}),
    ]


def test_what_a_service_pins_is_not_archived(version: FeatureVersion) -> None:
    service = make_service("churn", version)

    with pytest.raises(Conflict, match="balance is pinned by churn"):
        archive_feature(feature=version.feature)
    with pytest.raises(Conflict, match="finance is pinned by churn"):
        archive_group(group=version.feature.group)
    FeatureService.objects.filter(pk=service.pk).update(status=Status.ARCHIVED)
    assert archive_feature(feature=version.feature).status == Status.ARCHIVED


def test_the_life_of_a_group_is_in_the_audit_with_its_reason(version: FeatureVersion) -> None:
    group = version.feature.group

    deprecate_group(group=group, reason="moved")
    archive_group(group=group)
    restore_group(group=group)

    assert events() == [
        ("deprecate", {"status": "active"}, {"status": "deprecated", "reason": "moved"}),
        ("archive", {"status": "deprecated"}, {"status": "archived"}),
        ("restore", {"status": "archived"}, {"status": "active"}),
    ]


def test_tag_names_are_trimmed_lowered_and_once() -> None:
    assert tag_names([" B", "a", "b "]) == ["a", "b"]

"""Edits of the catalog in the admin: what they change, what they leave in the audit, whom they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Entity, Feature, FeatureGroup, FeatureService, FeatureVersion, JournalEntry, Status, Tag
from tests.admin.conftest import Stocked, events_after, newest_event


def feature_form(stocked: Stocked, **changes: Any) -> dict[str, Any]:
    feature = stocked.balance.feature
    return {
        "description": feature.description,
        "owner": feature.owner,
        "unit": feature.unit,
        "sensitivity": feature.sensitivity,
        "tier": feature.tier,
        "default_version": stocked.balance.pk,
        "tags": [tag.pk for tag in feature.tags.all()],
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
        **changes,
    }


def change_feature(client: Client, stocked: Stocked, **changes: Any) -> int:
    address = reverse("admin:catalog_feature_change", args=[stocked.balance.feature_id])
    return client.post(address, feature_form(stocked, **changes)).status_code


def test_an_edit_leaves_what_differs_before_and_after(steward: Client, stocked: Stocked) -> None:
    first = newest_event()
    pii = Tag.objects.create(name="pii")

    status = change_feature(steward, stocked, description="Mean balance", owner="stella", tags=[pii.pk])

    assert status == 302
    [event] = events_after(first)
    assert (event.action, event.object_type, event.object_name) == ("update", "feature", "finance_balance")
    assert (event.actor, event.object_id) == ("stella", str(stocked.balance.feature_id))
    assert event.request_id
    assert event.before == {"description": "", "owner": "", "tags": ["money"]}
    assert event.after == {"description": "Mean balance", "owner": "stella", "tags": ["pii"]}


def test_saving_without_a_change_leaves_nothing(steward: Client, stocked: Stocked) -> None:
    first = newest_event()

    assert change_feature(steward, stocked) == 302
    assert events_after(first) == []


@pytest.mark.parametrize("role", ["scientist", "stranger"])
def test_others_change_nothing(role: str, stocked: Stocked, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(role)
    first = newest_event()

    assert change_feature(client, stocked, description="mine") == 403
    assert Feature.objects.get(pk=stocked.balance.feature_id).description == ""
    assert events_after(first) == []


@pytest.mark.parametrize(("role", "expected"), [("engineer", "standard"), ("steward", "certified")])
def test_only_a_steward_certifies(role: str, expected: str, stocked: Stocked, request: pytest.FixtureRequest) -> None:
    change_feature(request.getfixturevalue(role), stocked, tier="certified")

    assert Feature.objects.get(pk=stocked.balance.feature_id).tier == expected


def test_an_active_feature_has_no_replacement(engineer: Client, stocked: Stocked) -> None:
    assert change_feature(engineer, stocked, replacement=stocked.phone.feature_id) == 200
    Feature.objects.filter(pk=stocked.balance.feature_id).update(status=Status.DEPRECATED)
    assert change_feature(engineer, stocked, replacement=stocked.balance.feature_id) == 200
    assert change_feature(engineer, stocked, replacement=stocked.phone.feature_id) == 302
    assert Feature.objects.get(pk=stocked.balance.feature_id).replacement_id == stocked.phone.feature_id


def test_an_incident_is_written_once_and_closed(engineer: Client, stocked: Stocked) -> None:
    first = newest_event()
    form = {"group": stocked.group.pk, "kind": "incident", "text": "Late", "at_0": "2025-03-01", "at_1": "12:00:00"}

    assert engineer.post(reverse("admin:catalog_journalentry_add"), {**form, "group": ""}).status_code == 200
    assert engineer.post(reverse("admin:catalog_journalentry_add"), form).status_code == 302
    entry = JournalEntry.objects.get(text="Late")
    assert (entry.author, entry.is_open) == ("enno", True)
    rewritten = engineer.post(reverse("admin:catalog_journalentry_change", args=[entry.pk]), {**form, "text": "Early"})
    close = {"action": "close_selected", "_selected_action": entry.pk}
    engineer.post(reverse("admin:catalog_journalentry_changelist"), close)

    assert rewritten.status_code == 403
    entry.refresh_from_db()
    assert (entry.text, entry.is_open, entry.closed_by) == ("Late", False, "enno")
    assert [event.action for event in events_after(first)] == ["create", "close"]


def test_names_and_groups_are_fixed(steward: Client, stocked: Stocked) -> None:
    other = FeatureGroup.objects.create(name="other", entity=stocked.group.entity, source="warehouse", source_table="t")

    assert change_feature(steward, stocked, name="renamed", group=other.pk) == 302
    feature = Feature.objects.get(pk=stocked.balance.feature_id)
    assert (feature.name, feature.group) == ("finance_balance", stocked.group)


def test_a_definition_is_not_edited_but_its_mask_is(steward: Client, stocked: Stocked) -> None:
    first = newest_event()
    address = reverse("admin:catalog_featureversion_change", args=[stocked.phone.pk])

    answer = steward.post(
        address,
        {"status": "active", "description": "Phone", "mask": "hash", "data_type": "integer", "source_column": "other"},
    )

    assert answer.status_code == 302
    version = FeatureVersion.objects.get(pk=stocked.phone.pk)
    assert (version.mask, version.data_type, version.source_column) == ("hash", "string", "")
    [event] = events_after(first)
    assert event.before == {"mask": "partial", "description": ""}
    assert event.after == {"mask": "hash", "description": "Phone"}


@pytest.mark.parametrize(("role", "expected"), [("engineer", "partial"), ("steward", "bucket")])
def test_only_who_reads_sensitive_values_changes_their_mask(
    role: str, expected: str, stocked: Stocked, request: pytest.FixtureRequest
) -> None:
    address = reverse("admin:catalog_featureversion_change", args=[stocked.phone.pk])

    request.getfixturevalue(role).post(address, {"status": "active", "description": "", "mask": "bucket"})

    assert FeatureVersion.objects.get(pk=stocked.phone.pk).mask == expected


@pytest.mark.parametrize(("role", "expected"), [("engineer", "personal"), ("steward", "public")])
def test_only_who_reads_sensitive_values_opens_them(
    role: str, expected: str, stocked: Stocked, request: pytest.FixtureRequest
) -> None:
    address = reverse("admin:catalog_feature_change", args=[stocked.phone.feature_id])
    form = feature_form(stocked, sensitivity="public", default_version=stocked.phone.pk)

    assert request.getfixturevalue(role).post(address, form).status_code == 302
    assert Feature.objects.get(pk=stocked.phone.feature_id).sensitivity == expected


@pytest.mark.parametrize(("role", "expected"), [("engineer", "personal"), ("steward", "internal")])
def test_only_who_reads_sensitive_values_opens_a_group(
    role: str, expected: str, stocked: Stocked, request: pytest.FixtureRequest
) -> None:
    FeatureGroup.objects.update(sensitivity="personal")
    form = group_form(**{"grants-TOTAL_FORMS": 0})

    address = reverse("admin:catalog_featuregroup_change", args=[stocked.group.pk])
    assert request.getfixturevalue(role).post(address, form).status_code == 302
    group = FeatureGroup.objects.get(pk=stocked.group.pk)
    assert (group.sensitivity, group.source_table) == (expected, "cards")


def act(client: Client, model: str, action: str, *rows: int, reason: str = "") -> Any:
    address = reverse(f"admin:catalog_{model}_changelist")
    return client.post(address, {"action": action, "_selected_action": rows, "reason": reason}, follow=True)


def test_deprecate_and_restore(steward: Client, stocked: Stocked) -> None:
    feature, first = stocked.balance.feature, newest_event()

    act(steward, "feature", "deprecate_selected", feature.pk, reason="Use the ratio")
    act(steward, "feature", "restore_selected", feature.pk)

    deprecated, restored = events_after(first)
    assert (deprecated.action, restored.action) == ("deprecate", "restore")
    assert deprecated.before == {"status": "active", "status_reason": ""}
    assert deprecated.after == {"status": "deprecated", "status_reason": "Use the ratio"}
    assert restored.after == {"status": "active", "status_reason": ""}


def test_deprecating_asks_for_a_reason(steward: Client, stocked: Stocked) -> None:
    answer = act(steward, "feature", "deprecate_selected", stocked.balance.feature_id)

    assert "say why it is deprecated" in answer.content.decode()
    assert Feature.objects.get(pk=stocked.balance.feature_id).status == Status.ACTIVE


def test_archiving_what_a_service_pins_is_refused(steward: Client, stocked: Stocked) -> None:
    answer = act(steward, "feature", "archive_selected", stocked.balance.feature_id, reason="old")

    assert "is pinned by finance_model" in answer.content.decode()
    assert Feature.objects.get(pk=stocked.balance.feature_id).status == Status.ACTIVE


def test_a_scientist_deprecates_nothing(scientist: Client, stocked: Stocked) -> None:
    first = newest_event()

    act(scientist, "feature", "deprecate_selected", stocked.balance.feature_id, reason="mine")

    assert Feature.objects.get(pk=stocked.balance.feature_id).status == Status.ACTIVE
    assert events_after(first) == []


@pytest.mark.parametrize("model", ["feature", "featuregroup", "entity"])
def test_what_has_history_is_kept(model: str, root: Client, stocked: Stocked) -> None:
    rows = {
        "feature": stocked.balance.feature_id,
        "featuregroup": stocked.group.pk,
        "entity": stocked.group.entity_id,
    }
    first = newest_event()

    answer = root.post(reverse(f"admin:catalog_{model}_delete", args=[rows[model]]), {"post": "yes"})

    assert answer.status_code == 200
    assert "It cannot be deleted." in answer.content.decode()
    assert Feature.objects.filter(pk=stocked.balance.feature_id).exists()
    assert Entity.objects.filter(pk=stocked.group.entity_id).exists()
    assert events_after(first) == []


def test_deleting_a_tag_leaves_what_it_was(engineer: Client, stocked: Stocked) -> None:
    tag = Tag.objects.create(name="unused")
    first = newest_event()

    engineer.post(reverse("admin:catalog_tag_delete", args=[tag.pk]), {"post": "yes"})

    [event] = events_after(first)
    assert (event.action, event.before, event.after) == ("delete", {"id": tag.pk, "name": "unused"}, None)


def test_deleting_several_at_once_is_audited_too(engineer: Client, stocked: Stocked) -> None:
    tags = [Tag.objects.create(name=name) for name in ("a", "b")]
    first = newest_event()

    engineer.post(
        reverse("admin:catalog_tag_changelist"),
        {"action": "delete_selected", "_selected_action": [tag.pk for tag in tags], "post": "yes"},
    )

    assert [event.object_name for event in events_after(first)] == ["a", "b"]
    assert list(Tag.objects.values_list("name", flat=True)) == ["money"]


def test_tags_are_kept_in_lower_case(engineer: Client) -> None:
    engineer.post(reverse("admin:catalog_tag_add"), {"name": " PII "})

    assert list(Tag.objects.values_list("name", flat=True)) == ["pii"]


def group_form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "cards",
        "description": "",
        "owner": "risk",
        "sensitivity": "internal",
        "max_age": "30d",
        "source": "warehouse",
        "source_table": "cards",
        "timezone": "UTC",
        "key_map": "{}",
        "row_rules": "[]",
        **{
            f"{prefix}-{part}_FORMS": "0"
            for prefix in ("features", "grants")
            for part in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")
        },
        **changes,
    }


def test_a_group_made_by_hand(engineer: Client, stocked: Stocked) -> None:
    first = newest_event()

    answer = engineer.post(reverse("admin:catalog_featuregroup_add"), group_form(entity=stocked.group.entity_id))

    assert answer.status_code == 302, answer.context["errors"]
    group = FeatureGroup.objects.get(name="cards")
    assert (group.created_by, group.declared) == ("enno", False)
    assert group.max_age is not None
    assert group.max_age.days == 30
    [event] = events_after(first)
    assert (event.action, event.before) == ("create", None)
    assert event.after is not None
    assert (event.after["name"], event.after["max_age"], event.after["tags"]) == ("cards", "30 00:00:00", [])


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("max_age", "soon", "is not a duration"),
        ("timezone", "Mars/Base", "is no time zone"),
        ("row_rules", '[{"name": "ratio"}]', "expression: Field required"),
        ("key_map", "[1]", "valid dictionary"),
        ("schedule", "every day", "five parts"),
    ],
)
def test_a_group_that_cannot_be(field: str, value: str, told: str, engineer: Client, stocked: Stocked) -> None:
    form = group_form(entity=stocked.group.entity_id, **{field: value})

    answer = engineer.post(reverse("admin:catalog_featuregroup_add"), form)

    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert not FeatureGroup.objects.filter(name="cards").exists()


def test_emptied_json_is_the_default_again(engineer: Client, stocked: Stocked) -> None:
    form = group_form(entity=stocked.group.entity_id, key_map="", row_rules="")

    assert engineer.post(reverse("admin:catalog_featuregroup_add"), form).status_code == 302
    group = FeatureGroup.objects.get(name="cards")
    assert (group.key_map, group.row_rules) == ({}, [])


def test_a_feature_made_by_hand_belongs_to_the_groups_entity(engineer: Client, stocked: Stocked) -> None:
    form = {
        "name": "limit",
        "group": stocked.group.pk,
        "tier": "standard",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
    }

    assert engineer.post(reverse("admin:catalog_feature_add"), form).status_code == 302
    assert Feature.objects.get(name="limit").entity == stocked.group.entity


def test_a_feature_name_is_there_once_per_entity(engineer: Client, stocked: Stocked) -> None:
    form = {"name": "finance_phone", "group": stocked.group.pk}
    form |= {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}

    answer = engineer.post(reverse("admin:catalog_feature_add"), form)

    assert "has a feature of that name, in finance" in answer.content.decode()


@pytest.mark.parametrize("keys", ['"customer_id"', "[]", '["a", "a"]', "{}", '["a", 1]'])
def test_join_keys_are_names(keys: str, engineer: Client) -> None:
    answer = engineer.post(reverse("admin:catalog_entity_add"), {"name": "account", "join_keys": keys})

    assert answer.status_code == 200
    assert not Entity.objects.exists()


def member_form(service: FeatureService, *versions: FeatureVersion) -> dict[str, Any]:
    form: dict[str, Any] = {"description": service.description, "owner": "sara", "status": service.status}
    kept = list(service.members.all())
    form |= {"members-TOTAL_FORMS": len(kept) + len(versions), "members-INITIAL_FORMS": len(kept)}
    for number, member in enumerate(kept):
        form |= {f"members-{number}-id": member.pk, f"members-{number}-service": service.pk}
        form |= {f"members-{number}-version": member.version_id, f"members-{number}-position": number}
    for number, version in enumerate(versions, start=len(kept)):
        form |= {f"members-{number}-service": service.pk, f"members-{number}-position": number}
        form |= {f"members-{number}-version": version.pk}
    return form


def test_a_scientist_pins_another_version(scientist: Client, stocked: Stocked) -> None:
    service, first = FeatureService.objects.get(name="finance_model"), newest_event()

    answer = scientist.post(
        reverse("admin:catalog_featureservice_change", args=[service.pk]), member_form(service, stocked.phone)
    )

    assert answer.status_code == 302
    [event] = events_after(first)
    assert event.before == {"owner": "", "members": ["customer_finance_balance_v1 1.0"]}
    assert event.after == {
        "owner": "sara",
        "members": ["customer_finance_balance_v1 1.0", "customer_finance_phone_v1 1.0"],
    }


def test_a_value_column_is_pinned_once(scientist: Client, stocked: Stocked) -> None:
    service = FeatureService.objects.get(name="finance_model")
    minor = FeatureVersion.objects.create(feature=stocked.balance.feature, major=1, minor=1, data_type="float")

    answer = scientist.post(
        reverse("admin:catalog_featureservice_change", args=[service.pk]), member_form(service, minor)
    )

    assert answer.status_code == 200
    assert "is there twice" in answer.content.decode()
    assert service.members.count() == 1


def test_statistics_of_sensitive_features_are_for_the_cleared(
    engineer: Client, steward: Client, stocked: Stocked
) -> None:
    address = reverse("admin:catalog_featureprofile_change", args=[stocked.phone.profiles.get().pk])

    assert "555-0199" in steward.get(address).content.decode()
    hidden = engineer.get(address).content.decode()
    assert "555-0199" not in hidden
    assert "sensitive feature that you may not read" in hidden

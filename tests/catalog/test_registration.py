from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.actor import acting
from catalog.declarations import CatalogDeclaration
from catalog.errors import ConfigurationError
from catalog.models import AuditEvent, Entity, Feature, FeatureGroup, FeatureService, FeatureVersion, Status
from catalog.registration import Applied, ChangeKind, Policy, apply_declaration, plan_changes

pytestmark = pytest.mark.django_db


def feature(name: str = "balance_mean", **keys: Any) -> dict[str, Any]:
    return {"name": name, "type": "float", **keys}


KEY = {"name": "customer_id", "type": "integer", "is_primary_key": True}


def group(*features: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"source_table": "fact_customer_features", "features": [KEY, *(features or (feature(),))], **keys}


def declared(groups: dict[str, Any] | None = None, **keys: Any) -> CatalogDeclaration:
    return CatalogDeclaration.model_validate({"groups": groups or {"finance": group()}, **keys})


def apply(*features: dict[str, Any], policy: Policy | None = None, **keys: Any) -> Applied:
    return apply_declaration(declared({"finance": group(*features)}, **keys), policy=policy)


def kinds(applied: Applied) -> dict[str, ChangeKind]:
    return {change.name: change.kind for change in applied.plan.changes}


def numbers(name: str = "balance_mean") -> list[str]:
    versions = FeatureVersion.objects.filter(feature__name=name).order_by("major", "minor")
    return [version.number for version in versions]


def fault(*features: dict[str, Any], policy: Policy | None = None, **keys: Any) -> str:
    before = AuditEvent.objects.count()
    with pytest.raises(ConfigurationError) as refused:
        apply(*features, policy=policy, **keys)
    assert AuditEvent.objects.count() == before
    return refused.value.message


def test_a_declaration_becomes_the_catalog() -> None:
    balance = feature(
        description="Mean balance",
        source_column="bal",
        tags=["Money", "core"],
        unit="EUR",
        validation={"min_value": 0, "max_value": 1_000_000},
    )
    with acting(None, "apply"):
        applied = apply_declaration(
            declared({"finance": group(balance, owner="risk", max_age="24h", schedule="0 3 * * *")}),
        )
    assert applied.counts == {ChangeKind.ADDED: 3}
    entity = Entity.objects.get()
    assert (entity.name, entity.join_keys) == ("customer", ["customer_id"])
    stored = FeatureGroup.objects.get()
    assert (stored.name, stored.entity, stored.max_age, stored.schedule, stored.owner, stored.created_by) == (
        "finance",
        entity,
        timedelta(hours=24),
        "0 3 * * *",
        "risk",
        "apply",
    )
    made = Feature.objects.get()
    assert sorted(tag.name for tag in made.tags.all()) == ["core", "money"]
    assert made.default_version is not None
    assert made.default_version.public_id == "customer_balance_mean_v1"
    assert made.default_version.source_column == "bal"
    assert made.default_version.validation["max_value"] == 1_000_000
    actions = AuditEvent.objects.order_by("id").values_list("action", "object_type", "object_name", "actor")
    assert list(actions) == [
        ("create", "entity", "customer", "apply"),
        ("create", "featuregroup", "finance", "apply"),
        ("create", "featureversion", "balance_mean@1.0", "apply"),
        ("create", "feature", "balance_mean", "apply"),
    ]


def test_a_plan_writes_nothing() -> None:
    plan = plan_changes(declared())
    assert [(change.kind, change.object_type, change.name) for change in plan.changes] == [
        (ChangeKind.ADDED, "entity", "customer"),
        (ChangeKind.ADDED, "group", "finance"),
        (ChangeKind.ADDED, "feature", "finance:balance_mean"),
    ]
    assert not FeatureGroup.objects.exists()


def test_a_second_apply_changes_nothing() -> None:
    services = {"churn": {"features": ["balance_mean"]}}
    rich = feature(tags=["b", "a"], categories=None, default=1, validation={"min_value": 0.1})
    apply(rich, services=services)
    events, stamps = AuditEvent.objects.count(), _stamps()
    applied = apply(rich, services=services)
    assert not applied.plan
    assert applied.counts == {ChangeKind.UNCHANGED: 4}
    assert AuditEvent.objects.count() == events
    assert _stamps() == stamps


def _stamps() -> list[Any]:
    models = (Entity, FeatureGroup, Feature, FeatureVersion, FeatureService)
    return [list(model.objects.values_list("pk", "updated_at")) for model in models]


def test_a_tier_that_is_not_declared_stays_as_it_was_given() -> None:
    apply(feature(tier="experimental"))
    assert Feature.objects.get().tier == "experimental"

    Feature.objects.update(tier="certified")
    assert not apply(feature()).plan
    assert Feature.objects.get().tier == "certified"
    assert apply(feature(tier="standard")).plan.changed[0].details[0].after == "standard"
    assert (numbers(), Feature.objects.get().tier) == (["1.0"], "standard")


def test_description_tags_unit_and_owner_are_no_version() -> None:
    apply(feature())
    applied = apply(feature(description="new", tags=["x"], unit="EUR", owner="me", sensitivity="personal"))
    assert kinds(applied)["finance:balance_mean"] is ChangeKind.UPDATED
    assert numbers() == ["1.0"]
    event = AuditEvent.objects.order_by("id").last()
    assert event is not None
    assert (event.action, event.before["unit"], event.after["unit"]) == ("update", "", "EUR")
    assert (event.before["tags"], event.after["tags"]) == ([], ["x"])


@pytest.mark.parametrize(
    "change",
    [
        {"source_column": "other"},
        {"expression": "balance_sum / 12"},
        {"validation": {"max_value": 5}},
        {"default": 0.5},
        {"mask": "null"},
        {"drift_threshold": 0.5},
    ],
)
def test_a_compatible_change_is_a_new_minor(change: dict[str, Any]) -> None:
    apply(feature())
    applied = apply(feature(**change))
    assert kinds(applied)["finance:balance_mean"] is ChangeKind.MINOR
    assert numbers() == ["1.0", "1.1"]
    old, new = FeatureVersion.objects.order_by("minor")
    assert (old.is_current, new.is_current) == (False, True)
    assert (old.status, new.status) == (Status.ACTIVE, Status.ACTIVE)
    assert Feature.objects.get().default_version == new
    assert not apply(feature(**change)).plan


def test_a_change_of_type_is_a_new_major_and_the_old_stays() -> None:
    apply(feature())
    applied = apply(feature(type="integer"))
    assert kinds(applied)["finance:balance_mean"] is ChangeKind.MAJOR
    old, new = FeatureVersion.objects.order_by("major")
    assert (old.value_column, new.value_column) == ("balance_mean_v1", "balance_mean_v2")
    assert (old.is_current, new.is_current, old.status) == (True, True, Status.ACTIVE)
    assert Feature.objects.get().default_version == new


def test_a_declared_major_is_a_new_major_without_a_change() -> None:
    apply(feature())
    assert kinds(apply(feature(version="2.0")))["finance:balance_mean"] is ChangeKind.MAJOR
    assert numbers() == ["1.0", "2.0"]


def test_without_choosing_numbers_a_definition_may_change_again_and_again() -> None:
    for bound in (1, 2, 3):
        apply(feature(validation={"max_value": bound}))
    assert numbers() == ["1.0", "1.1", "1.2"]
    apply(feature(validation={"max_value": 3}, version="1.2"))
    assert numbers() == ["1.0", "1.1", "1.2"]


def test_without_auto_versioning_a_change_says_which_version_to_declare() -> None:
    policy = Policy(auto_versioning=False)
    apply(feature(), policy=policy)
    assert 'declare version "2.0"' in fault(feature(type="integer"), policy=policy)
    assert 'declare version "1.1"' in fault(feature(default=1.0), policy=policy)
    apply(feature(type="integer", version="2.0"), policy=policy)
    assert numbers() == ["1.0", "2.0"]


def test_a_lower_version_with_another_definition_is_refused() -> None:
    apply(feature(version="2.3"))
    apply(feature(version="2.1"))
    assert numbers() == ["2.3"]
    assert 'declare "2.4"' in fault(feature(version="2.1", default=1.0))
    assert 'declare "3.0"' in fault(feature(version="1.0", type="integer"))


def test_a_version_made_by_hand_stays_the_newest() -> None:
    apply(feature())
    made = Feature.objects.get()
    made.versions.update(is_current=False)
    FeatureVersion.objects.create(feature=made, major=1, minor=1, data_type="float", source_column="by_hand")
    assert not apply(feature()).plan
    assert 'declare "1.2"' in fault(feature(default=1.0))


def test_a_change_of_type_cannot_be_a_minor() -> None:
    apply(feature())
    assert 'declare version "2.0", not "1.1"' in fault(feature(version="1.1", type="string"))


def test_removed_is_deprecated_and_comes_back() -> None:
    apply(feature(), feature("age"))
    applied = apply(feature())
    assert kinds(applied)["finance:age"] is ChangeKind.DEPRECATED
    age = Feature.objects.get(name="age")
    assert (age.status, age.status_reason) == (Status.DEPRECATED, "no longer in the configuration")
    assert not apply(feature()).plan
    assert kinds(apply(feature(), feature("age")))["finance:age"] is ChangeKind.RESTORED
    age.refresh_from_db()
    assert (age.status, age.status_reason) == (Status.ACTIVE, "")
    assert not apply(feature(), feature("age")).plan


def test_a_removed_group_is_deprecated_with_its_features_and_comes_back() -> None:
    both = declared({"finance": group(), "people": group(feature("age"))})
    apply_declaration(both)
    apply()
    people = FeatureGroup.objects.get(name="people")
    assert (people.status, people.features.get().status) == (Status.DEPRECATED, Status.DEPRECATED)
    apply_declaration(both)
    people.refresh_from_db()
    assert (people.status, people.features.get().status) == (Status.ACTIVE, Status.ACTIVE)


def test_what_a_person_deprecated_or_made_stays_so() -> None:
    apply(feature(), feature("age"))
    Feature.objects.filter(name="age").update(status=Status.DEPRECATED, status_reason="wrong since May")
    entity = Entity.objects.get()
    FeatureGroup.objects.create(name="by_hand", entity=entity, source="warehouse", source_table="t")
    assert not apply(feature(), feature("age")).plan
    assert Feature.objects.get(name="age").status == Status.DEPRECATED
    assert FeatureGroup.objects.get(name="by_hand").status == Status.ACTIVE


def test_deprecation_can_be_off() -> None:
    apply(feature(), feature("age"))
    applied = apply(feature(), policy=Policy(deprecate_removed=False))
    assert not applied.plan
    assert Feature.objects.get(name="age").status == Status.ACTIVE


def test_old_minors_beyond_the_retained_are_archived_unless_a_service_pins_them() -> None:
    services = {"churn": {"features": ["balance_mean@1.0"]}}
    policy = Policy(retain_versions=2)
    for bound in (1, 2, 3, 4):
        apply(feature(validation={"max_value": bound}), policy=policy, services=services)
    states = {version.number: version.status for version in FeatureVersion.objects.all()}
    assert states == {"1.0": "active", "1.1": "archived", "1.2": "active", "1.3": "active"}


def test_max_age_and_zone_come_from_the_policy_where_the_group_says_nothing() -> None:
    groups = {"a": group(), "b": group(feature("x"), max_age=None), "c": group(feature("y"), max_age="7d")}
    apply_declaration(
        declared(groups), policy=Policy(default_max_age=timedelta(hours=24), timezones={"b": None, "c": "Europe/Paris"})
    )
    stored = {g.name: (g.max_age, g.timezone) for g in FeatureGroup.objects.all()}
    assert stored == {
        "a": (timedelta(hours=24), "UTC"),
        "b": (None, ""),
        "c": (timedelta(days=7), "Europe/Paris"),
    }


def test_all_faults_are_told_at_once() -> None:
    message = fault(
        feature("event_timestamp"),
        feature("ratio", expression="(select 1)"),
        feature("age", type="integer", default="old"),
        services={"churn": {"features": ["ratoi"]}},
    )
    assert message.startswith("The declaration has 4 faults:")
    for part in ("finance.event_timestamp", "ratio.expression", "age.default", "did you mean ratio?"):
        assert part in message


def test_a_row_rule_names_features_of_its_group_only() -> None:
    def refused(expression: str) -> str:
        rules = [{"name": "sane", "expression": expression}]
        with pytest.raises(ConfigurationError) as error:
            plan_changes(declared({"finance": group(rules=rules)}))
        return error.value.message

    assert "did you mean balance_mean?" in refused("balance_maen > 0")
    assert "read_csv" in refused("balance_mean in (read_csv('x'))")
    assert "uses no feature" in refused("1 = 1")
    rules = [{"name": "sane", "expression": "balance_mean >= 0", "severity": "reject"}]
    apply_declaration(declared({"finance": group(rules=rules)}))
    assert FeatureGroup.objects.get().row_rules == [
        {"name": "sane", "expression": "balance_mean >= 0", "severity": "reject", "description": ""}
    ]


def test_a_name_is_used_once_per_entity_and_stays_in_its_group() -> None:
    with pytest.raises(ConfigurationError, match="also declared in finance"):
        plan_changes(declared({"finance": group(), "other": group()}))
    apply()
    with pytest.raises(ConfigurationError, match="belongs to the group finance"):
        plan_changes(declared({"other": group()}))
    # Another entity may use the name.
    branch = {"name": "branch_id", "type": "integer", "is_primary_key": True}
    other = {"source_table": "t", "features": [branch, feature()]}
    apply_declaration(declared({"finance": group(), "branches": other}))
    assert Feature.objects.filter(name="balance_mean").count() == 2


def test_two_features_cannot_share_a_feature_id() -> None:
    entities = {"a": {"join_keys": ["k"]}, "a_b": {"join_keys": ["m"]}}
    groups = {
        "one": {"source_table": "t", "entity": "a", "features": [feature("b_c")]},
        "two": {"source_table": "t", "entity": "a_b", "features": [feature("c")]},
    }
    with pytest.raises(ConfigurationError, match="same feature id"):
        plan_changes(declared(groups, entities=entities))


def test_the_keys_of_an_entity_with_groups_cannot_change() -> None:
    apply()
    with pytest.raises(ConfigurationError, match="values are kept under the former"):
        plan_changes(declared(entities={"customer": {"join_keys": ["cust"]}}))

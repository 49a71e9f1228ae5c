from __future__ import annotations

from typing import Any

import pytest

from catalog.declarations import CatalogDeclaration
from catalog.errors import ConfigurationError
from catalog.models import AuditEvent, FeatureService, Status
from catalog.registration import apply_declaration

pytestmark = pytest.mark.django_db


def apply(services: dict[str, Any], **first: Any) -> None:
    features = [
        {"name": "customer_id", "type": "integer", "is_primary_key": True},
        {"name": "balance_mean", "type": "float", **first},
        {"name": "age", "type": "integer"},
    ]
    group = {"source_table": "t", "features": features}
    apply_declaration(CatalogDeclaration.model_validate({"groups": {"finance": group}, "services": services}))


def pins(name: str = "churn") -> list[str]:
    return [str(member.version) for member in FeatureService.objects.get(name=name).members.all()]


def test_a_service_pins_the_versions_of_its_declaration() -> None:
    apply({"churn": {"features": ["age", "finance:balance_mean"], "description": "d", "owner": "o"}})
    assert pins() == ["age@1.0", "balance_mean@1.0"]


def test_a_pin_does_not_move_when_the_default_does() -> None:
    services = {"churn": {"features": ["balance_mean"]}}
    apply(services)
    apply(services, type="integer")
    assert pins() == ["balance_mean@1.0"]
    apply({**services, "next": {"features": ["balance_mean"]}}, type="integer")
    assert (pins(), pins("next")) == (["balance_mean@1.0"], ["balance_mean@2.0"])
    apply({"churn": {"features": ["balance_mean@2"]}}, type="integer")
    assert pins() == ["balance_mean@2.0"]


def test_a_service_may_pin_two_majors_and_a_version_of_the_same_declaration() -> None:
    apply({})
    apply({"churn": {"features": ["balance_mean@1", "balance_mean@2.0"]}}, version="2.0")
    assert pins() == ["balance_mean@1.0", "balance_mean@2.0"]


def test_a_change_of_the_list_is_one_audited_update() -> None:
    apply({"churn": {"features": ["balance_mean", "age"]}})
    events = AuditEvent.objects.count()
    apply({"churn": {"features": ["age"]}})
    event = AuditEvent.objects.order_by("id").last()
    assert event is not None
    assert AuditEvent.objects.count() == events + 1
    assert (event.action, event.object_name) == ("update", "churn")
    assert event.before["members"] == ["customer_balance_mean_v1 1.0", "customer_age_v1 1.0"]
    assert event.after["members"] == ["customer_age_v1 1.0"]


def test_a_removed_service_is_deprecated_and_comes_back() -> None:
    services = {"churn": {"features": ["age"]}}
    apply(services)
    FeatureService.objects.create(name="by_hand")
    apply({})
    assert FeatureService.objects.get(name="churn").status == Status.DEPRECATED
    assert FeatureService.objects.get(name="by_hand").status == Status.ACTIVE
    apply(services)
    assert FeatureService.objects.get(name="churn").status == Status.ACTIVE


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("balance_maen", "did you mean balance_mean?"),
        ("people:age", "did you mean finance:age?"),
        ("age@7", "its versions are 1.0"),
        ("a b", "is not a feature reference"),
    ],
)
def test_an_unknown_reference_is_refused_with_the_nearest(reference: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        apply({"churn": {"features": [reference]}})
    assert told in refused.value.message
    assert not FeatureService.objects.exists()


def test_the_same_values_twice_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="are the same values"):
        apply({"churn": {"features": ["age", "age@1"]}})

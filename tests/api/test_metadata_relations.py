"""Trust, profiles, consumers and likes of a feature."""

from __future__ import annotations

import pytest

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureVersion
from serving.models import FeatureUsage
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import profile, report, run, tag
from tests.stocked_store import make_feature, make_group, make_service

pytestmark = pytest.mark.django_db
URL = "metadata/features/balance_mean"


@pytest.fixture(autouse=True)
def balance() -> FeatureVersion:
    version = make_feature(make_group("finance", owner="risk-team"), "balance_mean")
    tag(version, "money")
    profile(version)
    return version


def test_the_trust_line_is_told(balance: FeatureVersion) -> None:
    report(run(balance.feature.group), balance)
    make_service("churn_model", balance)

    trust = ask(caller(Role.VIEWER), URL)[1]["trust"]

    # 3.57 % of the values break a rule of severity warn, and the threshold of validity leaves ten.
    assert (trust["state"], trust["sentence"]) == (
        "good",
        "Fit for use: at most 3.57% of values flagged, owned by risk-team, used by 1 service.",
    )
    assert [one["topic"] for one in trust["evidence"]] == ["freshness", "checks", "drift", "owner", "use"]


def test_profiles_newest_first_and_masked(balance: FeatureVersion) -> None:
    old = profile(balance, mean_value=1.0, computed_at="2025-01-01T00:00:00Z")

    body = ask(caller(Role.VIEWER), f"{URL}/profiles")[1]
    assert (body["count"], body["results"][1]["id"], body["results"][1]["mean_value"]) == (2, old.pk, 1.0)
    Feature.objects.update(sensitivity="personal")
    closed = ask(caller(Role.VIEWER, "vera"), f"{URL}/profiles")[1]["results"][0]
    assert (closed["mean_value"], closed["histogram"], closed["null_count"]) == (None, None, 0)
    assert ask(caller(Role.STEWARD), f"{URL}/profiles")[1]["results"][1]["mean_value"] == 1.0


def test_consumers_by_name_for_those_who_edit(balance: FeatureVersion) -> None:
    make_service("churn_model", balance)
    FeatureUsage.objects.create(day=now().date(), feature=balance.feature, caller="sara", online_reads=7)

    told = {role: ask(caller(role), f"{URL}/consumers")[1] for role in (Role.VIEWER, Role.DATA_ENGINEER)}

    assert told[Role.DATA_ENGINEER]["services"] == [{"name": "churn_model", "version": "1.0"}]
    assert told[Role.DATA_ENGINEER]["callers"][0]["name"] == "sara"
    assert (told[Role.VIEWER]["callers"][0]["name"], told[Role.VIEWER]["callers"][0]["online_reads"]) == ("", 7)


def test_similar_features(balance: FeatureVersion) -> None:
    make_feature(balance.feature.group, "balance_max")

    assert ask(caller(Role.VIEWER), f"{URL}/similar") == (
        200,
        [{"feature": "finance:balance_max", "feature_id": "customer_balance_max_v1", "why": ["balance"]}],
    )
    for path in ("profiles", "consumers", "similar"):
        assert error_of(ask(caller(None, f"nobody-{path}"), f"{URL}/{path}")) == (403, "permission_denied")
        assert error_of(ask(caller(Role.VIEWER, f"v-{path}"), f"metadata/features/nothing/{path}"))[0] == 404

"""GET metadata/features."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.models import FeatureGroup, Status
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import profile, tag
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


@pytest.fixture
def finance() -> FeatureGroup:
    group = make_group("finance", owner="risk-team")
    profile(make_feature(group, "balance_mean"))
    tag(make_feature(group, "salary_mean", "integer"), "income")
    return group


def names(answer: tuple[int, dict[str, list[dict[str, str]]]]) -> list[str]:
    assert answer[0] == 200
    return [entry["name"] for entry in answer[1]["results"]]


def test_a_page_of_features(viewer: Client, finance: FeatureGroup) -> None:
    status, body = ask(viewer, "metadata/features", page_size=1)
    assert status == 200
    assert (body["count"], body["previous"]) == (2, None)
    assert body["next"] == "http://testserver/api/v1/metadata/features?page=2&page_size=1"
    assert ask(viewer, "metadata/features", page_size=1, page=2)[1]["next"] is None


def test_an_entry_has_the_metadata_schema(viewer: Client, finance: FeatureGroup) -> None:
    entry = ask(viewer, "metadata/features", group="finance")[1]["results"][0]
    assert entry["feature_id"] == "customer_balance_mean_v1"
    assert (entry["feature_group"], entry["data_type"], entry["version"]) == ("finance", "float", "1.0")
    assert entry["statistics"]["max_value"] == 250898.09
    assert entry["statistics"]["null_count"] == 0
    assert entry["quality_metrics"] == {"completeness": 1.0, "validity": 0.99, "consistency": 1.0}
    assert entry["statistics_reason"] is None
    assert entry["owner"] == "risk-team"
    assert entry["url"] == "http://testserver/api/v1/metadata/features/finance:balance_mean"
    wanted = {"source_table", "source_column", "creation_date", "last_updated", "created_by", "tags", "description"}
    assert wanted <= set(entry)


def test_filters_search_and_ordering(viewer: Client, finance: FeatureGroup) -> None:
    make_feature(make_group("people"), "age")
    assert names(ask(viewer, "metadata/features", group="finance")) == ["balance_mean", "salary_mean"]
    assert names(ask(viewer, "metadata/features", data_type="integer")) == ["salary_mean"]
    assert names(ask(viewer, "metadata/features", tag="income")) == ["salary_mean"]
    assert names(ask(viewer, "metadata/features", owner="risk-team")) == ["balance_mean", "salary_mean"]
    assert names(ask(viewer, "metadata/features", entity="customer", status="active", sensitivity="internal")) == [
        "age",
        "balance_mean",
        "salary_mean",
    ]
    assert names(ask(viewer, "metadata/features", search="balance")) == ["balance_mean"]
    assert names(ask(viewer, "metadata/features", ordering="-name")) == ["salary_mean", "balance_mean", "age"]


def test_a_misspelled_filter_is_an_error_and_not_everything(viewer: Client, finance: FeatureGroup) -> None:
    answer = ask(viewer, "metadata/features", grup="finance")
    assert error_of(answer) == (400, "invalid_input")
    assert "did you mean group?" in answer[1]["error"]["message"]


def test_wrong_parameters(viewer: Client, finance: FeatureGroup) -> None:
    assert error_of(ask(viewer, "metadata/features", ordering="colour")) == (400, "invalid_input")
    assert error_of(ask(viewer, "metadata/features", page="nine")) == (404, "not_found")
    assert error_of(ask(viewer, "metadata/features", group="a\0b")) == (400, "invalid_input")


def test_the_page_size_is_bounded(viewer: Client) -> None:
    group = make_group()
    for number in range(3):
        make_feature(group, f"f{number}")
    assert len(ask(viewer, "metadata/features", page_size=1_000_000)[1]["results"]) == 3


def test_who_sees_archived_features(viewer: Client, finance: FeatureGroup) -> None:
    finance.features.filter(name="salary_mean").update(status=Status.ARCHIVED)
    assert names(ask(viewer, "metadata/features")) == ["balance_mean"]
    assert names(ask(caller(Role.DATA_ENGINEER), "metadata/features")) == ["balance_mean", "salary_mean"]
    assert error_of(ask(caller(None), "metadata/features")) == (403, "permission_denied")
    assert error_of(ask(Client(), "metadata/features")) == (401, "not_authenticated")


def test_the_number_of_queries_does_not_grow_with_the_rows(viewer: Client) -> None:
    group = make_group(sensitivity="personal")
    ask(viewer, "metadata/features")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ask(viewer, "metadata/features")[0] == 200
        return len(captured)

    for number in range(2):
        tag(make_feature(group, f"few{number}"), "a", "b")
    few = queries()
    for number in range(20):
        version = make_feature(group, f"many{number}")
        profile(version)
        tag(version, "a", "b", "c")
    assert queries() == few

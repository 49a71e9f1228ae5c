"""Rows kept out and samples of rules on pages and in the admin leave a record of the read."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import Feature, FeatureGroup, ValueGrant
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult, ValidationReport
from serving.access_log import access_folder
from tests import stocked_store as store
from tests.pages.filled import fill, signed_in

pytestmark = pytest.mark.django_db


def records() -> list[dict[str, object]]:
    return [json.loads(line) for path in access_folder().glob("*") for line in path.read_text().splitlines()]


def test_pages_leave_a_record_where_they_show_values(viewer: Client) -> None:
    group = fill()
    run = IngestionRun.objects.get()
    for path in (f"/runs/{run.pk}/", f"/groups/{group.name}/"):
        before = len(records())
        assert viewer.get(path).status_code == 200
        assert len(records()) > before
    assert {record["caller"] for record in records()} == {"vera"}

    Feature.objects.update(sensitivity="personal")
    before = len(records())
    assert viewer.get(f"/runs/{run.pk}/").status_code == 200
    assert len(records()) == before


def test_the_page_of_a_group_records_all_features_for_rows_and_one_for_its_rule() -> None:
    group = fill(features=3)
    FeatureGroup.objects.update(sensitivity="personal")
    Feature.objects.filter(name="finance_f2").update(status="archived")
    granted = store.make_user("gus", Role.VIEWER)
    ValueGrant.objects.create(group=group, user=granted)
    path, every = f"/groups/{group.name}/", [f"customer_finance_f{number}_v1" for number in range(3)]

    # Samples of the rules of three features, and a row kept out, which holds the values of all.
    assert signed_in(granted).get(path).status_code == 200
    assert [(one["caller"], one["features"], one["entities"]) for one in records()] == [
        ("gus", every, 3),
        ("gus", every, 1),
    ]

    # Without the grant nothing is shown, and nothing is recorded.
    assert "c-9" not in signed_in(store.make_user("stu", Role.DATA_ENGINEER)).get(path).content.decode()
    assert len(records()) == 2

    # A rule of one feature is a read of that feature; one of rows is a read of all.
    RuleResult.objects.exclude(version__feature__name="finance_f1").update(sample=[])
    QuarantinedRow.objects.all().delete()
    assert signed_in(granted).get(path).status_code == 200
    assert [(one["features"], one["entities"]) for one in records()[2:]] == [(every[1:2], 1)]
    RuleResult.objects.create(
        report=ValidationReport.objects.get(),
        rule="row:positive",
        severity="warn",
        passed=False,
        checked=9,
        failed=2,
        sample=[{"a": 1}, {"a": 2}],
    )
    assert signed_in(granted).get(path).status_code == 200
    assert [(one["features"], one["entities"]) for one in records()[3:]] == [(every, 3)]


def test_the_admin_leaves_a_record() -> None:
    fill()
    admin = store.make_user("ada", Role.DATA_ENGINEER)
    admin.is_staff = admin.is_superuser = True
    admin.save()
    client = signed_in(admin)
    row, result = QuarantinedRow.objects.first(), RuleResult.objects.exclude(sample=[]).first()
    assert row is not None
    assert client.get(f"/admin/ingestion/quarantinedrow/{row.pk}/change/").status_code == 200
    assert len(records()) == 1
    if result is not None:
        assert client.get(f"/admin/ingestion/ruleresult/{result.pk}/change/").status_code == 200
        assert len(records()) == 2

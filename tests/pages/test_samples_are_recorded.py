"""Rows kept out and samples of rules on pages and in the admin leave a record of the read."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import Feature
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult
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

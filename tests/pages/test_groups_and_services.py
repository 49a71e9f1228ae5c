"""Pages of groups, services and lineage."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Feature, FeatureGroup, FeatureVersion
from ingestion.models import Source
from tests import stocked_store as store
from tests.pages.filled import fill

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_of_groups_counts_features_and_gaps(viewer: Client) -> None:
    fill(features=3)
    FeatureVersion.objects.filter(feature__name="finance_f1").update(source_problem="no such column")

    html = page(viewer, "/groups/")

    assert '<td class="number">3</td>' in html
    assert "1 without values" in html


def test_a_group_with_its_features_runs_storage_and_quality(viewer: Client) -> None:
    fill(features=3)
    html = page(viewer, "/groups/finance/")

    assert html.count("drawing--histogram") == 3
    assert html.count("drawing--strip") == 1
    assert "<dt>History size</dt><dd>2.0 KiB</dd>" in html
    assert "validity 80% is below 90%" in html
    assert "1 row was kept out" in html
    assert "secret-177" in html
    assert "1,234,567" in html


def test_rows_of_a_group_with_personal_values_are_closed(viewer: Client, steward: Client) -> None:
    fill()
    Feature.objects.filter(name="finance_f0").update(sensitivity="personal")

    closed = page(viewer, "/groups/finance/")
    assert "secret-177" not in closed
    assert "1 row was kept out" in closed
    assert closed.count("drawing--histogram") == 2
    assert "secret-177" in page(steward, "/groups/finance/")


def test_where_the_data_lies_is_for_those_who_ingest(viewer: Client, engineer: Client) -> None:
    fill()
    Source.objects.create(name="warehouse", kind="sqlite", location="/srv/warehouse.db")

    assert "/srv/warehouse.db" not in page(viewer, "/groups/finance/")
    assert "/srv/warehouse.db" in page(engineer, "/groups/finance/")


def test_an_unknown_group_offers_the_nearest(viewer: Client) -> None:
    fill()
    answer = viewer.get("/groups/finanze/")

    assert answer.status_code == 404
    assert 'href="/groups/finance/">finance</a>' in answer.content.decode()


def test_an_archived_group_is_hidden_from_viewers(viewer: Client, engineer: Client) -> None:
    fill()
    FeatureGroup.objects.update(status="archived")

    assert viewer.get("/groups/finance/").status_code == 404
    assert "Ingest now" not in page(engineer, "/groups/finance/")


def test_a_service_shows_its_pins_and_its_use(viewer: Client) -> None:
    fill(features=2)
    html = page(viewer, "/services/finance_model/")

    assert 'href="/features/finance_f1/?group=finance&amp;version=1.0">finance_f1</a>' in html
    assert "service=&quot;finance_model&quot;" in html


def test_a_service_does_not_name_what_is_hidden(viewer: Client, engineer: Client) -> None:
    fill(features=2)
    Feature.objects.filter(name="finance_f1").update(status="archived")

    html = page(viewer, "/services/finance_model/")
    assert "finance_f1" not in html
    assert "And 1 that you may not see" in html
    assert "finance_f1" in page(engineer, "/services/finance_model/")


def test_no_service_yet(viewer: Client) -> None:
    assert "There is no feature service yet" in page(viewer, "/services/")


def test_lineage_of_a_feature_and_of_none(viewer: Client) -> None:
    group = fill()
    store.make_feature(group, "alone")

    assert "drawing--lineage" in page(viewer, "/lineage/?feature=finance_f0&depth=6")
    assert "No lineage is known yet" in page(viewer, "/lineage/?feature=alone")
    assert "finance_f2" in page(viewer, "/lineage/?q=f2")
    assert viewer.get("/lineage/?feature=nothing").status_code == 404

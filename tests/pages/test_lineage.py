"""The lineage page: what it shows, what it leaves out, and that it stays small however much there is."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.clock import now
from catalog.models import Feature, FeatureGroup, FeatureService, LineageEdge, LineageNode, NodeKind, Status
from ingestion.lineage import record_group_lineage
from ingestion.models import RunState, ValidationReport
from serving.models import MaterializedTable
from tests import stocked_store as store
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def finance() -> FeatureGroup:
    LineageNode.objects.all().delete()
    group = fill()
    LineageNode.objects.all().delete()
    record_group_lineage(group)
    return group


def drawn_names(html: str) -> list[str]:
    return re.findall(r'class="d-node__name">([^<]*)<', html)


def test_from_the_source_to_the_service(finance: FeatureGroup, viewer: Client) -> None:
    html = page(viewer, "/lineage/?feature=finance_f0")

    assert set(drawn_names(html)) == {"finance", "column_0", "finance_f0 v1", "finance_model"}
    assert "source column · finance" in html
    assert '<a href="/features/finance_f0/?group=finance"' in html
    assert '<a href="/lineage/?node=source_table%3Afinance"' in html
    made_from = html[html.index("Made from") : html.index("Made into")]
    assert made_from.index("finance.column_0") < made_from.index("node=source_table%3Afinance")


def test_the_impact_counts_reads_of_what_is_affected(finance: FeatureGroup, viewer: Client) -> None:
    html = page(viewer, "/lineage/?node=source_table:finance&down=4")

    impact = html[html.index('id="impact"') :]
    assert re.findall(r'class="mono" href="[^"]*">([^<]+)<', impact) == [
        "finance_model", "finance_f0 v1", "finance_f1 v1", "finance_f2 v1",
    ]  # fmt: skip
    assert "through 3 features" in impact
    assert re.findall(r'<td class="number">(\d+|–)</td>', impact)[:3] == ["21", "–", "3"]


def marks(html: str) -> dict[str, str]:
    """The state that each drawn node is marked with, by its name."""
    nodes = re.split(r'<g class="d-node ', html)[1:]
    return {
        re.findall(r'd-node__name">([^<]*)<', one)[0]: state[0] if state else ""
        for one in nodes
        for state in (re.findall(r"d-node__state--(\w+)", one),)
    }


def test_what_is_deprecated_has_a_mark_and_is_not_wrong(finance: FeatureGroup, viewer: Client) -> None:
    Feature.objects.filter(name="finance_f1").update(status=Status.DEPRECATED, status_reason="use finance_f2")
    FeatureService.objects.update(status=Status.DEPRECATED)

    html = page(viewer, "/lineage/?node=source_table:finance&down=4")

    told = marks(html)
    assert (told["finance_f1 v1"], told["finance_f2 v1"], told["finance_model"]) == ("deprecated", "", "deprecated")
    # Of what is failing too, the mark is that of the harm that can be mended.
    assert told["finance_f0 v1"] == "failing"
    assert "use finance_f2" in html
    assert "finance_f1 v1" not in drawn_names(page(viewer, "/lineage/?node=source_table:finance&only=failing"))
    body = viewer.get("/api/v1/metadata/lineage?node=source_table:finance&down=4").json()
    states = {one["name"]: (one["state"], one["reason"]) for one in body["nodes"]}
    assert states["customer_finance_f1_v1"] == ("deprecated", "use finance_f2")
    FeatureGroup.objects.update(status=Status.DEPRECATED)
    assert marks(page(viewer, "/lineage/?feature=finance_f2"))["finance_f2 v1"] == "deprecated"


def test_what_fell_short_is_failing_with_its_reason(finance: FeatureGroup, viewer: Client) -> None:
    html = page(viewer, "/lineage/?node=source_table:finance&only=failing")

    assert set(drawn_names(html)) == {"finance", "column_0", "finance_f0 v1"}
    assert "fell short in the newest check: validity" in html
    assert "80% is below" not in html


def test_a_failed_ingestion_makes_all_of_the_group_failing(finance: FeatureGroup, viewer: Client) -> None:
    ValidationReport.objects.all().delete()
    add_run(finance, RunState.FAILED, created_at=now(), error="secret-177")

    html = page(viewer, "/lineage/?feature=finance_f1&only=failing")

    assert "the last ingestion of finance failed" not in html[html.index('id="impact"') :]
    assert set(drawn_names(html)) == {"finance", "column_1", "finance_f1 v1"}
    assert "secret-177" not in html


def test_what_is_late_is_marked_so(finance: FeatureGroup, viewer: Client) -> None:
    ValidationReport.objects.all().delete()
    FeatureGroup.objects.update(freshness=timedelta(days=1))
    MaterializedTable.objects.update(newest_event=now() - timedelta(days=3))

    assert "d-node__state--late" in page(viewer, "/lineage/?feature=finance_f1")


def test_kinds_are_filtered_and_ways_stay(finance: FeatureGroup, viewer: Client) -> None:
    html = page(viewer, "/lineage/?feature=finance_f0&kind=source_table&kind=service")

    assert set(drawn_names(html)) == {"finance", "finance_f0 v1", "finance_model"}
    assert html.count('class="d-edge"') == 2


def test_depths_are_per_side(finance: FeatureGroup, viewer: Client) -> None:
    assert drawn_names(page(viewer, "/lineage/?feature=finance_f0&up=1&down=0")) == ["finance_f0 v1", "column_0"]


def test_nothing_of_these_kinds_says_so_and_offers_all(finance: FeatureGroup, viewer: Client) -> None:
    html = page(viewer, "/lineage/?feature=finance_f0&kind=model")

    assert "Nothing of these kinds and this state" in html
    assert 'href="/lineage/?feature=finance_f0"' in html


def test_without_lineage_it_says_why(viewer: Client) -> None:
    store.make_feature(store.make_group("bare"), "alone")

    assert "It is recorded at the end of every ingestion" in page(viewer, "/lineage/?feature=alone")


def test_unknown_features_and_nodes_are_not_found(finance: FeatureGroup, viewer: Client) -> None:
    assert viewer.get("/lineage/?feature=finance_f9").status_code == 404
    assert viewer.get("/lineage/?node=source_table:nothing").status_code == 404
    assert viewer.get("/lineage/?node=colour:red").status_code == 400
    assert viewer.get("/lineage/?feature=finance_f0&up=40").status_code == 400


def test_hidden_features_are_not_in_the_lineage_of_others(
    finance: FeatureGroup, viewer: Client, steward: Client
) -> None:
    finance.features.filter(name="finance_f0").update(status=Status.ARCHIVED)

    address = "/lineage/?node=source_table:finance"
    assert "finance_f0" not in page(viewer, address)
    assert "finance_f0" in page(steward, address)
    assert viewer.get("/lineage/?feature=finance_f0").status_code == 404
    assert "finance_f0" not in viewer.get("/lineage/drawing.svg?node=source_table:finance").content.decode()


def test_many_are_put_together_and_opened_by_a_link(viewer: Client) -> None:
    group = store.make_group("wide")
    for number in range(200):
        store.make_feature(group, f"wide_{number:03}", source_column=f"c{number}")
    record_group_lineage(group)

    html = page(viewer, "/lineage/?node=source_table:wide")
    assert {"200 source columns", "200 features"} <= set(drawn_names(html))
    link = re.search(r'<a href="(\?[^"]*expand=feature%3Awide[^"]*)"', html)
    assert link is not None

    opened = page(viewer, "/lineage/" + link[1].replace("&amp;", "&"))
    names = drawn_names(opened)
    assert "180 more features" in names
    assert len(names) <= 60
    assert "features of wide" in opened
    assert len(opened.encode()) < 120_000


def test_the_queries_do_not_grow_and_are_few(finance: FeatureGroup, viewer: Client) -> None:
    addresses = ("/lineage/?node=source_table:finance&down=4", "/lineage/?feature=finance_f0", "/lineage/")
    counted = {}
    for address in addresses:
        viewer.get(address)
        with CaptureQueriesContext(connection) as few:
            viewer.get(address)
        counted[address] = len(few)
    for number in range(30):
        store.make_feature(finance, f"more_{number}", source_column=f"column_{number}")
    record_group_lineage(finance)
    for address in addresses:
        viewer.get(address)  # the first search after a change takes it over
        with CaptureQueriesContext(connection) as many:
            viewer.get(address)
        assert len(many) == counted[address], [query["sql"] for query in many]
        assert len(many) <= 15, [query["sql"] for query in many]


def test_the_drawing_as_a_file(finance: FeatureGroup, viewer: Client, stranger: Client) -> None:
    answer = viewer.get("/lineage/drawing.svg?feature=finance_f0")

    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="lineage-finance-f0.svg"'
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b'href="http://testserver/features/finance_f0/?group=finance"' in answer.content
    assert stranger.get("/lineage/drawing.svg?feature=finance_f0").status_code == 403


def test_a_cycle_does_no_harm(finance: FeatureGroup, viewer: Client) -> None:
    table = LineageNode.objects.get(kind=NodeKind.SOURCE_TABLE)
    service = LineageNode.objects.get(kind=NodeKind.SERVICE)
    LineageEdge.objects.create(source=service, target=table)

    assert "d-edge--backward" in page(viewer, "/lineage/?feature=finance_f0")

"""Pages of groups, services and lineage."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureGroup, FeatureService, FeatureVersion, JournalEntry, ValueGrant
from catalog.trusting import trust_lines
from ingestion.models import QuarantinedRow, RuleResult, Source, ValidationReport
from tests import stocked_store as store
from tests.pages.filled import add_profile, add_run, fill, signed_in

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

    assert html.count("drawing--mini") == 3
    assert html.count("Use with care") == 3
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
    assert closed.count("drawing--mini") == 2
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


def test_selected_features_become_snippets_and_a_service(viewer: Client, steward: Client) -> None:
    fill(features=3)
    address = "/groups/finance/?select=finance_f0&select=finance_f2&select=nothing"

    html = page(viewer, address)
    assert "2 features selected" in html
    assert "&quot;finance:finance_f2@1.0&quot;" in html
    assert "Make the service" not in html
    form = {"name": "mine", "feature": ["finance:finance_f0@1.0", "finance:finance_f2@1.0"], "description": "for me"}
    assert viewer.post("/services/make", form).status_code == 403
    assert "Make the service" in page(steward, address)
    assert steward.post("/services/make", {**form, "name": "No Name"}).status_code == 400
    answer = steward.post("/services/make", form)
    assert (answer.status_code, answer["Location"]) == (302, "/services/mine/")
    made = FeatureService.objects.get(name="mine")
    assert [member.feature.name for member in made.members.all()] == ["finance_f0", "finance_f2"]
    assert (made.owner, made.description) == ("stella", "for me")


def test_a_group_is_followed(viewer: Client) -> None:
    fill()
    assert viewer.post("/groups/finance/follow", {"follow": "yes"})["Location"] == "/groups/finance/"
    assert ">Unfollow</button>" in page(viewer, "/groups/finance/")
    viewer.post("/groups/finance/follow", {"follow": "no"})
    assert ">Follow</button>" in page(viewer, "/groups/finance/")


def test_a_service_is_as_good_as_its_weakest_link(viewer: Client) -> None:
    fill(features=2)
    Feature.objects.filter(name="finance_f1").update(status="deprecated")

    html = page(viewer, "/services/finance_model/")

    assert "Weakest link" in html
    assert "Do not build on it: it is deprecated" in html
    assert html.index("finance_f1</a>. Do not") < html.index("finance_f0</a>")
    assert "<dt><code>finance_f0</code></dt><dd>float, or null</dd>" in html
    assert "&quot;service&quot;: &quot;finance_model&quot;" in html


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DATA_ENGINEER, Role.STEWARD])
@pytest.mark.parametrize("sensitivity", ["internal", "personal"])
@pytest.mark.parametrize(
    "address", ["/groups/finance/?select=finance_f0&select=finance_f2", "/services/finance_model/"]
)
def test_few_queries_with_all_that_a_page_can_show(address: str, sensitivity: str, role: Role) -> None:
    group = fill(features=3)
    fill_further(group)
    FeatureGroup.objects.update(sensitivity=sensitivity)
    Feature.objects.filter(name="finance_f1").update(sensitivity="personal")
    user = store.make_user("enno", role)
    ValueGrant.objects.create(group=group, user=user)
    client = signed_in(user)
    page(client, address)

    with CaptureQueriesContext(connection) as few:
        html = page(client, address)
    add_ten_times_as_much(group)
    with CaptureQueriesContext(connection) as many:
        page(client, address)

    assert len(few) <= 15, "\n".join(one["sql"][:230] for one in few)
    assert len(many) == len(few), "\n".join(one["sql"][:230] for one in many)
    assert len(html.encode()) <= 120_000
    if address.startswith("/groups"):
        assert "secret-177" in html  # rows kept out
        assert "c-row" in html  # the sample of a rule of rows
        assert "2 features selected" in html
        assert "Do not build on it" in html


def test_incidents_of_group_and_feature_count_together(viewer: Client) -> None:
    group = fill(features=2)
    feature = Feature.objects.get(name="finance_f0")
    for about in ({"group": group}, {"feature": feature}, {"feature": feature}):
        JournalEntry.objects.create(kind="incident", at=now(), text="late", author="enno", **about)
    JournalEntry.objects.create(kind="note", at=now(), text="fine", author="enno", feature=feature)

    tiles = {tile.feature.name: tile for tile in viewer.get("/groups/finance/").context["tiles"]}

    assert "3 incidents are open" in tiles["finance_f0"].trust.sentence
    assert "an incident is open" in tiles["finance_f1"].trust.sentence


def test_the_page_judges_features_as_every_list_does(engineer: Client, viewer: Client) -> None:
    group = fill(features=3)
    fill_further(group)
    Feature.objects.filter(name="finance_f1").update(status="archived")

    for client, username in ((engineer, "enno"), (viewer, "vera")):
        tiles = client.get("/groups/finance/").context["tiles"]
        user = User.objects.get(username=username)
        versions = [FeatureVersion.objects.get(pk=tile.feature.default_version_id) for tile in tiles]
        lines = trust_lines(versions, user=user, with_use=False)
        told = [(tile.trust.state, tile.trust.sentence) for tile in tiles]
        assert told == [(lines[one.pk].state, lines[one.pk].sentence) for one in versions]
        assert len(tiles) == (3 if client is engineer else 2)


def fill_further(group: FeatureGroup) -> None:
    """Open incidents, a replaced feature and a broken rule of whole rows, with its sample."""
    feature = Feature.objects.get(name="finance_f0")
    other = Feature.objects.get(name="finance_f1")
    Feature.objects.filter(pk=feature.pk).update(status="deprecated", replacement=other)
    RuleResult.objects.create(
        report=ValidationReport.objects.get(group=group),
        rule="row:positive",
        severity="warn",
        passed=False,
        checked=1000,
        failed=2,
        sample=[{"entity_key": "c-row", "row": {"column_0": -1}}],
    )
    for about in ({"group": group}, {"feature": feature}):
        JournalEntry.objects.create(kind="incident", at=now(), text="late", author="enno", **about)


def add_ten_times_as_much(group: FeatureGroup) -> None:
    """To the group and to its service: features with profiles and broken rules, runs, rows kept out, journal."""
    report = ValidationReport.objects.get(group=group)
    service = FeatureService.objects.get(name=f"{group.name}_model")
    for number in range(27):
        version = store.make_feature(group, f"more_{number}")
        add_profile(version)
        add_run(group)
        service.members.create(version=version, feature=version.feature, position=10 + number)
        RuleResult.objects.create(
            report=report,
            version=version,
            rule="max_value",
            severity="warn",
            passed=False,
            checked=9,
            failed=1,
            sample=[1],
        )
        JournalEntry.objects.create(kind="incident", at=now(), text="late", author="enno", feature=version.feature)
        QuarantinedRow.objects.create(
            group=group, row_hash=f"{number}", row={"a": 1}, reasons=[], first_seen=now(), last_seen=now()
        )

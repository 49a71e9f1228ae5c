"""The commands ingest and validate: what they print and how they exit."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import FeatureGroup, FeatureVersion
from ingestion import leases
from ingestion.models import IngestionRun, RunKind, RunState
from tests.small_warehouse import MONDAY, Warehouse, amounts, ingest, make_accounts, make_warehouse
from tests.stocked_store import make_entity, make_feature

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = make_warehouse(tmp_path)
    warehouse.put(("a", 1.0, "Bern", MONDAY), ("b", 2.0, "Genf", MONDAY))
    return warehouse


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    return make_accounts()


def said(command: str, *arguments: str) -> tuple[list[str], str]:
    """What the command printed, and the error that it ended with (exit code 1), empty for none."""
    out = StringIO()
    try:
        call_command(command, *arguments, stdout=out, no_color=True)
        error = ""
    except CommandError as raised:
        assert raised.returncode == 1  # noqa: PT017  # most callers expect none
        error = str(raised)
    return [re.sub(r" in \d+\.\d s", "", line) for line in out.getvalue().splitlines()], error


class TestIngest:
    def test_says_what_it_did(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put(("bad", -1.0, "Chur", MONDAY), ("a", 3.0, "Bern", MONDAY))

        assert said("ingest") == (
            [
                "accounts: 4 rows read: 2 new in history, 2 online, 0 unchanged, 1 superseded, 1 quarantined",
                "  amount is below 0 (down to -1): 1 of 4 rows; quarantined",
            ],
            "",
        )
        assert amounts(group) == {"a": 3.0, "b": 2.0}
        run = IngestionRun.objects.get()
        assert (run.trigger, run.state) == ("command", RunState.SUCCEEDED)

    def test_groups_may_be_named(self, group: FeatureGroup) -> None:
        other = make_accounts("other", entity=make_entity("other"))

        assert said("ingest", "other", "other") == (
            ["other: 2 rows read: 2 new in history, 2 online, 0 unchanged"],
            "",
        )
        assert amounts(group) == {}
        assert len(amounts(other)) == 2

    def test_a_column_that_is_missing_is_said_and_no_failure(self, group: FeatureGroup) -> None:
        make_feature(group, "points", source_column="points")
        lines, error = said("ingest")
        assert error == ""
        assert lines[1].startswith("  ")
        assert "points" in lines[1]

    def test_a_failure_does_not_stop_the_others_and_is_told_at_the_end(self, group: FeatureGroup) -> None:
        broken = make_accounts("a_broken", entity=make_entity("other"))
        FeatureGroup.objects.filter(pk=broken.pk).update(source_table="nowhere")

        lines, error = said("ingest")

        assert lines[0].startswith("a_broken: failed: ")
        assert "nowhere" in lines[0]
        assert lines[1] == "accounts: 2 rows read: 2 new in history, 2 online, 0 unchanged"
        assert error == "1 of 2 runs did not succeed: a_broken"
        assert len(amounts(group)) == 2

    def test_a_group_that_stays_held_is_a_failure(self, group: FeatureGroup) -> None:
        assert leases.acquire(group, run_id=IngestionRun().pk)

        assert said("ingest", "--timeout", "0") == (
            ["accounts: queued: waits for another run of the group"],
            "1 of 1 runs did not succeed: accounts",
        )

    def test_unknown_names(self, group: FeatureGroup) -> None:
        assert said("ingest", "acounts") == ([], "there is no feature group 'acounts'; did you mean accounts?")
        assert not IngestionRun.objects.exists()


@pytest.mark.parametrize("command", ["ingest", "validate"])
def test_an_empty_catalog(command: str) -> None:
    assert said(command) == ([], "the catalog has no feature group; run manage.py apply first")


class TestValidate:
    def test_passing(self, group: FeatureGroup) -> None:
        ingest(group)

        assert said("validate", "--check-all") == (
            [
                "accounts: passed (2 rows; completeness 1.0000, validity 1.0000, consistency 1.0000)",
                "All 1 groups passed.",
            ],
            "",
        )
        assert IngestionRun.objects.filter(kind=RunKind.VALIDATE, state=RunState.SUCCEEDED).count() == 1

    def test_falling_short_names_each_feature_and_rule(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        FeatureVersion.objects.filter(feature__name="amount").update(validation={"max_value": 1.5})
        warehouse.execute("UPDATE accounts SET town = 'nan' WHERE account = 'a'")
        ingest(group)

        lines, error = said("validate")

        assert error == "1 of 1 groups fell short: accounts"
        assert lines[0] == "accounts: fell short (2 rows; completeness 0.7500, validity 0.7500, consistency 1.0000)"
        assert sum(line.startswith("  short: amount: validity is 0.5000") for line in lines) == 1
        assert sum(line.startswith("  short: town: completeness is 0.5000") for line in lines) == 1
        assert "  warn: max_value: amount is above 1.5 (up to 2): 1 of 2 rows" in lines

    def test_names_and_all_exclude_each_other(self, group: FeatureGroup) -> None:
        assert said("validate", group.name, "--check-all") == ([], "name groups, or say --check-all, not both")

    def test_unknown_names(self, group: FeatureGroup) -> None:
        assert said("validate", "acounts") == ([], "there is no feature group 'acounts'; did you mean accounts?")

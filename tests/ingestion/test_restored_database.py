"""A database that is older than the histories, as after a restore, goes on where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.compaction import compact_group
from ingestion.models import GroupLease, RunState
from serving.stores.offline import open_history
from tests.small_warehouse import MONDAY, amounts, history, ingest, make_accounts, make_warehouse

pytestmark = pytest.mark.django_db


def test_ingestion_goes_on_and_corrections_come_last(tmp_path: Path) -> None:
    warehouse = make_warehouse(tmp_path)
    group = make_accounts(created_column="last_updated")
    warehouse.put(("a", 1.0, "Bern", MONDAY))
    for amount in (1.0, 2.0, 3.0):
        warehouse.set_amounts(["a"], amount)
        ingest(group)
    GroupLease.objects.update(epoch=0)
    warehouse.set_amounts(["a"], 4.0)

    run = ingest(group)

    assert (run.state, run.rows_appended, run.attempts) == (RunState.SUCCEEDED, 1, 1)
    assert [row["amount_v1"] for row in history(group)] == [1.0, 2.0, 3.0, 4.0]
    assert amounts(group) == {"a": 4.0}


def test_compaction_goes_on(tmp_path: Path) -> None:
    warehouse = make_warehouse(tmp_path)
    group = make_accounts()
    for account in "abc":
        warehouse.put((account, 1.0, "Bern", MONDAY))
        ingest(group)
    GroupLease.objects.update(epoch=0)

    assert compact_group(group) is not None

    after = open_history(group)
    assert after is not None
    assert (len(after.files), after.rows) == (1, 3)

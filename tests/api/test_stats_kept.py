"""The numbers of GET stats are kept until something changes that decides them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache

from catalog.access import Role
from catalog.audit import record
from catalog.clock import now
from ingestion import recent_stats as kept
from ingestion.recent_stats import recent_stats
from serving.models import MaterializedTable
from tests.stocked_store import make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who the numbers were counted for."""
    count = kept.store_stats
    found: list[str] = []

    def counting(*, user: Any) -> Any:
        found.append(user.username)
        return count(user=user)

    monkeypatch.setattr(kept, "store_stats", counting)
    monkeypatch.setattr(
        kept, "caches", {**dict.fromkeys(caches.settings), "answers": FileBasedCache(str(tmp_path), {})}
    )
    return found


def test_counted_once_for_all_who_may_do_the_same(counted: list[str]) -> None:
    group = make_group("finance")
    ada, bob, eve = (
        make_user("ada", Role.VIEWER), make_user("bob", Role.VIEWER), make_user("eve", Role.DATA_ENGINEER)
    )  # fmt: skip
    assert recent_stats(user=ada) == recent_stats(user=bob)
    recent_stats(user=eve)
    assert counted == ["ada", "eve"]
    MaterializedTable.objects.create(group=group, table_version=1, online_rows=5, updated_at=now())
    assert recent_stats(user=ada).totals["rows_online"] == 5
    record(action="create", instance=group)
    recent_stats(user=ada)
    assert counted == ["ada", "eve", "ada", "ada"]

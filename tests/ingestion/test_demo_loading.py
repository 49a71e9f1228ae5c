"""The task that loads the demo: done by one worker, and what it says of how it went."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.clock import machine_time
from ingestion import demo_loading
from ingestion.models import DemoLoad, IngestionRun
from tests import stocked_store as store

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked() -> DemoLoad:
    return DemoLoad.objects.create(requested_by="ada", created_at=machine_time(), seen_at=machine_time())


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the replay was looked for; there are no days left to live through."""
    folders: list[str] = []

    def nothing_to_do(**given: Any) -> None:
        folders.append(given["folder"].name)

    monkeypatch.setattr(demo_loading, "replay_to_do", nothing_to_do)
    return folders


def test_it_ends_with_a_run_of_every_group_and_is_done_once(asked: DemoLoad, lived: list[str]) -> None:
    group = store.make_group()
    for _ in range(2):
        demo_loading.load_demo(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, lived) == ("succeeded", ["demo"])
    run = IngestionRun.objects.get()
    assert (run.group, run.trigger, run.requested_by) == (group, "demo", "demo")


def test_one_that_another_worker_lives_through_is_left_alone_until_that_one_is_silent(
    asked: DemoLoad, lived: list[str]
) -> None:
    DemoLoad.objects.update(state="running")
    demo_loading.load_demo(asked.pk)
    assert lived == []
    DemoLoad.objects.update(seen_at=machine_time() - timedelta(hours=1))
    demo_loading.load_demo(asked.pk)
    assert lived == ["demo"]


def test_a_failure_is_told(asked: DemoLoad, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(demo_loading, "replay_to_do", full)
    with pytest.raises(OSError, match="no space"):
        demo_loading.load_demo(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.error) == ("failed", "no space left on device")

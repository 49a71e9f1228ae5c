"""The right to write a group: one holder at a time, taken over only from the dead and the silent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from catalog.models import FeatureGroup
from ingestion import leases
from ingestion.models import GroupLease
from tests.stocked_store import make_group


@pytest.fixture
def group(db: None) -> FeatureGroup:
    return make_group("accounts")


def taken(group: FeatureGroup, run_id: UUID | None = None) -> leases.Lease:
    lease = leases.acquire(group, run_id=run_id or uuid4())
    assert lease is not None
    return lease


def let_expire(group: FeatureGroup) -> None:
    GroupLease.objects.filter(group=group).update(expires_at=leases.now())


def held_by_process(group: FeatureGroup, process: str) -> None:
    GroupLease.objects.filter(group=group).update(process=process)


class TestTaking:
    def test_a_free_group_is_taken(self, group: FeatureGroup) -> None:
        run = uuid4()

        lease = leases.acquire(group, run_id=run)

        assert lease == leases.Lease(group_id=group.pk, run_id=run, epoch=1)
        assert leases.holder_of(group) == run

    def test_a_held_group_is_not(self, group: FeatureGroup) -> None:
        lease = taken(group)

        assert leases.acquire(group, run_id=uuid4()) is None
        assert leases.acquire(group, run_id=lease.run_id) is None
        leases.assert_held(lease)

    def test_groups_do_not_hinder_each_other(self, group: FeatureGroup) -> None:
        taken(group)
        assert taken(make_group("other")).epoch == 1

    def test_one_given_back_is_free_and_its_epoch_grows(self, group: FeatureGroup) -> None:
        leases.release(taken(group))

        assert leases.holder_of(group) is None
        assert taken(group).epoch == 2

    def test_one_that_ran_out_is_free(self, group: FeatureGroup) -> None:
        taken(group)
        let_expire(group)

        assert leases.holder_of(group) is None
        assert taken(group).epoch == 2

    def test_of_two_that_see_it_free_one_has_it(self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
        """The other takes it between this one's look and its taking."""
        leases.release(taken(group))
        faster: list[leases.Lease] = []

        def be_overtaken() -> str:
            monkeypatch.undo()
            faster.append(taken(group))
            return "here:1"

        monkeypatch.setattr(leases, "this_process", be_overtaken)

        assert leases.acquire(group, run_id=uuid4()) is None
        leases.assert_held(faster[0])


class TestLosing:
    def test_is_seen_by_the_one_that_lost_it(self, group: FeatureGroup) -> None:
        lost = taken(group)
        let_expire(group)
        now_held = taken(group)

        assert not leases.renew(lost)
        with pytest.raises(leases.LeaseLost, match="another run has taken over the group"):
            leases.assert_held(lost)
        assert leases.renew(now_held)

    def test_giving_back_what_was_lost_takes_nothing_away(self, group: FeatureGroup) -> None:
        lost = taken(group)
        let_expire(group)
        now_held = taken(group)

        leases.release(lost)

        assert leases.holder_of(group) == now_held.run_id

    def test_the_same_run_after_a_restart_is_another_holder(self, group: FeatureGroup) -> None:
        lost = taken(group)
        let_expire(group)
        again = taken(group, lost.run_id)

        assert not leases.renew(lost)
        leases.release(lost)
        leases.assert_held(again)

    def test_one_that_ran_out_and_nobody_took_is_kept(self, group: FeatureGroup) -> None:
        lease = taken(group)
        let_expire(group)

        leases.assert_held(lease)

        assert leases.holder_of(group) == lease.run_id


class TestProcessOfTheHolder:
    @pytest.fixture
    def ended_process(self) -> int:
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        return process.pid

    def test_when_it_is_gone_the_group_is_taken_at_once(self, group: FeatureGroup, ended_process: int) -> None:
        lost = taken(group)
        held_by_process(group, f"{socket.gethostname()}:{ended_process}")

        assert leases.holder_of(group) is None
        assert taken(group).epoch == lost.epoch + 1
        assert not leases.renew(lost)

    @pytest.mark.parametrize("place", ["parent", "self", "elsewhere", "unreadable", "nothing"])
    def test_when_it_may_live_the_group_stays_held(self, group: FeatureGroup, ended_process: int, place: str) -> None:
        lease = taken(group)
        host = socket.gethostname()
        process = {
            "parent": f"{host}:{os.getppid()}",
            "self": f"{host}:{os.getpid()}",
            "elsewhere": f"not-{host}:{ended_process}",
            "unreadable": f"{host}:x",
            "nothing": "",
        }[place]
        held_by_process(group, process)

        assert leases.holder_of(group) == lease.run_id
        assert leases.acquire(group, run_id=uuid4()) is None

    def test_the_taker_names_itself(self, group: FeatureGroup) -> None:
        taken(group)
        assert GroupLease.objects.get(group=group).process == f"{socket.gethostname()}:{os.getpid()}"


@pytest.mark.django_db(transaction=True)
class TestKeepingAlive:
    def test_renews_for_as_long_as_it_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "_RENEWAL_SECONDS", 0.02)
        group = make_group("accounts")
        lease = taken(group)
        soon = leases.now() + timedelta(seconds=1)
        GroupLease.objects.update(expires_at=soon)

        with leases.kept_alive(lease):
            deadline = time.monotonic() + 10
            while GroupLease.objects.get().expires_at == soon and time.monotonic() < deadline:
                time.sleep(0.01)
        renewed = GroupLease.objects.get().expires_at
        time.sleep(0.1)

        assert renewed is not None
        assert renewed > soon + timedelta(seconds=30)
        assert GroupLease.objects.get().expires_at == renewed

    def test_ends_with_its_block_however_that_ends(self) -> None:
        lease = taken(make_group("accounts"))
        with pytest.raises(KeyboardInterrupt), leases.kept_alive(lease):
            raise KeyboardInterrupt

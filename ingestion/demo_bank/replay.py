"""The past days of the demo bank, lived through one after the other by the store itself.

Every night step 6 leaves its rows, the exports come, and the groups are ingested by real runs; people edit and
programs read. The store's clock shows that night meanwhile (:func:`catalog.clock.living_at`), so nothing of the
history is written by hand. A file beside the warehouse remembers the days that are done: a replay that was cut
short goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from catalog.actor import acting
from catalog.clock import living_at, now
from catalog.models import FeatureGroup
from ingestion.demo_bank.declarations import STAGES, apply_demo_declaration
from ingestion.demo_bank.exports import BankExports, is_weekly
from ingestion.demo_bank.people import ENGINEER, EVERYBODY, account_of
from ingestion.demo_bank.readers import read_for_a_day
from ingestion.demo_bank.stewardship import act_on
from ingestion.demo_warehouse import WarehouseDay, grow_demo_warehouse
from ingestion.demo_warehouse.step6_config import DATABASE_NAME
from ingestion.models import IngestionRun, RunKind
from ingestion.runs import execute_run, request_run
from serving.usage import fold_access_log

DAYS: Final = 30
CUSTOMERS: Final = 1200
SEED: Final = 7
WEEKLY: Final = frozenset({"branch_profile", "customer_contact", "customer_demographics", "merchant_risk"})
# The last night is over when the replay begins, with all its runs.
_NIGHT = timedelta(minutes=20)
_BETWEEN_RUNS = timedelta(minutes=1)


@dataclass(frozen=True)
class Replay:
    """What is to be lived through: ``days`` nights, the last at ``end``, of which ``done`` are over."""

    folder: Path
    end: datetime
    days: int
    customers: int
    done: int = 0

    @property
    def begin(self) -> datetime:
        """The first night."""
        return self.end - timedelta(days=self.days - 1)


def replay_to_do(*, folder: Path, days: int = DAYS, customers: int = CUSTOMERS) -> Replay | None:
    """The replay that was cut short, or a new one for a store without a warehouse and without a run; else None."""
    begun = _read(folder)
    if begun is not None:
        return begun if begun.done < begun.days else None
    if (folder / "datawarehouse" / DATABASE_NAME).exists() or IngestionRun.objects.exists():
        return None
    end = (now() - _NIGHT).replace(minute=0, second=0, microsecond=0)
    return Replay(folder=folder, end=end, days=days, customers=customers)


def replay_demo_bank(replayed: Replay, *, progress: Callable[[int], object] | None = None) -> None:
    """Live through the days that are not done; ``progress`` is told how many are."""
    exports = BankExports(folder=replayed.folder, days=replayed.days, seed=SEED)
    _write(replayed)

    def live(today: WarehouseDay) -> None:
        exports.write_day(today)
        if today.number >= replayed.done:
            _live_through(today, replayed)
            _write(replace(replayed, done=today.number + 1))
        if progress is not None:
            progress(today.number + 1)

    grow_demo_warehouse(
        out=replayed.folder,
        end=replayed.end,
        customers=replayed.customers,
        days=replayed.days,
        seed=SEED,
        day_done=live,
    )
    fold_access_log()


def _live_through(today: WarehouseDay, replayed: Replay) -> None:
    with living_at(today.at):
        for person in EVERYBODY:
            account_of(person)
        if today.number in STAGES:
            engineer = account_of(ENGINEER)
            with acting(engineer, engineer.username):
                apply_demo_declaration(day=today.number, folder=replayed.folder)
    for position, group in enumerate(_due(today, replayed.days)):
        with living_at(today.at + position * _BETWEEN_RUNS), acting(None, "scheduler"):
            # What went wrong in a past night is no news to anybody.
            execute_run(request_run(group=group, kind=RunKind.INGEST, trigger="schedule").pk, alert=False)
    with living_at(today.at + _NIGHT - timedelta(minutes=5)):
        act_on(day=today.number, customer_id=today.customer_id)
        read_for_a_day(day=today.number, customer_id=today.customer_id, seed=SEED)


def _due(today: WarehouseDay, days: int) -> Iterator[FeatureGroup]:
    for group in FeatureGroup.objects.ingested().select_related("entity").order_by("name"):
        if group.name not in WEEKLY or is_weekly(day=today.number, days=days):
            yield group


def _file(folder: Path) -> Path:
    return folder / "replay.json"


def _read(folder: Path) -> Replay | None:
    try:
        kept = json.loads(_file(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Replay(folder=folder, **{**kept, "end": datetime.fromisoformat(kept["end"])})


def _write(replayed: Replay) -> None:
    replayed.folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in asdict(replayed).items() if name != "folder"}
    beside = _file(replayed.folder).with_suffix(".part")
    beside.write_text(json.dumps({**kept, "end": replayed.end.isoformat()}), encoding="utf-8")
    beside.replace(_file(replayed.folder))

"""The programs of the demo bank that read values, day by day, through the store's own reads and access log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.contrib.auth.models import User

from catalog.actor import acting
from catalog.clock import now
from ingestion.demo_bank.people import BRANCH_DASHBOARD, CHURN_SCORER, FRAUD_SCREENING, Person, account_of
from ingestion.demo_warehouse.branches import BRANCHES
from ingestion.demo_warehouse.customers import Ints
from serving.access_log import AccessRecord, ReadKind, write_access_record
from serving.entity_rows import read_entity
from serving.online_plan import OnlinePlan, plan_online_read
from serving.online_reads import read_online

MORE_FRAUD_READS_SINCE: Final = 18


@dataclass(frozen=True)
class _Reads:
    """``count`` requests of one program on one day, each for ``entities`` of its ``keys``."""

    reader: Person
    service: str
    keys: Sequence[object]
    count: int
    entities: int


def read_for_a_day(*, day: int, customer_id: Ints, seed: int) -> int:
    """All that is read on ``day``: real answers, each with its record in the access log; how many there were."""
    rng = np.random.default_rng([seed, 6, day])
    done = 0
    for reads in _reads_of(day, customer_id):
        user = account_of(reads.reader)
        with acting(user, user.username):
            plan = plan_online_read(user=user, service=reads.service)
            for _ in range(reads.count):
                chosen = rng.choice(len(reads.keys), size=min(reads.entities, len(reads.keys)), replace=False)
                _read(user, plan, [reads.keys[int(position)] for position in chosen])
                done += 1
    return done


def _reads_of(day: int, customer_id: Ints) -> Iterator[_Reads]:
    customers = [int(key) for key in customer_id]
    branches = [branch[0] for branch in BRANCHES]
    yield _Reads(CHURN_SCORER, "churn_model", customers, count=14, entities=25)
    fraud = 24 if day < MORE_FRAUD_READS_SINCE else 24 + 6 * (day - MORE_FRAUD_READS_SINCE)
    yield _Reads(FRAUD_SCREENING, "fraud_screening", customers, count=fraud, entities=1)
    if day % 7 in (0, 3):
        yield _Reads(BRANCH_DASHBOARD, "branch_planning", branches, count=3, entities=len(branches))


def _read(user: User, plan: OnlinePlan, keys: Sequence[object]) -> None:
    began = time.perf_counter()
    rows = [read_entity(key, shapes=plan.shapes, place="the entity") for key in keys]
    read_online(plan=plan, entity_rows=rows, at=now())
    write_access_record(
        AccessRecord(
            at=now(),
            caller=user.username,
            token="",
            kind=ReadKind.ONLINE,
            feature_ids=plan.read.ids,
            feature_keys=plan.read.keys,
            entities=len(rows),
            milliseconds=(time.perf_counter() - began) * 1000,
            status=200,
            request_id="",
        )
    )

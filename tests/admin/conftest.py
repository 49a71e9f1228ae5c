"""People at the admin, and a store with a row of every model that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.access import Role
from catalog.clock import now
from catalog.models import (
    AuditEvent,
    FeatureGroup,
    FeatureProfile,
    FeatureRequest,
    FeatureVersion,
    Follow,
    JournalEntry,
    LineageEdge,
    LineageNode,
    NodeKind,
    SavedView,
    Tag,
    ValueGrant,
)
from ingestion.models import (
    GroupLease,
    IngestionRun,
    QuarantinedRow,
    RuleResult,
    RunState,
    Source,
    ValidationReport,
)
from serving.models import FeatureUsage, FoldedLog, LatencyBucket, MaterializedTable, TrainingDataset
from serving.tokens import issue_token
from tests import stocked_store as store


@dataclass(frozen=True)
class Stocked:
    """A group with an open and a personal feature, and all that hangs on it."""

    group: FeatureGroup
    balance: FeatureVersion
    phone: FeatureVersion


def staff(name: str, role: Role | None) -> User:
    user = store.make_user(name, role)
    user.is_staff = True
    user.save()
    return user


def client_for(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> Client:
    return client_for(User.objects.create_superuser("root"))


@pytest.fixture
def administrator(db: None) -> Client:
    return client_for(staff("ada", Role.ADMINISTRATOR))


@pytest.fixture
def steward(db: None) -> Client:
    return client_for(staff("stella", Role.STEWARD))


@pytest.fixture
def engineer(db: None) -> Client:
    return client_for(staff("enno", Role.DATA_ENGINEER))


@pytest.fixture
def scientist(db: None) -> Client:
    return client_for(staff("sara", Role.DATA_SCIENTIST))


@pytest.fixture
def stranger(db: None) -> Client:
    """Signed in and staff, without any role."""
    return client_for(staff("stig", None))


@pytest.fixture
def stocked(db: None) -> Stocked:
    return stock("finance")


def stock(name: str) -> Stocked:
    """One row of every model around a group of that name."""
    instant = now()
    group = store.make_group(name, owner="risk team", description="Money of customers")
    balance = store.make_feature(group, f"{name}_balance", source_column="balance")
    phone = store.make_feature(group, f"{name}_phone", "string", sensitivity="personal", mask="partial")
    tag, _ = Tag.objects.get_or_create(name="money")
    balance.feature.tags.add(tag)
    group.tags.add(tag)
    store.make_service(f"{name}_model", balance)
    profile = FeatureProfile.objects.create(
        version=phone,
        computed_at=instant,
        row_count=10,
        null_count=1,
        completeness=0.9,
        top_values=[{"value": "555-0199", "count": 2}],
    )
    FeatureVersion.objects.filter(pk=phone.pk).update(latest_profile=profile)
    table = LineageNode.objects.create(kind=NodeKind.SOURCE_TABLE, name=f"{name}_table")
    node = LineageNode.objects.create(kind=NodeKind.FEATURE, name=f"{name}_balance_v1", feature=balance.feature)
    LineageEdge.objects.create(source=table, target=node)
    columns = {balance.value_column: 161993.89, phone.value_column: "555-0100-4711"}
    store.put_online(group, "15634602", columns)
    MaterializedTable.objects.create(
        group=group, table_version=1, online_rows=1, history_bytes=2048, updated_at=instant
    )
    FeatureUsage.objects.create(day=instant.date(), feature=balance.feature, caller="sara", online_reads=3)
    FoldedLog.objects.create(name=f"{name}.jsonl", updated_at=instant)
    LatencyBucket.objects.create(hour=instant, kind=name, upper_ms=5)
    TrainingDataset.objects.create(name=name, spec={"features": [name]}, created_at=instant)
    Source.objects.create(name=name, kind="sqlite", location="/warehouse.db")
    run = IngestionRun.objects.create(
        group=group,
        state=RunState.FAILED,
        created_at=instant,
        started_at=instant,
        finished_at=instant + timedelta(seconds=3),
        error="the source is away",
        log="reading\nfailed\n",
        problems=[{"code": "missing_column", "message": "no balance_sum"}],
    )
    GroupLease.objects.create(group=group)
    report = ValidationReport.objects.create(
        group=group, run=run, created_at=instant, passed=False, row_count=10, shortfalls=[{"rule": "min_value"}]
    )
    RuleResult.objects.create(
        report=report,
        version=phone,
        rule="pattern",
        severity="reject",
        passed=False,
        checked=10,
        failed=1,
        sample=[{"phone": "555-0177"}],
    )
    QuarantinedRow.objects.create(
        group=group,
        row_hash=name,
        entity_key="15634602",
        row={"phone": "555-0188"},
        reasons=[{"rule": "pattern", "message": "555-0188 is no number"}],
        first_run=run,
        last_run=run,
        first_seen=instant,
        last_seen=instant,
    )
    JournalEntry.objects.create(feature=balance.feature, kind="incident", text="Too high", at=instant, author="enno")
    owner = store.make_user(f"reader_of_{name}", Role.VIEWER)
    ValueGrant.objects.create(group=group, user=owner)
    Follow.objects.create(user=owner, group=group)
    SavedView.objects.create(slug=name, name=name, query="q=money", is_shared=True, user=owner)
    FeatureRequest.objects.create(wanted="days since last login", user=owner)
    issue_token(user=owner, name="notebook", scopes=["read"])
    crontab = CrontabSchedule.objects.create(minute="0", hour="*/6")
    PeriodicTask.objects.create(name=f"ingest {name}", task="ingestion.tasks.ingest_group", crontab=crontab)
    return Stocked(group=group, balance=balance, phone=phone)


def events_after(first: int) -> list[AuditEvent]:
    """The audit events written after the one with id ``first``, oldest first."""
    return list(AuditEvent.objects.filter(pk__gt=first).order_by("pk"))


def newest_event() -> int:
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

"""What people of the demo bank do in the catalog on the days of its history, by the verbs that the pages call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np
import pyarrow as pa
from django.contrib.auth.models import User

from catalog.actor import acting
from catalog.clock import now
from catalog.declarations import Tier
from catalog.editing import deprecate_feature, edit_feature
from catalog.following import follow
from catalog.journal import close_incident, write_entry
from catalog.models import EntryKind, Feature, FeatureGroup, JournalEntry, Status
from ingestion.demo_bank.people import ENGINEER, SCIENTIST, STEWARD, Person, account_of
from ingestion.demo_warehouse.customers import Ints
from serving.datasets.building import build_dataset
from serving.datasets.requesting import DatasetRequest, request_dataset
from serving.models import TrainingDataset
from serving.wire.arrow_rows import ArrowRows

TRAINED_ON: Final = 300
CERTIFIED: Final = (
    ("customer_financial", "balance_mean"),
    ("customer_financial", "credit_score_mean"),
    ("customer_financial", "estimated_salary_mean"),
    ("customer_demographics", "age_mean"),
)


def act_on(*, day: int, customer_id: Ints) -> None:
    """What people do on ``day``, who know the customers ``customer_id``; done again, nothing changes."""
    for act in _ACTS.get(day, ()):
        act(customer_id)


def _follow(_: Ints) -> None:
    with _as(SCIENTIST) as user:
        for subject in (_feature("customer_financial", "balance_mean"), _group("customer_transactions")):
            follow(user=user, subject=subject)
    with _as(ENGINEER) as user:
        for name in ("customer_service_desk", "merchant_settlements"):
            follow(user=user, subject=_group(name))


def _name_an_owner(_: Ints) -> None:
    feature = _feature("merchant_settlements", "merchant_refund_share")
    tags = [*feature.tags.values_list("name", flat=True), "fraud"]
    with _as(ENGINEER) as user:
        edit_feature(feature=feature, changes={"owner": "fraud-team", "tags": tags}, editor=user)


def _certify(_: Ints) -> None:
    with _as(STEWARD) as user:
        for group, name in CERTIFIED:
            edit_feature(feature=_feature(group, name), changes={"tier": Tier.CERTIFIED.value}, editor=user)


def _deprecate_the_codes(_: Ints) -> None:
    feature = _feature("customer_transactions", "channel_code")
    if feature.status == Status.ACTIVE:
        with _as(STEWARD):
            deprecate_feature(
                feature=feature,
                reason="The old card system is switched off at the end of the year.",
                replacement=_feature("customer_transactions", "main_channel"),
            )


def _close(group: str) -> Callable[[Ints], None]:
    def act(_: Ints) -> None:
        with _as(ENGINEER) as user:
            for entry in JournalEntry.objects.about(_group(group)).open_incidents():
                close_incident(entry=entry, closer=user)

    return act


def _write(person: Person, kind: EntryKind, text: str, *, group: str, feature: str = "") -> Callable[[Ints], None]:
    def act(_: Ints) -> None:
        subject = _feature(group, feature) if feature else _group(group)
        if not JournalEntry.objects.about(subject).filter(text=text).exists():
            with _as(person) as user:
                write_entry(subject=subject, text=text, writer=user, kind=kind)

    return act


def _train(name: str, service: str) -> Callable[[Ints], None]:
    def act(customer_id: Ints) -> None:
        if TrainingDataset.objects.filter(name=name).exists():
            return
        rows = np.random.default_rng(len(name)).choice(customer_id, size=min(TRAINED_ON, len(customer_id)))
        at = pa.scalar(now(), pa.timestamp("us", tz="UTC"))
        table = pa.table({"customer_id": pa.array(rows), "event_timestamp": pa.repeat(at, len(rows))})
        with _as(SCIENTIST) as user:
            request = DatasetRequest(
                name=name,
                frame=ArrowRows(table),
                service=service,
                description=f"{len(rows)} customers of the day, for the service {service}.",
            )
            build_dataset(request_dataset(request, user=user).pk)

    return act


_ACTS: Final[Mapping[int, tuple[Callable[[Ints], None], ...]]] = {
    1: (_follow,),
    6: (_certify,),
    11: (
        _write(
            ENGINEER,
            EntryKind.INCIDENT,
            "The survey tool sends `0` where a customer gave no answer. The run was refused; a new file is promised "
            "for tomorrow.",
            group="customer_service_desk",
        ),
    ),
    12: (_close("customer_service_desk"),),
    13: (_train("churn training, first try", "churn_model"),),
    18: (_name_an_owner,),
    20: (_deprecate_the_codes,),
    22: (
        _write(
            SCIENTIST,
            EntryKind.NOTE,
            "The jump is the **winter sale**, not a fault: fashion, electronics and travel have higher tickets until "
            "January. Train on months that have a sale in them.",
            group="merchant_settlements",
            feature="merchant_average_ticket",
        ),
    ),
    24: (_train("spending segments", "spending_segments"),),
    27: (
        _train("churn training", "churn_model"),
        _write(
            ENGINEER,
            EntryKind.INCIDENT,
            "No file from the acquirer last night. Their support has a ticket of ours.",
            group="merchant_settlements",
        ),
    ),
    29: (
        _write(
            ENGINEER,
            EntryKind.INCIDENT,
            "The survey tool has moved to a scale of 0 to 10, so every run is refused. Either the export is mapped "
            "back to 1 to 5, or `satisfaction` gets a version 2.",
            group="customer_service_desk",
            feature="satisfaction",
        ),
    ),
}


@contextmanager
def _as(person: Person) -> Iterator[User]:
    user = account_of(person)
    with acting(user, user.username):
        yield user


def _group(name: str) -> FeatureGroup:
    return FeatureGroup.objects.get(name=name)


def _feature(group: str, name: str) -> Feature:
    return Feature.objects.get(group__name=group, name=name)

"""Asks the pages of the filled store; imported by :mod:`benchmarks.pages` once the product's settings are in force."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pyarrow as pa
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.pages import ADMIN, PAGES, Asked
from benchmarks.pages_catalog import WIDE_GROUP
from catalog.access import Role
from catalog.clock import now
from catalog.editing import edit_feature
from catalog.models import Feature
from ingestion.models import IngestionRun
from serving.datasets.building import build_dataset
from serving.datasets.requesting import DatasetRequest, request_dataset
from serving.models import TrainingDataset
from serving.wire.arrow_rows import ArrowRows

VIEWER, ADMINISTRATOR = "viewer", "administrator"


def asked_of_all(repeats: int, only: tuple[str, ...]) -> Iterator[Asked]:
    """Every page as both, the first answer right after an edit of the catalog."""
    people = _people()
    ids = _ids()
    addresses = [(address, person) for page in PAGES.values() for address in page for person in people]
    addresses += [(address, ADMINISTRATOR) for address in ADMIN]
    edited = Feature.objects.get(name="balance_mean", entity__name="customer")
    for number, (address, person) in enumerate(addresses):
        if only and not address.startswith(only):
            continue
        path = address.format(**ids)
        if number == 0:
            people[person].get("/search?q=balance")  # The index is made when a server starts.
        edit_feature(feature=edited, changes={"description": f"Mean balance, {uuid.uuid4()}."}, editor=_editor())
        yield _asked(people[person], path=path, address=address, person=person, repeats=repeats)


def _asked(client: Client, *, path: str, address: str, person: str, repeats: int) -> Asked:
    client.get(path)  # Templates are compiled by the first reader of a process.
    edited = Feature.objects.get(name="balance_mean", entity__name="customer")
    edit_feature(feature=edited, changes={"description": f"Mean balance, {uuid.uuid4()}."}, editor=_editor())
    seconds, processor = [], []
    for _ in range(repeats + 1):
        began, computed = time.perf_counter(), time.process_time()
        answer = client.get(path)
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - computed)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    return Asked(
        address=address, person=person, status=answer.status_code, queries=len(queries), size=len(answer.content),
        first=seconds[0], seconds=seconds[1:], processor=processor[1:],
    )  # fmt: skip


def _people() -> dict[str, Client]:
    found = {}
    for name in (VIEWER, ADMINISTRATOR):
        user, is_new = User.objects.get_or_create(username=name)
        if is_new:
            user.is_staff = user.is_superuser = name == ADMINISTRATOR
            user.save()
            if name == VIEWER:
                user.groups.add(Group.objects.get(name=Role.VIEWER.value))
        found[name] = Client(headers={"host": "localhost"})
        found[name].force_login(user)
    return found


def _editor() -> User:
    return User.objects.get(username=ADMINISTRATOR)


def _dataset() -> TrainingDataset:
    """One with the features of the wide group, of which the first hundred customers are the rows."""
    rows = pa.table(
        {
            "customer_id": [str(number) for number in range(100)],
            "event_timestamp": pa.array([now()] * 100, pa.timestamp("us", "UTC")),
        }
    )
    names = [f"{WIDE_GROUP}:{WIDE_GROUP}_{number:03}" for number in range(100)]
    request = DatasetRequest(name="benchmark", frame=ArrowRows(rows), features=names)
    return build_dataset(request_dataset(request, user=_editor()).pk)


def _ids() -> dict[str, object]:
    runs = IngestionRun.objects.filter(group__name=WIDE_GROUP).order_by("-created_at")[:2]
    dataset = TrainingDataset.objects.first() or _dataset()
    feature = Feature.objects.filter(group__name=WIDE_GROUP).first()
    assert feature is not None
    return {"run": runs[0].pk, "before": runs[1].pk, "dataset": dataset.pk, "feature": feature.pk}

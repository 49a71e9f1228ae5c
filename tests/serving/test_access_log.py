"""The access log and its folding into usage and latency."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureVersion
from serving import usage
from serving.access_log import AccessRecord, ReadKind, access_folder, write_access_record
from serving.models import FeatureUsage, FoldedLog, LatencyBucket
from serving.usage import Folded, fold_access_log, latency_percentiles
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FeatureVersion:
    group = make_group()
    put_online(group, "1", {"balance_mean_v1": 1.0})
    return make_feature(group, "balance_mean")


def record(version: FeatureVersion, *, at: datetime | None = None, **fields: Any) -> AccessRecord:
    given: dict[str, Any] = {
        "at": at or now(),
        "caller": "ana",
        "token": "fs_12345",
        "kind": ReadKind.ONLINE,
        "feature_ids": (version.public_id,),
        "feature_keys": (version.feature_id,),
        "entities": 2,
        "milliseconds": 3.0,
        "status": 200,
        "request_id": "r",
    }
    return AccessRecord(**{**given, **fields})


def only_file() -> Path:
    (path,) = access_folder().iterdir()
    return path


def test_every_read_leaves_a_line_without_keys_or_values(version: FeatureVersion) -> None:
    client = client_of(make_user("ana", Role.VIEWER))
    client.get("/api/v1/features/balance_mean/entity/1", headers={"x-request-id": "abc"})
    client.get("/api/v1/features/balance_mean/entity/404")
    history = client.post(
        "/api/v1/features/historical",
        json.dumps({"entity_df": [{"entity_id": 1}] * 3, "features": ["balance_mean"]}),
        content_type="application/json",
    )
    assert json.loads(history.getvalue())["row_count"] == 3
    client_of(None).get("/api/v1/features/balance_mean/entity/1")
    client_of(make_user("without role")).get("/api/v1/features/balance_mean/entity/1")
    assert only_file().name == f"access-{now():%Y-%m-%d}-{os.getpid()}.jsonl"
    lines = [json.loads(line) for line in only_file().read_text().splitlines()]
    assert [(line["kind"], line["status"], line["entities"]) for line in lines] == [
        ("online", 200, 1),
        ("online", 404, 1),
        ("historical", 200, 3),
    ]
    assert set(lines[0]) == {
        "at", "caller", "token", "kind", "features", "feature_keys", "entities", "ms", "status", "request_id"
    }  # fmt: skip
    assert (lines[0]["caller"], lines[0]["request_id"]) == ("ana", "abc")
    assert lines[0]["token"].startswith("fs_")
    assert lines[0]["features"] == ["customer_balance_mean_v1"]
    assert 0 < lines[0]["ms"] < 10_000


def test_a_read_that_cannot_be_recorded_is_not_answered(
    version: FeatureVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: AccessRecord) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("serving.api.value_views.write_access_record", full)
    response = client_of(make_user("ana", Role.VIEWER)).get("/api/v1/features/balance_mean/entity/1")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
    assert "161" not in response.content.decode()


def test_lines_are_counted_exactly_once(version: FeatureVersion) -> None:
    for kind, status in (
        (ReadKind.ONLINE, 200),
        (ReadKind.ONLINE, 200),
        (ReadKind.HISTORICAL, 200),
        (ReadKind.ONLINE, 404),
    ):
        write_access_record(record(version, kind=kind, status=status))
    assert fold_access_log() == Folded(lines=4, unreadable=0, files=1, removed=0)
    assert fold_access_log() == Folded(lines=0, unreadable=0, files=1, removed=0)
    row = FeatureUsage.objects.get()
    assert (row.caller, row.online_reads, row.historical_reads, row.entities) == ("ana", 2, 1, 6)
    buckets = LatencyBucket.objects.order_by("kind").values_list("kind", "upper_ms", "requests", "failures")
    assert list(buckets) == [("historical", 5.0, 1, 0), ("online", 5.0, 3, 1)]
    write_access_record(record(version, caller="bob"))
    fold_access_log()
    assert FeatureUsage.objects.count() == 2


def test_a_line_that_is_not_complete_waits_and_a_broken_one_is_skipped(version: FeatureVersion) -> None:
    write_access_record(record(version))
    path = only_file()
    line = record(version).line()
    with path.open("ab") as file:
        file.write(b'{"broken\n' + line[:20])
    assert fold_access_log() == Folded(lines=1, unreadable=1, files=1, removed=0)
    with path.open("ab") as file:
        file.write(line[20:])
    assert fold_access_log() == Folded(lines=1, unreadable=0, files=1, removed=0)
    assert FeatureUsage.objects.get().online_reads == 2


def test_small_chunks_add_up(version: FeatureVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_CHUNK", 100)
    for _ in range(7):
        write_access_record(record(version))
    assert fold_access_log().lines == 7
    assert FeatureUsage.objects.get().online_reads == 7


def test_two_that_fold_at_once_count_once(version: FeatureVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    write_access_record(record(version))
    read = usage._complete_lines
    again: list[Folded] = []

    def slow(path: Path, offset: int) -> bytes:
        chunk = read(path, offset)
        if not again:
            again.append(Folded(0, 0, 0, 0))
            again[0] = fold_access_log()
        return chunk

    monkeypatch.setattr(usage, "_complete_lines", slow)
    assert fold_access_log().lines == 0
    assert again[0].lines == 1
    assert FeatureUsage.objects.get().online_reads == 1


def test_old_files_go_when_they_are_counted(version: FeatureVersion) -> None:
    folder = access_folder()
    folder.mkdir(parents=True)
    old = now() - timedelta(days=40)
    (folder / f"access-{old:%Y-%m-%d}-1.jsonl").write_bytes(record(version, at=old).line() + b'{"half')
    (folder / "access-note.jsonl").write_bytes(b"")
    write_access_record(record(version))
    assert fold_access_log(keep_days=30) == Folded(lines=2, unreadable=0, files=3, removed=1)
    assert {path.name[:6] for path in folder.iterdir()} == {"access"}
    assert len(list(folder.iterdir())) == 2
    assert sorted(FeatureUsage.objects.values_list("day", flat=True)) == [old.date(), now().date()]
    assert not FoldedLog.objects.filter(name__contains=f"{old:%Y-%m-%d}").exists()


def test_a_file_that_was_removed_is_made_anew(version: FeatureVersion) -> None:
    write_access_record(record(version))
    only_file().unlink()
    write_access_record(record(version))
    assert only_file().read_bytes().count(b"\n") == 1


def test_threads_that_write_while_the_file_changes_write_into_the_log(version: FeatureVersion) -> None:
    days = [now(), now() - timedelta(days=1)]
    elsewhere: list[int] = []

    def write(number: int) -> None:
        for turn in range(100):
            # Whatever the process opens meanwhile must not get a line of the log.
            opened = os.memfd_create("other")
            write_access_record(record(version, at=days[(turn + number) % 2], entities=number))
            elsewhere.append(os.fstat(opened).st_size)
            os.close(opened)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for path in access_folder().iterdir() for line in path.read_bytes().splitlines()]
    assert sorted(line["entities"] for line in lines) == sorted([*range(4)] * 100)
    assert set(elsewhere) == {0}


def test_asking_what_a_call_takes_is_no_read(version: FeatureVersion) -> None:
    client = client_of(make_user("ana", Role.VIEWER))
    assert client.options("/api/v1/features/batch").status_code == 200
    assert not access_folder().exists()


def test_features_that_are_gone_are_left_out(version: FeatureVersion) -> None:
    write_access_record(record(version, feature_keys=(version.feature_id, 999_999)))
    fold_access_log()
    assert FeatureUsage.objects.count() == 1


def test_threads_do_not_mix_their_lines(version: FeatureVersion) -> None:
    line = record(version)

    def write() -> None:
        for _ in range(200):
            write_access_record(line)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.ensure_connection()
    assert fold_access_log() == Folded(lines=800, unreadable=0, files=1, removed=0)


def test_percentiles_are_upper_ends_of_buckets(version: FeatureVersion) -> None:
    for milliseconds in (0.5,) * 50 + (7.0,) * 45 + (150.0,) * 5:
        write_access_record(record(version, milliseconds=milliseconds))
    fold_access_log()
    since = now() - timedelta(hours=2)
    assert latency_percentiles(kind="online", since=since) == {0.5: 1.0, 0.95: 10.0, 0.99: 200.0}
    assert latency_percentiles(kind="historical", since=since) == {}

"""From access log lines to counts: who reads which feature how often, and how long reads take."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F

from catalog.clock import now
from catalog.models import Feature
from serving.access_log import ReadKind, access_folder
from serving.models import FeatureUsage, FoldedLog, LatencyBucket

logger = logging.getLogger(__name__)

BUCKETS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 3e4, 1e5, 1e6, 1e9)
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Folded:
    """What one folding did: lines counted, lines that could not be read, files looked at and removed."""

    lines: int
    unreadable: int
    files: int
    removed: int


@dataclass
class _Counts:
    """The counts of one chunk of lines."""

    lines: int = 0
    unreadable: int = 0
    usage: dict[tuple[date, int, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    latency: dict[tuple[datetime, str, float], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, line: bytes) -> None:
        try:
            record = orjson.loads(line)
            at = datetime.fromisoformat(record["at"]).astimezone(UTC)
            kind = ReadKind(record["kind"])
            failed = int(record["status"]) >= 400
            milliseconds, entities = float(record["ms"]), int(record["entities"])
            features = [int(key) for key in record["feature_keys"]]
            caller = str(record["caller"])[:200]
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1
            return
        self.lines += 1
        hour = at.replace(minute=0, second=0, microsecond=0)
        upper = next((bound for bound in BUCKETS_MS if milliseconds <= bound), BUCKETS_MS[-1])
        self.latency[hour, kind.value, upper].update(requests=1, failures=int(failed))
        if not failed:
            for feature in features:
                self.usage[at.date(), feature, caller].update({f"{kind.value}_reads": 1, "entities": entities})


def fold_access_log(*, keep_days: int = 30) -> Folded:
    """Count every complete line that is not counted yet, exactly once, and remove old files that are done.

    How far a file is counted is moved on in the transaction that adds the counts, and only from where it was
    read: of two processes that fold at once, one does each chunk. Failed reads count in the latency only.
    """
    lines = unreadable = files = removed = 0
    oldest = now().date() - timedelta(days=keep_days)
    for path in sorted(access_folder().glob("access-*.jsonl")):
        files += 1
        for counts in _fold_file(path):
            lines += counts.lines
            unreadable += counts.unreadable
        removed += _remove_if_done(path, oldest)
    if unreadable:
        logger.warning("%d lines of the access log could not be read and are not counted", unreadable)
    return Folded(lines=lines, unreadable=unreadable, files=files, removed=removed)


def _fold_file(path: Path) -> Iterator[_Counts]:
    while True:
        # The place first, then the file: a file that is there was not finished and removed before.
        place, _ = FoldedLog.objects.get_or_create(name=path.name, defaults={"updated_at": now()})
        chunk = _complete_lines(path, place.offset)
        if not chunk:
            return
        counts = _Counts()
        for line in chunk.splitlines():
            counts.add(line)
        with transaction.atomic():
            moved = FoldedLog.objects.filter(pk=place.pk, offset=place.offset).update(
                offset=place.offset + len(chunk), updated_at=now()
            )
            if not moved:
                return
            _store(counts)
        yield counts


def _complete_lines(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            chunk = file.read(_CHUNK)
            # A line longer than a chunk is read to its end.
            while b"\n" not in chunk and (more := file.read(_CHUNK)):
                chunk += more
    except FileNotFoundError:
        return b""
    return chunk[: chunk.rfind(b"\n") + 1]


def _store(counts: _Counts) -> None:
    known = set(Feature.objects.filter(pk__in={key[1] for key in counts.usage}).values_list("pk", flat=True))
    usage = {key: counter for key, counter in sorted(counts.usage.items()) if key[1] in known}
    FeatureUsage.objects.bulk_create(
        [FeatureUsage(day=day, feature_id=feature, caller=caller) for day, feature, caller in usage],
        ignore_conflicts=True,
    )
    for (day, feature, caller), counter in usage.items():
        FeatureUsage.objects.filter(day=day, feature_id=feature, caller=caller).update(**_increments(counter))
    LatencyBucket.objects.bulk_create(
        [LatencyBucket(hour=hour, kind=kind, upper_ms=upper) for hour, kind, upper in counts.latency],
        ignore_conflicts=True,
    )
    for (hour, kind, upper), counter in sorted(counts.latency.items()):
        LatencyBucket.objects.filter(hour=hour, kind=kind, upper_ms=upper).update(**_increments(counter))


def _increments(counter: Counter[str]) -> dict[str, Any]:
    return {name: F(name) + count for name, count in counter.items()}


def _remove_if_done(path: Path, oldest: date) -> bool:
    try:
        day = date.fromisoformat(path.name[len("access-") : len("access-2000-01-01")])
    except ValueError:
        return False
    if day >= oldest:
        return False
    place = FoldedLog.objects.filter(name=path.name).first()
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if place is None or place.offset < _last_line_end(path, size):
        return False
    path.unlink(missing_ok=True)
    place.delete()
    return True


def _last_line_end(path: Path, size: int) -> int:
    """Where the last complete line ends: what a process left half written when it died counts for nothing."""
    tail = min(size, _CHUNK)
    with path.open("rb") as file:
        file.seek(size - tail)
        return size - tail + file.read().rfind(b"\n") + 1


def latency_percentiles(
    *, kind: str, since: datetime, shares: tuple[float, ...] = (0.5, 0.95, 0.99)
) -> dict[float, float]:
    """For each share of requests, the upper end in milliseconds of the bucket that reaches it; empty without any."""
    buckets: Counter[float] = Counter()
    rows = LatencyBucket.objects.filter(kind=kind, hour__gte=since).values_list("upper_ms", "requests")
    for upper, requests in rows:
        buckets[upper] += requests
    total = sum(buckets.values())
    if not total:
        return {}
    answer: dict[float, float] = {}
    reached = 0
    for upper in sorted(buckets):
        reached += buckets[upper]
        for share in shares:
            if share not in answer and reached >= share * total:
                answer[share] = upper
    return answer

"""The figures of the store for Prometheus, in its text format."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Sum
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.clock import now
from ingestion.group_status import GroupStatus, group_statuses
from ingestion.health import CheckState, recent_health
from ingestion.models import IngestionRun, RunState
from serving.access_log import ReadKind
from serving.models import LatencyBucket
from serving.usage import BUCKETS_MS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_KEY = "metrics"


def recent_metrics() -> bytes:
    """All figures as text, counted anew only after ``monitoring.metrics_interval`` seconds."""
    kept = cache.get(_KEY)
    if isinstance(kept, bytes):
        return kept
    registry = CollectorRegistry()
    registry.register(_StoreCollector())
    text = generate_latest(registry)
    cache.set(_KEY, text, timeout=settings.FEATURESTORE.monitoring.metrics_interval)
    return text


class _StoreCollector(Collector):
    """Counts when it is asked; the number of queries does not grow with the store."""

    def describe(self) -> Iterator[Metric]:
        return iter(())  # Without it the registry would collect when the collector is registered.

    def collect(self) -> Iterator[Metric]:
        yield from _health()
        yield from _groups(group_statuses(at=now()))
        yield from _runs()
        yield from _reads()


def _health() -> Iterator[Metric]:
    health = recent_health()
    yield GaugeMetricFamily("featurestore_healthy", "1 when the store is healthy.", value=float(health.healthy))
    checks = GaugeMetricFamily("featurestore_check", "1 passes, 0.5 warns, 0 fails.", labels=["check"])
    values = {CheckState.PASS: 1.0, CheckState.WARN: 0.5, CheckState.FAIL: 0.0}
    for name, check in health.checks.items():
        checks.add_metric([name], values[check.state])
    yield checks


def _groups(groups: tuple[GroupStatus, ...]) -> Iterator[Metric]:
    def gauge(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"featurestore_group_{name}", text, labels=["group"])

    features = gauge("features", "Features of the group.")
    without = gauge("features_without_values", "Features whose source gives no values.")
    online = gauge("online_rows", "Entity keys in the online store.")
    history = gauge("history_rows", "Rows of history.")
    size = gauge("history_bytes", "Bytes of history.")
    newest = gauge("newest_event_timestamp_seconds", "When the newest event of the group was.")
    late = gauge("late", "1 when the newest event is older than the group promises.")
    failed = gauge("last_run_failed", "1 when the last ingestion failed.")
    for group in groups:
        label = [group.name]
        features.add_metric(label, group.features)
        without.add_metric(label, group.without_values)
        online.add_metric(label, group.rows_online)
        history.add_metric(label, group.rows_history)
        size.add_metric(label, group.bytes_history)
        if group.newest_event is not None:
            newest.add_metric(label, group.newest_event.timestamp())
        late.add_metric(label, float(group.is_late))
        if group.last_run is not None:
            failed.add_metric(label, float(group.last_run.state == RunState.FAILED))
    yield from (features, without, online, history, size, newest, late, failed)


def _runs() -> Iterator[Metric]:
    runs = GaugeMetricFamily("featurestore_runs", "Runs that are kept, by kind and state.", labels=["kind", "state"])
    counted = IngestionRun.objects.order_by().values_list("kind", "state").annotate(count=Count("pk"))
    for kind, state, count in sorted(counted):
        runs.add_metric([kind, state], count)
    yield runs


def _reads() -> Iterator[Metric]:
    """Requests for values, as far as the access log is counted."""
    requests = CounterMetricFamily("featurestore_reads", "Requests for values.", labels=["kind"])
    failures = CounterMetricFamily("featurestore_read_failures", "Those answered with an error.", labels=["kind"])
    faster = CounterMetricFamily(
        "featurestore_reads_within", "Requests answered within that many milliseconds.", labels=["kind", "milliseconds"]
    )
    rows = LatencyBucket.objects.order_by().values_list("kind", "upper_ms")
    counts = {
        (kind, upper): (asked, failed)
        for kind, upper, asked, failed in rows.annotate(asked=Sum("requests"), failed=Sum("failures"))
    }
    for kind in ReadKind:
        reached = 0
        for upper in BUCKETS_MS:
            reached += counts.get((kind.value, upper), (0, 0))[0]
            faster.add_metric([kind.value, f"{upper:g}"], reached)
        requests.add_metric([kind.value], reached)
        failures.add_metric([kind.value], sum(failed for (of, _), (_, failed) in counts.items() if of == kind.value))
    yield from (requests, failures, faster)

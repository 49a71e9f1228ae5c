"""How good the current values of a group are: statistics, quality and rules over the newest row of every entity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from catalog.arrow_types import arrow_type
from catalog.clock import now
from catalog.declarations import RowRule
from catalog.models import FeatureGroup, FeatureVersion
from ingestion.checks import ColumnRules, RuleOutcome, check_drift, check_outliers, check_rows, drift_from
from ingestion.plan import column_rules, ingested_versions
from ingestion.profiles import Profile, Shortfall, profile_columns, quality_report
from ingestion.profiles.shortfalls import Thresholds
from serving.engine_limits import configured_limits
from serving.point_in_time import latest_rows
from serving.stores.offline import History


@dataclass(frozen=True)
class Assessment:
    """``profiles`` is by value column; ``results`` are of the rules over the ``row_count`` current rows.

    ``flagged`` rows broke a rule.
    """

    versions: tuple[FeatureVersion, ...]
    row_count: int
    flagged: int
    profiles: Mapping[str, Profile]
    results: tuple[RuleOutcome, ...]
    movements: tuple[RuleOutcome, ...]
    """Outliers and drift, as far as the configuration asks for them; of severity warn."""
    shortfalls: tuple[Shortfall, ...]

    @property
    def passed(self) -> bool:
        """No quality threshold and no rule of severity fail was missed."""
        return not self.shortfalls

    def mean_of(self, measure: str) -> float | None:
        """The mean of ``completeness``, ``validity`` or ``consistency`` over the columns that were measured."""
        found = [getattr(profile, measure) for profile in self.profiles.values()]
        measured = [share for share in found if share is not None]
        return fmean(measured) if measured else None


def assess_group(
    group: FeatureGroup,
    *,
    history: History | None,
    problems: Mapping[str, str] | None = None,
    unreadable: Mapping[str, Collection[str]] | None = None,
    contradicted: Mapping[str, Collection[str]] | None = None,
) -> Assessment:
    """The state of the group's current values, as of now.

    ``problems`` says of value columns why their source gives no values; without it the catalog's word is taken.
    ``unreadable`` and ``contradicted`` are what an ingestion found in the source (see
    :func:`ingestion.profiles.profile_columns`).
    """
    versions = ingested_versions(group)
    rules = tuple(
        column_rules(version, version.source_problem if problems is None else problems.get(version.value_column, ""))
        for version in versions
    )
    row_rules = [RowRule.model_validate(rule) for rule in group.row_rules]
    table = _current_rows(history, versions)
    outcome = check_rows(table, rules, row_rules)
    profiles = profile_columns(table, rules, row_rules, unreadable=unreadable, contradicted=contradicted)
    return Assessment(
        versions=versions,
        row_count=table.num_rows,
        flagged=pc.sum(pc.or_(outcome.flagged, outcome.rejected)).as_py() or 0,
        profiles=profiles,
        results=outcome.results,
        movements=tuple(_movements(table, versions, rules)),
        shortfalls=quality_report(
            [profiles[rule.value_column] for rule in rules],
            monitored_thresholds(),
            outcome.results,
        ),
    )


def monitored_thresholds() -> Thresholds | None:
    """The least shares that are good enough; None where quality is measured and not judged."""
    configured = settings.FEATURESTORE.validation
    return configured.quality_thresholds if configured.quality_monitoring_enabled else None


def _current_rows(history: History | None, versions: Sequence[FeatureVersion]) -> pa.Table:
    types = {version.value_column: arrow_type(version.data_type) for version in versions}
    stamp = pa.timestamp("us", tz="UTC")
    if history is None:
        empty = pa.schema([("entity_key", pa.string()), ("event_timestamp", stamp), *types.items()]).empty_table()
        return empty.append_column("source_row", pa.array([], pa.int64()))
    rows = latest_rows(history.dataset, as_of=now(), columns=list(types), limits=configured_limits())
    columns = {"entity_key": rows["entity_key"], "event_timestamp": rows["event_timestamp"]}
    columns |= {name: rows[name].cast(kind) for name, kind in types.items()}
    return pa.table({**columns, "source_row": pa.array(range(rows.num_rows), pa.int64())})


def _movements(
    table: pa.Table, versions: Sequence[FeatureVersion], rules: Sequence[ColumnRules]
) -> Iterable[RuleOutcome]:
    configured = settings.FEATURESTORE.validation.validation_rules
    if configured.outlier_detection:
        yield from check_outliers(table, rules, threshold=configured.outlier_threshold)
    if not configured.drift_detection:
        return
    for version, rule in zip(versions, rules, strict=True):
        before = version.latest_profile
        if before is None:
            continue
        values = table[version.value_column]
        drift = drift_from(
            values,
            histogram=before.histogram,
            top_values=before.top_values,
            row_count=before.row_count,
            null_count=before.null_count,
        )
        result = check_drift(rule, values, drift, threshold=version.drift_threshold or configured.drift_threshold)
        if result is not None:
            yield result

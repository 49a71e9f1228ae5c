"""What a reader may see of what runs and checks say: messages, samples, errors and logs may quote values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog.access import Capability, Reader, may
from catalog.disclosure import closed_features, groups_with_open_rows
from catalog.models import Feature, FeatureGroup
from ingestion.models import IngestionRun, RuleResult, ValidationReport
from ingestion.rule_results import told


@dataclass(frozen=True)
class ReportAccess:
    """Of some groups: whose rows the reader may see, and the features whose values are closed."""

    open_groups: frozenset[int]
    closed_features: frozenset[int]
    closed_names: dict[int, set[str]]
    runs_ingestion: bool

    def shows_log(self, run: IngestionRun) -> bool:
        """Those who run ingestions need errors and logs to mend what is broken."""
        return self.shows_errors_of(run.group_id)

    def shows_errors_of(self, group: int) -> bool:
        """Whether errors and logs of the runs of the group with this id may be seen."""
        return self.runs_ingestion or group in self.open_groups

    def shows(self, result: RuleResult) -> bool:
        """Whether the message and the sample of a rule's result may be seen; a rule of rows has no version."""
        if result.version is None:
            return result.report.group_id in self.open_groups
        return result.version.feature_id not in self.closed_features

    def problems(self, of: IngestionRun) -> list[dict[str, Any]]:
        return self._told(of.problems, of.group_id)

    def shortfalls(self, of: ValidationReport) -> list[dict[str, Any]]:
        return self._told(of.shortfalls, of.group_id)

    def _told(self, said: list[dict[str, Any]], group: int) -> list[dict[str, Any]]:
        return told(said, closed=self.closed_names.get(group, set()), shows_rows=group in self.open_groups)


def report_access(*, user: Reader, groups: Iterable[FeatureGroup]) -> ReportAccess:
    """What ``user`` may see of ``groups``, in a number of queries that does not grow with them."""
    wanted = {group.pk: group for group in groups}
    features = list(Feature.objects.filter(group__in=wanted).select_related("group"))
    closed = closed_features(user=user, features=features)
    names: dict[int, set[str]] = {}
    for feature in features:
        if feature.pk in closed:
            names.setdefault(feature.group_id, set()).add(feature.name)
    return ReportAccess(
        open_groups=frozenset(groups_with_open_rows(user=user, groups=wanted.values())),
        closed_features=frozenset(closed),
        closed_names=names,
        runs_ingestion=may(user, Capability.RUN_INGESTION),
    )

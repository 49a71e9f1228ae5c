"""What a list of features tells of runs: how the last seven of each feature went, and whether its values are late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog.cards import CardFacts
from catalog.clock import now
from catalog.drawings import Markup, Outcome, run_strip
from catalog.models import Feature
from catalog.presentation import format_instant
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState

RUNS = 7


def card_facts(request: HttpRequest, features: Sequence[Feature]) -> dict[int, CardFacts]:
    """The strip of the last :data:`RUNS` runs of every feature, in two queries: of the runs, and of what they found.

    A run counts as failed for all features of its group; a run that succeeded, by the rules of the feature itself.
    """
    at = now()
    newest = _newest_runs(request, {feature.group_id for feature in features})
    broken = _broken({run.pk for runs in newest.values() for run in runs}, features)
    facts = {}
    for feature in features:
        runs = newest.get(feature.group_id, [])
        profile = feature.default_version.latest_profile if feature.default_version else None
        promise = feature.group.freshness
        is_late = bool(promise and profile and profile.newest_event and at - profile.newest_event > promise)
        strip = _strip(feature, runs, broken) if runs else None
        facts[feature.pk] = CardFacts(strip=strip, is_late=is_late)
    return facts


def _newest_runs(request: HttpRequest, groups: set[int]) -> dict[int, list[IngestionRun]]:
    ended = IngestionRun.objects.visible_to(request.user).filter(
        group__in=groups, kind=RunKind.INGEST, state__in=(RunState.SUCCEEDED, RunState.FAILED)
    )
    place = Window(RowNumber(), partition_by=[F("group_id")], order_by=[F("created_at").desc(), F("id").desc()])
    by_group: dict[int, list[IngestionRun]] = defaultdict(list)
    rows = ended.annotate(place=place).filter(place__lte=RUNS).only("id", "group_id", "state", "created_at")
    for run in rows.order_by("group_id", "place"):
        by_group[run.group_id].append(run)
    return by_group


def _broken(runs: set[UUID], features: Sequence[Feature]) -> dict[tuple[UUID | None, int | None], str]:
    """The severity of a broken rule by run and version."""
    versions = [feature.default_version_id for feature in features if feature.default_version_id is not None]
    results = RuleResult.objects.filter(report__run__in=runs, version__in=versions, passed=False)
    return {
        (run, version): "warn" if severity == "warn" else "fail"
        for run, version, severity in results.order_by("severity").values_list(
            "report__run_id", "version_id", "severity"
        )
    }


def _strip(feature: Feature, runs: list[IngestionRun], broken: dict[tuple[UUID | None, int | None], str]) -> Markup:
    states = []
    for run in reversed(runs):
        if run.state == RunState.FAILED:
            states.append((run, "failed", _("the run failed")))
            continue
        state = broken.get((run.pk, feature.default_version_id), "pass")
        said = {"pass": _("all rules held"), "warn": _("a rule warned"), "fail": _("a rule was broken")}[state]
        states.append((run, state, said))
    good = sum(state == "pass" for _run, state, _said in states)
    return run_strip(
        outcomes=[
            Outcome(state=state, label=f"{format_instant(run.created_at)}: {said}") for run, state, said in states
        ],
        title=_("The last %(count)s runs of %(name)s") % {"count": len(states), "name": feature.name},
        description=_("%(good)s of %(count)s without a broken rule.") % {"good": good, "count": len(states)},
        height=18,
        places=RUNS,
    )

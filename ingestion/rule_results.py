"""Rule results as pages show them: samples only for those who may see the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog.access import Reader
from catalog.disclosure import closed_features
from catalog.group_features import features_of
from catalog.models import FeatureGroup
from catalog.presentation import format_value
from catalog.wording import gettext as _
from ingestion.models import RuleResult


@dataclass(frozen=True)
class RuleRow:
    """One rule's result; ``headings`` and ``rows`` are its sample, empty where it is hidden or there is none."""

    result: RuleResult
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    is_closed: bool

    @property
    def message(self) -> str:
        """What was found; it may name values, and so is not for those who may not see them."""
        return "" if self.is_closed else self.result.message


def rule_rows(results: Iterable[RuleResult], *, user: Reader, shows_rows: bool) -> list[RuleRow]:
    """The results of one report, the broken ones first; feature and group of their versions must be loaded.

    Row-level rules have no version; their samples show with ``shows_rows`` only.
    """
    found = sorted(results, key=lambda one: (one.passed, -one.failed, one.version_id or 0, one.rule))
    closed = closed_features(user=user, features=[one.version.feature for one in found if one.version is not None])
    return [
        _row(one, is_closed=not shows_rows if one.version is None else one.version.feature_id in closed)
        for one in found
    ]


def _row(result: RuleResult, *, is_closed: bool) -> RuleRow:
    headings, rows = ((), []) if is_closed else sample_table(result.sample)
    return RuleRow(result=result, headings=headings, rows=rows, is_closed=is_closed)


def told(said: Iterable[dict[str, Any]], *, closed: set[str], shows_rows: bool) -> list[dict[str, Any]]:
    """Problems or shortfalls ([{feature, rule, message}]) without messages that may name values the reader may not see.

    ``closed`` are the names of those features; what is about whole rows is told with ``shows_rows`` only.
    """
    kept = []
    for one in said:
        about_rows = not one.get("feature") and str(one.get("rule") or "").startswith("row:")
        hidden = one.get("feature") in closed or (about_rows and not shows_rows)
        kept.append({**one, "message": _("you may not see the values that this is about")} if hidden else one)
    return kept


def closed_names(group: FeatureGroup, *, user: Reader) -> set[str]:
    """The names of the group's features whose values ``user`` may not see."""
    features = features_of(group)
    closed = closed_features(user=user, features=features)
    return {feature.name for feature in features if feature.pk in closed}


def sample_table(sample: Iterable[Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Sampled rows as headings and cells; a nested mapping becomes columns of its own."""
    flat = [_flat(one) for one in sample]
    headings = tuple(dict.fromkeys(name for one in flat for name in one))
    return headings, [tuple(format_value(one.get(name)) for name in headings) for one in flat]


def _flat(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        return {"value": one}
    inner = {name: value for value in one.values() if isinstance(value, dict) for name, value in value.items()}
    return {name: value for name, value in one.items() if not isinstance(value, dict)} | inner

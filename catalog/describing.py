"""A feature version as it is told to a reader: its statistics, and what of them the reader may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.access import Reader
from catalog.disclosure import closed_features
from catalog.models import Feature, FeatureProfile, FeatureVersion

# Of fewer values than this, mean and deviation give away the values themselves.
FEWEST_VALUES = 20
_VALUES_THEMSELVES = ("min_value", "max_value", "quantiles", "histogram", "top_values")
_AGGREGATES = ("mean_value", "std_dev")


@dataclass(frozen=True)
class DescribedFeature:
    """A feature, the version that is meant, whether its values are closed to the reader, and what replaces it."""

    feature: Feature
    version: FeatureVersion
    closed: bool
    replaced_by: Feature | None = None

    @property
    def profile(self) -> FeatureProfile | None:
        return self.version.latest_profile

    @property
    def reference(self) -> str:
        """The reference that means exactly this version."""
        return f"{self.feature.group.name}:{self.feature.name}@{self.version.number}"

    @property
    def last_updated(self) -> datetime:
        """When the description of the feature, or this definition of it, last changed."""
        return max(self.feature.updated_at, self.version.updated_at)

    @property
    def statistics(self) -> dict[str, Any] | None:
        """The stored statistics; None when there are none, and null for each one that is masked."""
        profile = self.profile
        if profile is None:
            return None
        masked = self._masked(profile)
        names = ("min_value", "max_value", "mean_value", "std_dev", "null_count", "row_count", "distinct_count")
        shown = {name: getattr(profile, name) for name in (*names, "quantiles", "histogram", "top_values")}
        shown |= dict.fromkeys(masked, None)
        return {**shown, "computed_at": profile.computed_at, "masked": list(masked)}

    @property
    def statistics_reason(self) -> str | None:
        """Why statistics are missing or masked; None when they are all there."""
        if self.profile is None:
            problem = self.version.source_problem
            return problem or "no statistics yet: they are computed when the feature group is ingested"
        if self.closed and self._masked(self.profile):
            level = self.feature.effective_sensitivity
            return f"the values are {level}: statistics that show them are for readers who may see them"
        return None

    @property
    def quality_metrics(self) -> dict[str, float | None] | None:
        """Shares from 0 to 1; None when nothing was measured."""
        profile = self.profile
        if profile is None:
            return None
        return {name: getattr(profile, name) for name in ("completeness", "validity", "consistency")}

    @property
    def newest_event(self) -> datetime | None:
        return None if self.profile is None else self.profile.newest_event

    @property
    def inherited(self) -> dict[str, Any] | None:
        """What the pipeline's reports say, which may quote values."""
        return None if self.closed else self.version.inherited

    def _masked(self, profile: FeatureProfile) -> tuple[str, ...]:
        if not self.closed:
            return ()
        few = profile.row_count - profile.null_count < FEWEST_VALUES
        return (*_VALUES_THEMSELVES, *_AGGREGATES) if few else _VALUES_THEMSELVES


def describe_default_versions(features: Iterable[Feature], *, user: Reader) -> list[DescribedFeature]:
    """Each feature with its default version; those without one are left out. Two queries at most beyond ``features``,
    which come from :meth:`FeatureQuerySet.with_details`."""
    every = list(features)
    closed = closed_features(user=user, features=every)
    replaced_by = visible_replacements(user=user, features=every)
    described = []
    for feature in every:
        version = feature.default_version
        if version is not None:
            version.feature = feature  # The same object, so that nothing is read again for each row.
            described.append(
                DescribedFeature(
                    feature=feature,
                    version=version,
                    closed=feature.pk in closed,
                    replaced_by=replaced_by.get(feature.pk),
                )
            )
    return described


def describe_version(version: FeatureVersion, *, user: Reader) -> DescribedFeature:
    """One version; its feature, group and entity must be loaded."""
    feature = version.feature
    closed = closed_features(user=user, features=[feature])
    return DescribedFeature(
        feature=feature,
        version=version,
        closed=feature.pk in closed,
        replaced_by=visible_replacements(user=user, features=[feature]).get(feature.pk),
    )


def visible_replacements(*, user: Reader, features: Iterable[Feature]) -> dict[int, Feature]:
    """What to use instead, by id of the feature that it replaces, of those that ``user`` may know of. One query at
    most; none where nothing is replaced."""
    wanted = {feature.pk: feature.replacement_id for feature in features if feature.replacement_id is not None}
    if not wanted:
        return {}
    found = Feature.objects.visible_to(user).select_related("group", "entity").in_bulk(set(wanted.values()))
    return {replaced: found[pk] for replaced, pk in wanted.items() if pk in found}

"""Keeping profiles: one per feature version and run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from catalog.models import FeatureGroup, FeatureProfile, FeatureVersion
from ingestion.profiles.profile import Profile

_FIELDS = (
    "row_count",
    "null_count",
    "distinct_count",
    "min_value",
    "max_value",
    "mean_value",
    "std_dev",
    "quantiles",
    "histogram",
    "top_values",
    "completeness",
    "validity",
    "consistency",
    "newest_event",
)


def store_profiles(
    *,
    group: FeatureGroup,
    profiles: Mapping[str, Profile],
    run_id: str,
    table_version: int | None,
    computed_at: datetime,
) -> int:
    """Write the profiles (by value column) of a run and make them the latest; returns how many were written.

    Runs within the caller's transaction. Storing those of the same run again replaces them; those of an older
    run do not become the latest again. Columns that are no current version of the group are left out.
    """
    versions = {
        version.value_column: version
        for version in FeatureVersion.objects.filter(feature__group=group, is_current=True).select_related(
            "feature", "latest_profile"
        )
    }
    wanted = {versions[column].pk: profile for column, profile in profiles.items() if column in versions}
    stored = {
        kept.version_id: kept for kept in FeatureProfile.objects.filter(version_id__in=list(wanted), run_id=run_id)
    }
    for version_id, kept in stored.items():
        _fill(kept, wanted[version_id], table_version, computed_at)
    FeatureProfile.objects.bulk_update(stored.values(), [*_FIELDS, "table_version", "computed_at"])
    FeatureProfile.objects.bulk_create(
        _fill(FeatureProfile(version_id=version_id, run_id=run_id), profile, table_version, computed_at)
        for version_id, profile in wanted.items()
        if version_id not in stored
    )
    # Asked for again, because not every database tells the keys of rows created in bulk.
    written = FeatureProfile.objects.filter(version_id__in=list(wanted), run_id=run_id)
    by_version = dict(written.values_list("version_id", "pk"))
    moved = []
    for version in versions.values():
        latest = version.latest_profile
        if version.pk in by_version and (latest is None or latest.computed_at <= computed_at):
            version.latest_profile_id = by_version[version.pk]
            moved.append(version)
    FeatureVersion.objects.bulk_update(moved, ["latest_profile"])
    return len(wanted)


def _fill(kept: FeatureProfile, profile: Profile, table_version: int | None, computed_at: datetime) -> FeatureProfile:
    for name in _FIELDS:
        setattr(kept, name, getattr(profile, name))
    kept.table_version = table_version
    kept.computed_at = computed_at
    return kept

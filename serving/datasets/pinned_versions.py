"""Which table versions training datasets still need."""

from __future__ import annotations

from catalog.models import FeatureGroup
from serving.models import TrainingDataset


def pinned_versions_of(group: FeatureGroup) -> set[int]:
    """The versions of the group's history that datasets, archived ones left out, were made from."""
    found = set()
    for spec in TrainingDataset.objects.filter(archived_at__isnull=True).values_list("spec", flat=True).iterator():
        for table in spec.get("tables", ()):
            if table.get("group") == group.name and table.get("version") is not None:
                found.add(int(table["version"]))
    return found

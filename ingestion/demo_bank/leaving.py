"""Taking the demo bank out of the catalog, for a store that from now on reads a warehouse of its own."""

from __future__ import annotations

from django.db import transaction

from catalog.editing import archive_group
from catalog.models import FeatureGroup, FeatureService, Status
from catalog.services import delete_service
from ingestion.demo_bank.declarations import STAGES, declared_on

REASON = "the store reads another warehouse than the demo's now"


def archive_demo_bank() -> list[str]:
    """Archive the demo's groups and remove its services; the names of the groups that were archived now.

    What the configuration keeps is left alone, whatever its name.
    """
    declared = declared_on(day=STAGES[-1])
    archived = []
    with transaction.atomic():
        for service in FeatureService.objects.filter(name__in=declared.services, declared=False):
            delete_service(service=service)
        groups = FeatureGroup.objects.filter(name__in=declared.groups, declared=False)
        for group in groups.exclude(status=Status.ARCHIVED):
            archive_group(group=group, reason=REASON)
            archived.append(group.name)
    return archived

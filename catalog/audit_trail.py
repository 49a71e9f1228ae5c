"""What was changed of a feature: the audit events of itself and of its versions, for its page and the API alike."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from catalog.models import AuditEvent, Feature, FeatureVersion


def changes_of(feature: Feature, *, versions: Iterable[FeatureVersion]) -> QuerySet[AuditEvent]:
    """The events of ``feature`` and of those of its ``versions``, newest first. One query."""
    of_versions = Q(object_type="featureversion", object_id__in=[str(version.pk) for version in versions])
    of_feature = Q(object_type="feature", object_id=str(feature.pk))
    return AuditEvent.objects.filter(of_feature | of_versions).order_by("-at", "-id")

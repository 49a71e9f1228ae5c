"""All features of one group, read once for the parts of a page that ask for them."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from catalog.models import Feature, FeatureGroup


def with_default_versions() -> QuerySet[Feature]:
    """Features by name with entity and default version, without what the pipeline's reports say of it."""
    loaded = Feature.objects.select_related("entity", "default_version").defer("default_version__inherited")
    return loaded.order_by("name", "entity_id")


def features_of(group: FeatureGroup, *, loaded: QuerySet[Feature] | None = None) -> list[Feature]:
    """All features of ``group``, archived ones too, by name, each with its default version.

    They are kept on the group object, which lives as long as one request: the first who asks may give with ``loaded``
    a :func:`with_default_versions` that knows more of each.
    """
    queryset = with_default_versions() if loaded is None else loaded
    prefetch_related_objects([group], Prefetch("features", queryset=queryset))
    features = list(group.features.all())
    for feature in features:
        if feature.default_version is not None:
            feature.default_version.feature = feature  # The same object, so that nothing is read again for each row.
    return features

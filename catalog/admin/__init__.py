"""The admin of the catalog: one module per concept."""

from django.contrib import admin

from catalog.admin import (
    audit_events,
    entities,
    features,
    follows,
    grants,
    groups,
    journal,
    lineage,
    people,
    profiles,
    requests,
    services,
    tags,
    versions,
)

admin.site.site_header = "Feature store administration"
admin.site.site_title = "Feature store administration"
admin.site.index_title = "Administration"
admin.site.site_url = None  # the header leads to the catalog by name

__all__ = [
    "audit_events",
    "entities",
    "features",
    "follows",
    "grants",
    "groups",
    "journal",
    "lineage",
    "people",
    "profiles",
    "requests",
    "services",
    "tags",
    "versions",
]

from __future__ import annotations

from django.contrib import admin

from catalog.access import Capability
from catalog.admin.read_only import ReadOnlyAdmin
from ingestion.models import Source


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    view_capability = Capability.EDIT_CATALOG
    list_display = ("name", "kind", "location", "reports_location", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "location")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "kind", "location", "reports_location", "updated_at"),
                "description": "Sources are declared in the configuration; change them there and run "
                "<code>apply</code>.",
            },
        ),
    )

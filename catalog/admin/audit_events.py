from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from catalog.access import Capability
from catalog.admin.presentation import json_of
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who changed what; never edited."""

    view_capability = Capability.EDIT_CATALOG
    list_display = ("at", "actor", "action", "object_type", "object_name", "request_id")
    list_filter = ("action", "object_type", "at")
    list_select_related: ClassVar = ["user"]
    search_fields = ("actor", "object_name", "object_id", "request_id")
    search_help_text = "Actor, name or id of the object, or request id."
    date_hierarchy = "at"
    fieldsets = (
        (None, {"fields": ("at", "actor", "user", "request_id")}),
        ("What", {"fields": ("action", "object_type", "object_id", "object_name")}),
        (
            "Change",
            {
                "fields": (json_of("before"), json_of("after")),
                "description": "Of a change, the fields that differ; of something new or deleted, all of it.",
            },
        ),
    )

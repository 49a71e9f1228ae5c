from __future__ import annotations

from django.contrib import admin

from catalog.access import Capability
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.models import Follow


@admin.register(Follow)
class FollowAdmin(ReadOnlyAdmin):
    """Who follows what; people decide it themselves, on the pages."""

    view_capability = Capability.ADMINISTER
    list_display = ("user", "feature", "group", "created_at")
    list_filter = ("group",)
    list_select_related = ("user", "feature", "group")
    search_fields = ("user__username", "feature__name", "group__name")
    search_help_text = "User, feature or group."
    date_hierarchy = "created_at"

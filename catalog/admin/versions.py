from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.audited import AuditedAdmin
from catalog.admin.permissions import fixed_for
from catalog.admin.presentation import json_of, page_of, shown_json
from catalog.disclosure import closed_features
from catalog.models import FeatureVersion


@admin.register(FeatureVersion)
class FeatureVersionAdmin(AuditedAdmin):
    """A definition is never edited, since values were made with it: a changed one is a new version."""

    add_capability = None
    delete_capability = None
    list_display = (
        "public_id",
        "number",
        "feature",
        "status",
        "is_current",
        "data_type",
        "source_column",
        "mask",
        "source_problem",
        "created_at",
    )
    list_filter = ("status", "is_current", "data_type", "mask", "feature__group")
    list_select_related = ("feature__entity", "feature__group")
    search_fields = ("feature__name", "source_column", "description", "change_note")
    search_help_text = "Feature, source column, description or note."
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("feature", "public_id", "number", "is_current", "status", "description")}),
        ("Governance", {"fields": ("mask",), "description": "How values look to readers without clearance."}),
        (
            "Definition",
            {
                "fields": (
                    "data_type",
                    "value_column",
                    "source_column",
                    "expression",
                    json_of("validation"),
                    json_of("categories"),
                    json_of("default_value"),
                    "drift_threshold",
                ),
                "description": "Fixed. Declare the change and run <code>apply</code>, which makes the next version.",
            },
        ),
        (
            "Kept by the store",
            {
                "fields": (
                    "source_problem",
                    "latest_profile",
                    "shown_inherited",
                    "declared_number",
                    "change_note",
                    "created_by",
                    "created_at",
                    "updated_at",
                )
            },
        ),
    )
    readonly_fields = (
        "feature",
        "public_id",
        "number",
        "is_current",
        "data_type",
        "value_column",
        "source_column",
        "expression",
        "drift_threshold",
        "source_problem",
        "latest_profile",
        "declared_number",
        "change_note",
        "created_by",
        "created_at",
        "updated_at",
        json_of("validation"),
        json_of("categories"),
        json_of("default_value"),
        "shown_inherited",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: FeatureVersion | None = None) -> Any:
        closed = () if obj is None else fixed_for(request, obj.feature.effective_sensitivity, "mask")
        return (*self.readonly_fields, *closed)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> FeatureVersion | None:
        version: FeatureVersion | None = super().get_object(request, object_id, from_field)
        if version is not None:
            closed = closed_features(user=request.user, features=[version.feature])
            version.closed = bool(closed)  # type: ignore[attr-defined]  # read back by shown_inherited
        return version

    @admin.display(description="inherited")
    def shown_inherited(self, obj: Any) -> SafeString | str:
        # The reports of the pipeline quote values, such as the least and the greatest.
        return "hidden: it tells sensitive values that you may not read" if obj.closed else shown_json(obj.inherited)

    def view_on_site(self, obj: FeatureVersion) -> str | None:
        page = page_of("catalog:feature", obj.feature.name)
        return None if page is None else f"{page}?version={obj.number}"

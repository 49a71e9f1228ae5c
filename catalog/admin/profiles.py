from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog.admin.presentation import json_of
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.disclosure import closed_features
from catalog.models import FeatureProfile
from catalog.presentation import format_number, format_share

_FROM_VALUES = ("min_value", "max_value", "mean_value", "std_dev", "quantiles", "histogram", "top_values")


@admin.register(FeatureProfile)
class FeatureProfileAdmin(ReadOnlyAdmin):
    """Statistics and quality as the runs computed them."""

    list_display = ("version", "computed_at", "rows", "nulls", "complete", "valid", "consistent", "newest_event")
    list_filter = ("computed_at", "version__feature__group")
    list_select_related = ("version__feature__entity", "version__feature__group")
    search_fields = ("version__feature__name", "run_id")
    search_help_text = "Feature or run."

    def get_fieldsets(self, request: HttpRequest, obj: FeatureProfile | None = None) -> Any:
        statistics: tuple[Any, ...] = (
            "min_value",
            "max_value",
            "mean_value",
            "std_dev",
            json_of("quantiles"),
            json_of("histogram"),
            json_of("top_values"),
        )
        note = "Over the newest row of every entity."
        if obj is not None and closed_features(user=request.user, features=[obj.version.feature]):
            statistics = ()
            note = f"{', '.join(_FROM_VALUES)} tell values of a sensitive feature that you may not read."
        return [
            (None, {"fields": ("version", "computed_at", "run_id", "table_version", "newest_event")}),
            (
                "Quality",
                {"fields": ("row_count", "null_count", "distinct_count", "completeness", "validity", "consistency")},
            ),
            ("Statistics", {"fields": statistics, "description": note}),
        ]

    @admin.display(ordering="row_count")
    def rows(self, obj: FeatureProfile) -> str:
        return format_number(obj.row_count)

    @admin.display(ordering="null_count")
    def nulls(self, obj: FeatureProfile) -> str:
        return format_number(obj.null_count)

    @admin.display(ordering="completeness")
    def complete(self, obj: FeatureProfile) -> str:
        return format_share(obj.completeness)

    @admin.display(ordering="validity")
    def valid(self, obj: FeatureProfile) -> str:
        return format_share(obj.validity)

    @admin.display(ordering="consistency")
    def consistent(self, obj: FeatureProfile) -> str:
        return format_share(obj.consistency)

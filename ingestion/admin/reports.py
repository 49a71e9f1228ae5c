from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from catalog.admin.presentation import json_of, shown_json
from catalog.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from catalog.disclosure import closed_features, shows_rows_of
from catalog.presentation import format_number, format_share
from ingestion.models import RuleResult, ValidationReport
from ingestion.report_access import ReportAccess, report_access
from ingestion.sample_reads import record_samples_shown

HIDDEN = "hidden: it shows sensitive values that you may not read"


class RuleResultInline(ReadOnlyInline):
    """The rules, those that were broken first; their samples are on their own pages."""

    model = RuleResult
    fields = ("version", "rule", "severity", "passed", "checked", "failed", "shown_message")
    readonly_fields = ("shown_message",)
    ordering = ("passed", "-failed", "rule")
    verbose_name_plural = "rules"
    access: ReportAccess | None = None  # of the one request that this inline is made for

    def get_formset(self, request: HttpRequest, obj: ValidationReport | None = None, **kwargs: Any) -> Any:
        self.access = None if obj is None else report_access(user=request.user, groups=[obj.group])
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("version__feature", "report")

    @admin.display(description="message")
    def shown_message(self, obj: RuleResult) -> str:
        return obj.message if self.access is not None and self.access.shows(obj) else HIDDEN


@admin.register(ValidationReport)
class ValidationReportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "group", "passed", "rows", "complete", "valid", "consistent", "missed")
    list_filter = ("passed", "group", "created_at")
    list_select_related = ("group",)
    search_fields = ("group__name",)
    date_hierarchy = "created_at"
    inlines: ClassVar = [RuleResultInline]
    fieldsets = (
        (None, {"fields": ("group", "created_at", "passed", "run", "row_count")}),
        ("Quality", {"fields": ("completeness", "validity", "consistency", json_of("thresholds"))}),
        ("What fell short", {"fields": ("shown_shortfalls",)}),
    )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ValidationReport | None:
        report: ValidationReport | None = super().get_object(request, object_id, from_field)
        if report is not None:
            report.access = report_access(  # type: ignore[attr-defined]  # read back below
                user=request.user, groups=[report.group]
            )
        return report

    @admin.display(description="shortfalls")
    def shown_shortfalls(self, obj: Any) -> SafeString | str:
        return shown_json(obj.access.shortfalls(obj))

    @admin.display(ordering="row_count")
    def rows(self, obj: ValidationReport) -> str:
        return format_number(obj.row_count)

    @admin.display(ordering="completeness")
    def complete(self, obj: ValidationReport) -> str:
        return format_share(obj.completeness)

    @admin.display(ordering="validity")
    def valid(self, obj: ValidationReport) -> str:
        return format_share(obj.validity)

    @admin.display(ordering="consistency")
    def consistent(self, obj: ValidationReport) -> str:
        return format_share(obj.consistency)

    @admin.display(description="shortfalls")
    def missed(self, obj: ValidationReport) -> int:
        return len(obj.shortfalls)


@admin.register(RuleResult)
class RuleResultAdmin(ReadOnlyAdmin):
    list_display = ("report", "version", "rule", "severity", "passed", "checked", "failed")
    # By spans of days; a hierarchy of all dates would look at every result that there is.
    list_filter = ("passed", "severity", ("report__created_at", admin.DateFieldListFilter), "report__group", "rule")
    list_select_related = ("report__group", "version__feature__group")
    # Not the message, which may quote values: searching would tell what is hidden.
    search_fields = ("rule", "version__feature__name")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("report", "version", "rule", "severity", "passed", "checked", "failed")}),
        ("What broke it", {"fields": ("shown_message", "shown_sample")}),
    )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        result = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if result is not None and not result.closed:  # type: ignore[attr-defined]  # set by get_object
            record_samples_shown([result])
        return super().change_view(request, object_id, form_url, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> RuleResult | None:
        result: RuleResult | None = super().get_object(request, object_id, from_field)
        if result is not None:
            result.closed = _is_closed(result, request)  # type: ignore[attr-defined]  # read back below
        return result

    @admin.display(description="message")
    def shown_message(self, obj: Any) -> str:
        return HIDDEN if obj.closed else obj.message

    @admin.display(description="sample")
    def shown_sample(self, obj: Any) -> SafeString | str:
        return HIDDEN if obj.closed else shown_json(obj.sample)


def _is_closed(result: RuleResult, request: HttpRequest) -> bool:
    """Whether the sample has values that the reader may not see: whole rows, or those of the rule's feature."""
    if result.version is None:
        return not shows_rows_of(user=request.user, group=result.report.group)
    return bool(closed_features(user=request.user, features=[result.version.feature])) or not shows_rows_of(
        user=request.user, group=result.report.group
    )

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from catalog.access import Capability
from catalog.admin.presentation import shown_json
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.disclosure import shows_rows_of
from ingestion.admin.reports import HIDDEN
from ingestion.models import QuarantinedRow
from ingestion.sample_reads import record_rows_shown


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnlyAdmin):
    """Rows that a rule kept out, with the reason; mended in the source, they come in with the next run."""

    view_capability = Capability.RUN_INGESTION
    list_display = ("entity_key", "group", "rules", "event_timestamp", "first_seen", "last_seen")
    list_filter = ("group", "last_seen")
    list_select_related = ("group",)
    search_fields = ("entity_key", "row_hash")
    search_help_text = "Entity key."
    date_hierarchy = "last_seen"
    fieldsets = (
        (None, {"fields": ("group", "entity_key", "event_timestamp")}),
        ("Why", {"fields": ("shown_reasons",)}),
        ("The row, as the source has it", {"fields": ("shown_row",)}),
        ("Seen", {"fields": ("first_seen", "first_run", "last_seen", "last_run")}),
    )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is not None and row.open:  # type: ignore[attr-defined]  # set by get_object
            record_rows_shown(row.group, rows=1)
        return super().change_view(request, object_id, form_url, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> QuarantinedRow | None:
        row: QuarantinedRow | None = super().get_object(request, object_id, from_field)
        if row is not None:
            row.open = shows_rows_of(user=request.user, group=row.group)  # type: ignore[attr-defined]  # read back below
        return row

    @admin.display(description="rules")
    def rules(self, obj: QuarantinedRow) -> str:
        return ", ".join(str(reason.get("rule", "")) for reason in obj.reasons)

    @admin.display(description="reasons")
    def shown_reasons(self, obj: Any) -> SafeString | str:
        # A message may quote the value that broke the rule.
        return shown_json(obj.reasons) if obj.open else f"{self.rules(obj)} ({HIDDEN})"

    @admin.display(description="row")
    def shown_row(self, obj: Any) -> SafeString | str:
        return shown_json(obj.row) if obj.open else HIDDEN

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.access import Capability
from catalog.admin.presentation import json_of, page_of, text_of
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.clock import now
from catalog.models import Status
from catalog.presentation import format_number
from ingestion.models import GroupLease, IngestionRun, RunKind, RunState
from ingestion.runs import request_run
from ingestion.tasks import wake_worker


@admin.register(IngestionRun)
class IngestionRunAdmin(ReadOnlyAdmin):
    """What happened; a run that failed is not changed but requested again."""

    view_capability = Capability.RUN_INGESTION
    list_display = (
        "created_at",
        "group",
        "kind",
        "state",
        "read",
        "appended",
        "rejected",
        "took",
        "requested_by",
    )
    list_filter = ("state", "kind", "group", "trigger", "created_at")
    list_select_related = ("group",)
    search_fields = ("=id", "group__name", "requested_by", "error")
    search_help_text = "Id, group, person or text of the error."
    date_hierarchy = "created_at"
    actions = ("retry_selected",)
    fieldsets = (
        (None, {"fields": ("id", "group", "kind", "state", "step", "progress", "attempts")}),
        ("Request", {"fields": ("trigger", "requested_by", "created_at", "started_at", "finished_at")}),
        (
            "Rows",
            {
                "fields": (
                    "rows_read",
                    "rows_unchanged",
                    "rows_superseded",
                    "rows_flagged",
                    "rows_rejected",
                    "rows_appended",
                    "rows_online",
                    "table_version",
                )
            },
        ),
        ("What went wrong", {"fields": ("error", json_of("problems"))}),
        ("Log", {"fields": (text_of("log"),)}),
    )

    def view_on_site(self, obj: IngestionRun) -> str | None:
        return page_of("ingestion:run", obj.pk)

    @admin.action(description="Retry what failed", permissions=["run"])
    def retry_selected(self, request: HttpRequest, rows: QuerySet[IngestionRun]) -> None:
        failed = list(
            rows.filter(state__in=(RunState.FAILED, RunState.CANCELLED)).exclude(group__status=Status.ARCHIVED)
        )
        asked = {(run.group_id, run.kind): run for run in failed}
        for run in asked.values():
            request_run(
                group=run.group,
                kind=RunKind(run.kind),
                trigger="retry",
                user=request.user,  # type: ignore[arg-type]  # staff, not a stranger
                wake=wake_worker,
            )
        if asked:
            messages.success(request, f"{len(asked)} run{'' if len(asked) == 1 else 's'} requested again.")
        else:
            messages.warning(request, "None of them failed, or their groups are archived: nothing was requested.")

    @admin.display(description="rows read", ordering="rows_read")
    def read(self, obj: IngestionRun) -> str:
        return format_number(obj.rows_read)

    @admin.display(description="appended", ordering="rows_appended")
    def appended(self, obj: IngestionRun) -> str:
        return format_number(obj.rows_appended)

    @admin.display(description="rejected", ordering="rows_rejected")
    def rejected(self, obj: IngestionRun) -> str:
        return format_number(obj.rows_rejected)

    @admin.display(description="seconds")
    def took(self, obj: IngestionRun) -> str:
        return format_number(obj.seconds)


@admin.register(GroupLease)
class GroupLeaseAdmin(ReadOnlyAdmin):
    """Which run may write a group now."""

    view_capability = Capability.RUN_INGESTION
    list_display = ("group", "held", "holder", "process", "expires_at", "epoch")
    list_select_related = ("group",)
    search_fields = ("group__name", "process")

    @admin.display(boolean=True)
    def held(self, obj: Any) -> bool:
        return bool(obj.is_held(now()))

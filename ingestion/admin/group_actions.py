"""Actions on feature groups that start runs, contributed to the admin of the catalog."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from catalog.admin.groups import FeatureGroupAdmin
from catalog.models import FeatureGroup, Status
from ingestion.admin.links import run_link
from ingestion.models import RunKind
from ingestion.runs import request_run
from ingestion.tasks import wake_worker


@admin.action(description="Ingest now", permissions=["run"])
def ingest_now(_: Any, request: HttpRequest, groups: QuerySet[FeatureGroup]) -> None:
    """Request an ingestion of each group."""
    _request(request, groups, RunKind.INGEST)


@admin.action(description="Validate now", permissions=["run"])
def validate_now(_: Any, request: HttpRequest, groups: QuerySet[FeatureGroup]) -> None:
    """Request a validation of each group."""
    _request(request, groups, RunKind.VALIDATE)


def _request(request: HttpRequest, groups: QuerySet[FeatureGroup], kind: RunKind) -> None:
    archived = [group.name for group in groups if group.status == Status.ARCHIVED]
    if archived:
        messages.error(request, f"Archived groups have no runs: {', '.join(archived)}. Restore them first.")
    runs = [
        request_run(group=group, kind=kind, trigger="admin", user=request.user, wake=wake_worker)  # type: ignore[arg-type]  # staff
        for group in groups
        if group.status != Status.ARCHIVED
    ]
    if runs:
        links = format_html_join(", ", '<a href="{}">{}</a>', ((run_link(run), run.group.name) for run in runs))
        messages.success(request, format_html_join("", "Requested: {} of {}.", [(kind.label, links)]))


FeatureGroupAdmin.add_action(ingest_now)
FeatureGroupAdmin.add_action(validate_now)

"""Actions that move things through their life: deprecate, restore, archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.errors import FeatureStoreError


class ReasonForm(ActionForm):
    """The choice of an action, with the reason that some of them ask for."""

    reason = forms.CharField(
        required=False,
        max_length=400,
        label="Reason:",
        widget=forms.TextInput(attrs={"placeholder": "for Deprecate and Archive", "size": 40}),
    )


def reason_of(request: HttpRequest) -> str:
    """The reason that was written beside the action."""
    return request.POST.get("reason", "").strip()


def each(request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object], *, done: str, noun: str = "") -> int:
    """Call ``verb`` for every row and tell how many were ``done`` and why the others were not; the count."""
    count = 0
    for row in rows:
        try:
            verb(row)
        except FeatureStoreError as error:
            messages.error(request, f"{row}: {error.message}")
        else:
            count += 1
    if count:
        names = noun or str(rows.model._meta.verbose_name if count == 1 else rows.model._meta.verbose_name_plural)
        messages.success(request, f"{count} {names} {done}.")
    return count


def life_actions(
    *,
    deprecate: Callable[[Any, str], object],
    restore: Callable[[Any], object],
    archive: Callable[[Any, str], object],
) -> list[Any]:
    """The three actions, each calling its verb."""

    @admin.action(description="Deprecate (with the reason)", permissions=["edit"])
    def deprecate_selected(_: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(request, rows, lambda row: deprecate(row, reason_of(request)), done="deprecated")

    @admin.action(description="Restore", permissions=["edit"])
    def restore_selected(_: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(request, rows, restore, done="restored")

    @admin.action(description="Archive: no longer ingested or served", permissions=["edit"])
    def archive_selected(_: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
        each(request, rows, lambda row: archive(row, reason_of(request)), done="archived")

    return [deprecate_selected, restore_selected, archive_selected]

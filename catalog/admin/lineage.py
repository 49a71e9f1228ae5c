from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from catalog.admin.audited import AuditedAdmin
from catalog.admin.read_only import ReadOnlyInline
from catalog.models import LineageEdge, LineageNode

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class _Edges(ReadOnlyInline):
    model = LineageEdge
    fields = ("source", "target", "transformation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("source", "target")


class IncomingInline(_Edges):
    fk_name = "target"
    verbose_name_plural = "made from"


class OutgoingInline(_Edges):
    fk_name = "source"
    verbose_name_plural = "goes into"


@admin.register(LineageNode)
class LineageNodeAdmin(AuditedAdmin):
    """Ingestion writes the nodes that it sees; what happens outside the store is added by hand."""

    list_display = ("name", "kind", "feature", "description")
    list_filter = ("kind",)
    list_select_related = ("feature",)
    search_fields = ("name", "description")
    autocomplete_fields = ("feature",)
    inlines: ClassVar = [IncomingInline, OutgoingInline]


@admin.register(LineageEdge)
class LineageEdgeAdmin(AuditedAdmin):
    list_display = ("source", "target", "transformation")
    list_filter = ("source__kind", "target__kind")
    list_select_related = ("source", "target")
    search_fields = ("source__name", "target__name", "transformation")
    autocomplete_fields = ("source", "target")

"""Admin of what the store itself writes: shown, searched and filtered, never added, changed or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from catalog.admin.permissions import CapabilityOptions

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _TabularInline = admin.TabularInline


class ReadOnlyAdmin(CapabilityOptions, _ModelAdmin):
    add_capability = None
    change_capability = None
    delete_capability = None
    list_per_page = 50


class ReadOnlyInline(CapabilityOptions, _TabularInline):
    add_capability = None
    change_capability = None
    delete_capability = None
    extra = 0
    can_delete = False
    show_change_link = True

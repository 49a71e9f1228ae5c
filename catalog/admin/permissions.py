"""Who may do what in the admin: the capabilities of the store, not Django's permissions per model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from catalog.access import Capability, may
from catalog.disclosure import SENSITIVE

if TYPE_CHECKING:
    _Options = admin.options.BaseModelAdmin[Any]
else:
    _Options = admin.options.BaseModelAdmin


class CapabilityOptions(_Options):
    """Each kind of access needs one capability; None means that nobody has it.

    Whoever is staff gets into the admin; what is there to see and do depends on the capabilities of their roles.
    Lists show what :meth:`visible_to` says, where the model has it.
    """

    view_capability: ClassVar[Capability | None] = Capability.SEE_METADATA
    add_capability: ClassVar[Capability | None] = Capability.EDIT_CATALOG
    change_capability: ClassVar[Capability | None] = Capability.EDIT_CATALOG
    delete_capability: ClassVar[Capability | None] = Capability.EDIT_CATALOG

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _allows(request, self.view_capability) or _allows(request, self.change_capability)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _allows(request, self.add_capability)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _allows(request, self.change_capability)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _allows(request, self.delete_capability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_edit_permission(self, request: HttpRequest) -> bool:
        """For actions that say ``permissions=["edit"]``."""
        return _allows(request, Capability.EDIT_CATALOG)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """For actions that say ``permissions=["run"]``."""
        return _allows(request, Capability.RUN_INGESTION)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list is filtered by what it offers. Django lets an address name any field of the model, and so hidden
        values could be guessed, one comparison at a time."""
        offered = {"pk", self.model._meta.pk.name, getattr(self, "date_hierarchy", None), *_filters_of(self, request)}
        named = any(lookup == name or lookup.startswith(f"{name}__") for name in offered if name)
        return named and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        visible_to = getattr(rows, "visible_to", None)
        return rows if visible_to is None else visible_to(request.user)


def fixed_for(request: HttpRequest, sensitivity: str, *fields: str) -> tuple[str, ...]:
    """Those of ``fields`` that only who may read values of that sensitivity edits.

    Otherwise whoever may edit could read every value, by calling it public or unmasking it first.
    """
    closed = sensitivity in SENSITIVE and not may(request.user, Capability.READ_SENSITIVE)
    return fields if closed else ()


def _filters_of(options: Any, request: HttpRequest) -> list[str]:
    """Their fields; a filter is named as text, or with the class that draws it, or is a class without a field."""
    named = (one[0] if isinstance(one, tuple | list) else one for one in options.get_list_filter(request))
    return [name for name in named if isinstance(name, str)]


def _allows(request: HttpRequest, capability: Capability | None) -> bool:
    return capability is not None and may(request.user, capability)

"""People and roles: Django's own admin for them, opened by capability and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from catalog.access import CAPABILITIES, Capability, Role
from catalog.admin.audited import AuditedAdmin
from catalog.audit import record

if TYPE_CHECKING:
    _PasswordForm = AdminPasswordChangeForm[User]
else:
    _PasswordForm = AdminPasswordChangeForm


class AuditedPasswordForm(_PasswordForm):
    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            user = super().save(commit)
            record(action="set password", instance=user)
        return user


class PersonAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]  # both take the model only in the stubs
    """Roles give capabilities; only a superuser makes superusers, or touches them."""

    view_capability = Capability.ADMINISTER
    add_capability = Capability.ADMINISTER
    change_capability = Capability.ADMINISTER
    delete_capability = Capability.ADMINISTER
    unaudited = ("password", "last_login")
    kept_because = "People with tokens or other history are kept: take away “Active” instead."
    change_password_form = AuditedPasswordForm
    list_display = ("username", "email", "shown_roles", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("groups", "is_active", "is_staff", "is_superuser")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Access",
            {
                "fields": ("is_active", "groups", "is_staff", "is_superuser"),
                "description": "Roles say what a person may do, here, on the pages and over the API. "
                "“Staff” opens this administration for it. A superuser may everything.",
            },
        ),
        ("Kept by the store", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        kept = ("last_login", "date_joined")
        return kept if _is_superuser(request.user) else ("is_superuser", *kept)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    @admin.display(description="roles")
    def shown_roles(self, obj: User) -> str:
        return ", ".join(sorted(role.name for role in obj.groups.all()))


class RoleAdmin(AuditedAdmin):
    """The built-in roles give capabilities; other groups only receive grants."""

    view_capability = Capability.ADMINISTER
    add_capability = Capability.ADMINISTER
    change_capability = Capability.ADMINISTER
    delete_capability = Capability.ADMINISTER
    unaudited = ("permissions",)
    list_display = ("name", "people", "capabilities")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("capabilities",)
    fields = ("name", "capabilities")
    kept_because = "It is a built-in role, or something refers to it."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(user_count=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_built_in(obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_built_in(obj)

    @admin.display(ordering="user_count")
    def people(self, obj: Any) -> int:
        return int(obj.user_count)

    @admin.display(description="gives")
    def capabilities(self, obj: Group) -> str:
        given = CAPABILITIES[Role(obj.name)] if _is_built_in(obj) else frozenset()
        return (
            ", ".join(capability.value for capability in Capability if capability in given) or "what is granted to it"
        )


def _is_built_in(obj: models.Model | None) -> bool:
    return isinstance(obj, Group) and obj.name in set(Role)


def _is_superuser(user: object) -> bool:
    return bool(getattr(user, "is_superuser", False))


def _may_touch(request: HttpRequest, obj: models.Model | None) -> bool:
    return _is_superuser(request.user) or not _is_superuser(obj)


admin.site.unregister([User, Group])
admin.site.register(User, PersonAdmin)
admin.site.register(Group, RoleAdmin)

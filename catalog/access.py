"""What a person may do: capabilities, which come with roles (Django groups of the same names)."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Reader = AbstractBaseUser | AnonymousUser


class Capability(StrEnum):
    SEE_METADATA = "see_metadata"
    READ_VALUES = "read_values"
    MANAGE_SERVICES = "manage_services"
    WRITE_JOURNAL = "write_journal"
    RUN_INGESTION = "run_ingestion"
    EDIT_CATALOG = "edit_catalog"
    READ_SENSITIVE = "read_sensitive"
    CERTIFY = "certify"
    ADMINISTER = "administer"


class Role(StrEnum):
    VIEWER = "viewer"
    DATA_SCIENTIST = "data scientist"
    DATA_ENGINEER = "data engineer"
    STEWARD = "steward"
    ADMINISTRATOR = "administrator"


_VIEWER = frozenset({Capability.SEE_METADATA, Capability.READ_VALUES})
_SCIENTIST = _VIEWER | {Capability.MANAGE_SERVICES, Capability.WRITE_JOURNAL}
_ENGINEER = _SCIENTIST | {Capability.RUN_INGESTION, Capability.EDIT_CATALOG}
_STEWARD = _ENGINEER | {Capability.READ_SENSITIVE, Capability.CERTIFY}

CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.VIEWER: _VIEWER,
    Role.DATA_SCIENTIST: _SCIENTIST,
    Role.DATA_ENGINEER: _ENGINEER,
    Role.STEWARD: _STEWARD,
    Role.ADMINISTRATOR: frozenset(Capability),
}


def capabilities_of(user: Reader) -> frozenset[Capability]:
    """All that ``user`` may do.

    Strangers may nothing, or what a viewer may where the configuration turns ``api_authentication`` off.

    The answer is kept on the user object, which lives as long as one request or, for the user of a token, as
    :data:`serving.callers.TRUSTED_SECONDS`.
    """
    known: frozenset[Capability] | None = getattr(user, "_featurestore_capabilities", None)
    if known is None:
        known = _capabilities_of(user)
        user._featurestore_capabilities = known  # type: ignore[union-attr]  # a cache on the request's own object
    return known


def _capabilities_of(user: Reader) -> frozenset[Capability]:
    if not user.is_authenticated:
        return frozenset() if settings.FEATURESTORE.security.api_authentication else _VIEWER
    if not user.is_active:
        return frozenset()
    if getattr(user, "is_superuser", False):
        return frozenset(Capability)
    roles = set(user.groups.values_list("name", flat=True))  # type: ignore[attr-defined]  # a user has groups
    return frozenset().union(*(granted for role, granted in CAPABILITIES.items() if role.value in roles))


def may(user: Reader, capability: Capability) -> bool:
    """Whether ``user`` has ``capability``."""
    return capability in capabilities_of(user)

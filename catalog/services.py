"""Feature services that are made and changed by hand, as those of the API and the admin are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from catalog.access import Reader
from catalog.actor import current_actor
from catalog.audit import record, snapshot
from catalog.declarations import checked_name
from catalog.errors import Conflict, InvalidInput, TooLarge
from catalog.models import FeatureService, FeatureServiceMember, FeatureVersion, Status
from catalog.references import resolve_references
from catalog.wording import gettext as _

MAX_MEMBERS = 1_000


def create_service(
    *, name: str, features: Sequence[str], user: Reader, description: str = "", owner: str = ""
) -> FeatureService:
    """A new service that pins the versions that ``features`` mean now.

    :raises InvalidInput: on a wrong name or reference, or two references with the same values.
    :raises UnknownReference: on a reference that names nothing.
    :raises Conflict: when the name is taken.
    """
    try:
        checked_name(name)
    except ValueError as error:
        raise InvalidInput(str(error), details={"field": "name"}) from error
    versions = _pinned(features, user)
    taken = Conflict(
        _("there is already a feature service %(name)s; PUT changes it") % {"name": name}, details={"service": name}
    )
    if FeatureService.objects.filter(name=name).exists():
        raise taken
    with transaction.atomic():
        service = FeatureService(name=name, description=description, owner=owner, created_by=current_actor().name)
        try:
            with transaction.atomic():
                service.save(force_insert=True)
        except IntegrityError as error:
            raise taken from error
        _set_members(service, versions)
        record(action="create", instance=service, after=_described(service))
    return service


def replace_service(
    *, service: FeatureService, features: Sequence[str], user: Reader, description: str = "", owner: str = ""
) -> FeatureService:
    """The service with these features, description and owner instead of its own.

    :raises Conflict: when the configuration keeps the service.
    :raises InvalidInput, UnknownReference: as :func:`create_service` does.
    """
    versions = _pinned(features, user)
    with transaction.atomic():
        locked = FeatureService.objects.select_for_update().get(pk=service.pk)
        _refuse_declared(locked)
        before = _described(locked)
        locked.description, locked.owner, locked.status = description, owner, Status.ACTIVE
        locked.save()
        locked.members.all().delete()
        _set_members(locked, versions)
        record(action="update", instance=locked, before=before, after=_described(locked))
    return locked


def delete_service(*, service: FeatureService) -> None:
    """Remove the service; the audit keeps what it was.

    :raises Conflict: when the configuration keeps the service.
    """
    with transaction.atomic():
        locked = FeatureService.objects.select_for_update().get(pk=service.pk)
        _refuse_declared(locked)
        record(action="delete", instance=locked, before=_described(locked))
        locked.delete()


def _refuse_declared(service: FeatureService) -> None:
    if service.declared:
        raise Conflict(
            _("the configuration keeps the feature service %(name)s; change it there and apply")
            % {"name": service.name},
            details={"service": service.name},
        )


def _pinned(features: Sequence[str], user: Reader) -> list[FeatureVersion]:
    if len(features) > MAX_MEMBERS:
        raise TooLarge(
            _("%(count)s features, and a service has at most %(max_members)s")
            % {"count": len(features), "max_members": MAX_MEMBERS},
            details={},
        )
    seen: dict[tuple[int, int], str] = {}
    versions = []
    for item in resolve_references(features, user=user):
        version = item.version
        column = (version.feature_id, version.major)
        if column in seen:
            raise InvalidInput(
                _("%(reference)s and %(seen)s are the same values; keep one")
                % {"reference": item.reference, "seen": seen[column]},
                details={"references": [seen[column], item.reference]},
            )
        if Status.ARCHIVED in (version.status, version.feature.status, version.feature.group.status):
            raise InvalidInput(
                _("%(reference)s is archived and no longer served") % {"reference": item.reference},
                details={"reference": item.reference},
            )
        seen[column] = item.reference
        versions.append(version)
    return versions


def _set_members(service: FeatureService, versions: Sequence[FeatureVersion]) -> None:
    for position, version in enumerate(versions):
        FeatureServiceMember.objects.create(service=service, version=version, position=position)


def _described(service: FeatureService) -> dict[str, Any]:
    members = service.members.select_related("version__feature__entity")
    return {**snapshot(service), "members": [f"{item.version.public_id} {item.version.number}" for item in members]}

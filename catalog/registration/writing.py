"""Carries out a plan. Call it in the transaction in which the plan was made; each change leaves its audit event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.actor import current_actor
from catalog.audit import record, snapshot
from catalog.models import (
    Entity,
    Feature,
    FeatureGroup,
    FeatureService,
    FeatureServiceMember,
    FeatureVersion,
    Status,
    Tag,
)
from catalog.registration.changes import Change, ChangeKind, Plan
from catalog.registration.comparison import REMOVED, Archiving, EntityWrite, FeatureWrite, GroupWrite
from catalog.registration.evolution import NewVersion
from catalog.registration.pins import ServiceWrite

NOTE_LENGTH = 500


def write_plan(plan: Plan) -> None:
    """Write every change of ``plan``, in its order."""
    for change in plan.changed:
        _write(change)


def _write(change: Change) -> None:
    match change.write:
        case EntityWrite():
            _write_entity(change.write)
        case GroupWrite():
            _write_group(change.write)
        case FeatureWrite():
            _write_feature(change.write)
        case Archiving():
            _archive(change.write, change.note)
        case ServiceWrite():
            _write_service(change.write)
        case _:
            if change.kind is not ChangeKind.DEPRECATED:
                raise ValueError(f"{change.object_type} {change.name}: nothing says how to write {change.kind}")
            _deprecate(change)


def _write_entity(write: EntityWrite) -> None:
    entity = Entity.objects.filter(name=write.name).first()
    values = {
        "join_keys": list(write.entity.join_keys),
        "description": write.entity.description or (entity.description if entity else ""),
    }
    if entity is None:
        entity = Entity.objects.create(name=write.name, **values)
        record(action="create", instance=entity, after=snapshot(entity))
        return
    before = snapshot(entity, values)
    _set(entity, values)
    record(action="update", instance=entity, before=before, after=snapshot(entity, values))


def _write_group(write: GroupWrite) -> None:
    values = {name: value for name, value in write.group.fields.items() if name != "tags"}
    group = FeatureGroup.objects.filter(name=write.group.name).first()
    is_new = group is None
    if group is None:
        group = FeatureGroup(
            name=write.group.name,
            entity=Entity.objects.get(name=write.group.entity),
            created_by=current_actor().name,
        )
    before = _described(group, is_new)
    if write.restore:
        values["status"] = Status.ACTIVE
    _set(group, {**values, "declared": write.keep})
    _set_tags(group, write.group.fields["tags"])
    _record(group, before, restored=write.restore)


def _write_feature(write: FeatureWrite) -> None:
    wanted = write.feature
    values = {name: value for name, value in wanted.fields.items() if name != "tags"}
    feature = Feature.objects.filter(entity__name=wanted.entity, name=wanted.name).first()
    is_new = feature is None
    if feature is None:
        group = FeatureGroup.objects.get(name=wanted.group)
        feature = Feature(name=wanted.name, group=group, entity_id=group.entity_id, created_by=current_actor().name)
    before = _described(feature, is_new)
    if write.restore:
        values |= {"status": Status.ACTIVE, "status_reason": "", "replacement": None}
    _set(feature, {**values, "declared": write.keep})
    _set_tags(feature, wanted.fields["tags"])
    if write.version is not None:
        version = _add_version(feature, write.version)
        if write.default is not None:
            _set(feature, {"default_version": version})
    _record(feature, before, restored=write.restore)


def _add_version(feature: Feature, new: NewVersion) -> FeatureVersion:
    """Make ``new`` the current minor of its major; the older minors stay as they were defined."""
    major, minor = new.number
    for older in feature.versions.filter(major=major, is_current=True):
        before = snapshot(older, ["is_current"])
        _set(older, {"is_current": False})
        record(action="supersede", instance=older, before=before, after=snapshot(older, ["is_current"]))
    note = "; ".join(str(detail) for detail in new.details)
    version = FeatureVersion.objects.create(
        feature=feature,
        major=major,
        minor=minor,
        description=feature.description,
        declared_number=new.declared,
        change_note=note if len(note) <= NOTE_LENGTH else note[: NOTE_LENGTH - 1] + "…",
        created_by=current_actor().name,
        **new.definition,
    )
    record(action="create", instance=version, after=snapshot(version))
    return version


def _archive(write: Archiving, reason: str) -> None:
    version = FeatureVersion.objects.select_related("feature").get(
        feature__entity__name=write.entity,
        feature__name=write.feature,
        major=write.number[0],
        minor=write.number[1],
    )
    before = snapshot(version, ["status"])
    _set(version, {"status": Status.ARCHIVED})
    record(action="archive", instance=version, before=before, after={"status": version.status, "reason": reason})


def _write_service(write: ServiceWrite) -> None:
    service = FeatureService.objects.filter(name=write.name).first()
    is_new = service is None
    if service is None:
        service = FeatureService(name=write.name, created_by=current_actor().name)
    before = None if is_new else {**snapshot(service), "members": _members(service)}
    values: dict[str, Any] = {"description": write.description, "owner": write.owner, "declared": write.keep}
    if write.restore:
        values["status"] = Status.ACTIVE
    _set(service, values)
    service.members.all().delete()
    for position, (entity, name, (major, minor)) in enumerate(write.members):
        version = FeatureVersion.objects.select_related("feature").get(
            feature__entity__name=entity, feature__name=name, major=major, minor=minor
        )
        FeatureServiceMember.objects.create(service=service, version=version, position=position)
    after = {**snapshot(service), "members": _members(service)}
    _record_both(service, before, after, restored=write.restore)


def _members(service: FeatureService) -> list[str]:
    members = service.members.select_related("version__feature__entity")
    return [f"{member.version.public_id} {member.version.number}" for member in members]


def _deprecate(change: Change) -> None:
    """Mark what is no longer declared; it is from now on no more the configuration's."""
    instance: FeatureGroup | Feature | FeatureService
    values: dict[str, Any] = {"status": Status.DEPRECATED, "declared": False}
    if change.object_type == "group":
        instance = FeatureGroup.objects.get(name=change.name)
    elif change.object_type == "service":
        instance = FeatureService.objects.get(name=change.name)
    else:
        group, _, name = change.name.partition(":")
        instance = Feature.objects.get(group__name=group, name=name)
        values["status_reason"] = REMOVED
    before = snapshot(instance)
    _set(instance, values)
    record(action="deprecate", instance=instance, before=before, after={**snapshot(instance), "reason": REMOVED})


def _set(instance: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)
    instance.save()


def _set_tags(instance: FeatureGroup | Feature, names: Iterable[str]) -> None:
    instance.tags.set([Tag.objects.get_or_create(name=name)[0] for name in names])


def _described(instance: FeatureGroup | Feature, is_new: bool) -> dict[str, Any] | None:
    return None if is_new else {**snapshot(instance), "tags": _tag_names(instance)}


def _tag_names(instance: FeatureGroup | Feature) -> list[str]:
    return sorted(instance.tags.values_list("name", flat=True))


def _record(instance: FeatureGroup | Feature, before: dict[str, Any] | None, *, restored: bool) -> None:
    _record_both(instance, before, {**snapshot(instance), "tags": _tag_names(instance)}, restored=restored)


def _record_both(
    instance: FeatureGroup | Feature | FeatureService,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    *,
    restored: bool,
) -> None:
    action = "create" if before is None else "restore" if restored else "update"
    record(action=action, instance=instance, before=before, after=after)

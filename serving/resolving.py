"""From what a reader names to the versions that are read, resolved once and kept while the catalog stays the same."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.access import Reader, capabilities_of
from catalog.errors import InvalidInput, TooLarge, UnknownReference
from catalog.generation import KeptWhileUnchanged
from catalog.models import Status
from catalog.references import ResolvedFeature, resolve_references, resolve_service
from catalog.wording import gettext as _
from serving.entity_rows import EntityShape
from serving.key_map import KeyMap

MAX_FEATURES = 1_000

Resolved = tuple[ResolvedFeature, ...]


def resolve_for_reading(
    *, user: Reader, features: object = None, service: object = None, key_map: KeyMap | None = None
) -> Resolved:
    """The versions to read, in order, from feature references or from the name of a feature service.

    With a key map references may be written under its aliases, and keep them.

    :raises InvalidInput: unless exactly one of the two is given, in its form.
    :raises TooLarge: on more than :data:`MAX_FEATURES`.
    :raises UnknownReference: when a reference names nothing, or something archived.
    :raises NotFound: when there is no such service.
    """
    references, service_name = asked_for(features, service)
    if service_name is not None:
        return _resolutions.get(
            ((), service_name, capabilities_of(user)), lambda: _served(resolve_service(service_name, user=user))
        )
    if key_map is None:
        return _resolved(references, user)
    return _under_aliases(references, key_map, user)


def asked_for(features: object, service: object) -> tuple[tuple[str, ...], str | None]:
    """The feature references of a request, or none and the name of its feature service.

    :raises InvalidInput: unless exactly one of the two is given, in its form.
    :raises TooLarge: on more than :data:`MAX_FEATURES`.
    """
    if (features is None) == (service is None):
        raise InvalidInput(_("name the features or a feature service, one of the two"), details={"field": "features"})
    if service is None:
        return _references(features), None
    if not isinstance(service, str) or not service or "\0" in service:
        raise InvalidInput(_("service is the name of a feature service, a text"), details={"field": "service"})
    return (), service


def entity_shapes(resolved: Sequence[ResolvedFeature]) -> tuple[EntityShape, ...]:
    """The entities that the features belong to, each once."""
    entities = {item.version.feature.entity_id: item.version.feature.entity for item in resolved}
    return tuple(EntityShape(name=entity.name, join_keys=tuple(entity.join_keys)) for entity in entities.values())


def _resolved(references: tuple[str, ...], user: Reader) -> Resolved:
    return _resolutions.get(
        (references, None, capabilities_of(user)), lambda: _served(resolve_references(references, user=user))
    )


def _under_aliases(references: tuple[str, ...], key_map: KeyMap, user: Reader) -> Resolved:
    twice = [reference for reference in dict.fromkeys(references) if references.count(reference) > 1]
    if twice:
        raise InvalidInput(_("%(twice)s is asked for twice") % {"twice": twice[0]}, details={"reference": twice[0]})
    for reference in references:
        key_map.refuse_unknown_alias(reference)
    plain = [key_map.parts_of(reference)[1] for reference in references]
    distinct = tuple(dict.fromkeys(plain))
    versions = {item.reference: item.version for item in _resolved(distinct, user)}
    return tuple(
        ResolvedFeature(reference=reference, version=versions[name])
        for reference, name in zip(references, plain, strict=True)
    )


def _references(features: object) -> tuple[str, ...]:
    if not isinstance(features, Sequence) or isinstance(features, str):
        raise InvalidInput(
            _('features is a list of feature references, such as ["balance_mean"]'), details={"field": "features"}
        )
    if len(features) > MAX_FEATURES:
        raise TooLarge(
            _("%(count)s features are asked for and one request takes %(max_features)s; split it")
            % {"count": len(features), "max_features": MAX_FEATURES},
            details={"features": len(features), "limit": MAX_FEATURES},
        )
    for position, text in enumerate(features):
        if not isinstance(text, str) or "\0" in text:
            raise InvalidInput(
                _("features[%(position)s] is %(text)r; a feature reference is a text such as balance_mean")
                % {"position": position, "text": text},
                details={"field": f"features[{position}]"},
            )
    return tuple(features)


def _served(resolved: Sequence[ResolvedFeature]) -> Resolved:
    for item in resolved:
        version = item.version
        states = (version.status, version.feature.status, version.feature.group.status)
        if Status.ARCHIVED in states:
            raise UnknownReference(
                _("%(reference)s is archived and its values are no longer served") % {"reference": item.reference},
                details={"reference": item.reference, "nearest": []},
            )
    return tuple(resolved)


_resolutions: KeptWhileUnchanged[Resolved] = KeptWhileUnchanged()

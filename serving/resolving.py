"""From what a reader names to the versions that are read, resolved once and kept while the catalog stays the same."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime

from django.conf import settings

from catalog.access import Reader, capabilities_of
from catalog.errors import InvalidInput, TooLarge, UnknownReference
from catalog.models import AuditEvent, Status
from catalog.references import ResolvedFeature, resolve_references, resolve_service
from serving.key_map import KeyMap

MAX_FEATURES = 1_000

Resolved = tuple[ResolvedFeature, ...]
_State = tuple[int, datetime]


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
    if (features is None) == (service is None):
        raise InvalidInput("name the features or a feature service, one of the two", details={"field": "features"})
    if service is not None:
        if not isinstance(service, str) or not service or "\0" in service:
            raise InvalidInput("service is the name of a feature service, a text", details={"field": "service"})
        return _plans.get((service, capabilities_of(user)), lambda: _served(resolve_service(service, user=user)))
    references = _references(features)
    if key_map is None:
        return _resolved(references, user)
    return _under_aliases(references, key_map, user)


def _resolved(references: tuple[str, ...], user: Reader) -> Resolved:
    return _plans.get((references, capabilities_of(user)), lambda: _served(resolve_references(references, user=user)))


def _under_aliases(references: tuple[str, ...], key_map: KeyMap, user: Reader) -> Resolved:
    twice = [reference for reference in dict.fromkeys(references) if references.count(reference) > 1]
    if twice:
        raise InvalidInput(f"{twice[0]} is asked for twice", details={"reference": twice[0]})
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
            'features is a list of feature references, such as ["balance_mean"]', details={"field": "features"}
        )
    if len(features) > MAX_FEATURES:
        raise TooLarge(
            f"{len(features)} features are asked for and one request takes {MAX_FEATURES}; split it",
            details={"features": len(features), "limit": MAX_FEATURES},
        )
    for position, text in enumerate(features):
        if not isinstance(text, str) or "\0" in text:
            raise InvalidInput(
                f"features[{position}] is {text!r}; a feature reference is a text such as balance_mean",
                details={"field": f"features[{position}]"},
            )
    return tuple(features)


def _served(resolved: Sequence[ResolvedFeature]) -> Resolved:
    for item in resolved:
        version = item.version
        states = (version.status, version.feature.status, version.feature.group.status)
        if Status.ARCHIVED in states:
            raise UnknownReference(
                f"{item.reference} is archived and its values are no longer served",
                details={"reference": item.reference, "nearest": []},
            )
    return tuple(resolved)


class _Plans:
    """Resolved requests, valid while the newest audit event is the same.

    Every modification of the catalog writes an audit event in its own transaction, so one indexed query tells
    whether anything changed. Transactions that overlap may commit in another order than their events are
    numbered, so an entry is looked at again after a few seconds in any case.
    """

    _SECONDS = 5.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._entries: OrderedDict[Hashable, tuple[float, Resolved]] = OrderedDict()

    def get(self, key: Hashable, resolve: Callable[[], Resolved]) -> Resolved:
        room = settings.FEATURESTORE.serving.max_cache_size if settings.FEATURESTORE.performance.query_caching else 0
        state = _newest_event() if room else None
        if state is None:
            return resolve()
        moment = time.monotonic()
        with self._lock:
            if self._state != state:
                self._entries.clear()
                self._state = state
            known = self._entries.get(key)
        if known is not None and moment - known[0] < self._SECONDS:
            return known[1]
        resolved = resolve()
        with self._lock:
            if self._state == state:
                self._entries[key] = (moment, resolved)
                self._entries.move_to_end(key)
                while len(self._entries) > room:
                    self._entries.popitem(last=False)
        return resolved


def _newest_event() -> _State | None:
    return AuditEvent.objects.order_by("-id").values_list("id", "at").first()


_plans = _Plans()

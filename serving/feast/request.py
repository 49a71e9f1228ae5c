"""What a client of Feast asks for (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class FeastRequest:
    """Feature references or the name of a feature service, one of the two; and columns of join key values by name."""

    features: object
    service: str | None
    entities: Mapping[str, object]
    full_names: bool
    with_groups: bool


def read_feast_request(body: Mapping[str, object]) -> FeastRequest:
    """The parts of a body. As in Feast, fields that are not known are left alone, and a service counts before features.

    :raises InvalidInput: naming the field that has another form.
    """
    service = body.get("feature_service")
    if service is not None and not isinstance(service, str):
        raise InvalidInput("feature_service is the name of a feature service, a text", details={"field": "service"})
    entities = body.get("entities")
    if not isinstance(entities, Mapping):
        raise InvalidInput(
            'entities is an object of join keys and their values, such as {"customer_id": [15634602]}',
            details={"field": "entities"},
        )
    return FeastRequest(
        features=None if service else body.get("features") or [],
        service=service or None,
        entities=entities,
        full_names=_flag(body, "full_feature_names"),
        with_groups=_flag(body, "include_feature_view_version_metadata"),
    )


def _flag(body: Mapping[str, object], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"{name} is true or false", details={"field": name})
    return bool(value)

"""Why a value is what it is, as the client returns it, and the call that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feature_store_client import reading
from feature_store_client.connected import Connected
from feature_store_client.errors import InvalidRequestError
from feature_store_client.instants import Instant, instant_on_the_wire
from feature_store_client.requesting import entity_of, path_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """One value row of the entity; ``rule`` says why it does not answer, None for the one that does."""

    value: Any
    event_timestamp: datetime | None
    created_timestamp: datetime | None
    run_id: str
    rule: str | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ExplainedRow:
        return cls(
            value=reading.required(body, "value"),
            event_timestamp=reading.instant(body, "event_timestamp"),
            created_timestamp=reading.instant(body, "created_timestamp"),
            run_id=str(reading.required(body, "run_id")),
            rule=reading.text(body, "rule"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The value of one feature for one entity at one instant, the row that answers and those that it beat.

    ``beaten`` holds the hundred rows nearest to answering of ``beaten_count``; ``details`` is the whole answer.
    """

    entity_id: Any
    feature: str
    feature_id: str
    version: str
    at: datetime | None
    value: Any
    status: str
    masked: bool
    table_version: int | None
    winner: ExplainedRow | None
    beaten: tuple[ExplainedRow, ...]
    beaten_count: int
    details: dict[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, body: Mapping[str, Any], *, entity_id: Any) -> Explanation:
        winner = reading.mapping(body, "winner")
        return cls(
            entity_id=entity_id,
            feature=str(reading.required(body, "feature")),
            feature_id=str(reading.required(body, "feature_id")),
            version=str(reading.required(body, "version")),
            at=reading.instant(body, "at"),
            value=reading.required(body, "value"),
            status=str(reading.required(body, "status")),
            masked=bool(reading.required(body, "masked")),
            table_version=body.get("table_version"),
            winner=ExplainedRow.from_json(winner) if winner else None,
            beaten=tuple(ExplainedRow.from_json(row) for row in reading.objects(body, "beaten")),
            beaten_count=int(reading.required(body, "beaten_count")),
            details=dict(body),
        )


class ExplainingCalls(Connected):
    """Asking why a value is what it is."""

    def explain(
        self,
        name: str,
        entity_id: Any = None,
        *,
        at: Instant | None = None,
        as_known_at: Instant | None = None,
        version: str | int | None = None,
        **join_keys: Any,
    ) -> Explanation:
        """Why the entity, named by its id or by its join keys, has the value of this feature that it has.

        ``at`` is the time asked for, now by default; with ``as_known_at`` only what the store had learned by then
        counts. A bare date is the end of that day.

        :raises FeatureNotFoundError: no such feature; the message has the nearest names.
        """
        _, asked_by = entity_of(entity_id, join_keys)
        segment = path_segment(name)
        if segment is None:
            raise InvalidRequestError(f"{name!r} is no feature reference")
        params = {key: str(value) for key, value in join_keys.items()}
        if at is not None:
            params["at"] = instant_on_the_wire(at, zone=self._zone, name="at", as_end=True)
        if as_known_at is not None:
            params["as_known_at"] = instant_on_the_wire(as_known_at, zone=self._zone, name="as_known_at", as_end=True)
        if version is not None:
            params["version"] = str(version)
        path = f"features/{segment}/explain"
        if not join_keys:
            entity_segment = path_segment(str(entity_id))
            if entity_segment is None:
                raise InvalidRequestError(f"{entity_id!r} cannot stand in an address; name the entity by its join keys")
            path = f"features/{segment}/entity/{entity_segment}/explain"
        return Explanation.from_json(self._transport.get_json(path, params=params), entity_id=asked_by)

"""The calls that read values: one, a vector, many vectors, and the history for training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, overload

import pandas as pd

from feature_store_client import frames, reading
from feature_store_client.connected import Connected
from feature_store_client.errors import EntityNotFoundError, InvalidRequestError, UnexpectedResponseError
from feature_store_client.http import encode_json, json_object
from feature_store_client.instants import (
    Instant,
    RangeLike,
    instant_on_the_wire,
    range_on_the_wire,
    zone_named,
)
from feature_store_client.requesting import (
    entities_of,
    entity_of,
    one_or_many,
    path_segment,
    reference,
    selection,
)
from feature_store_client.results import FeatureStatus, FeatureValue, FeatureVector


class ServingCalls(Connected):
    """Reading values, online and historical."""

    def get_feature(
        self, name: str, entity_id: Any = None, *, version: str | int | None = None, **join_keys: Any
    ) -> FeatureValue:
        """The latest value of one feature for one entity, named by its id or by its join keys.

        ``name`` is a feature reference, ``version`` another way to write its ``@version``. The entity id is sent
        and given back as it is: ``7`` and ``"007"`` are two entities.

        :raises FeatureNotFoundError: no such feature; the message has the nearest names.
        :raises EntityNotFoundError: the feature has no value row for the entity.
        """
        body, asked_by = entity_of(entity_id, join_keys)
        feature_segment = path_segment(name)
        entity_segment = None if join_keys else path_segment(str(entity_id))
        if feature_segment is None or entity_segment is None:
            return self._value_by_batch(reference(name, version), body=body, asked_by=asked_by)
        answer = self._transport.get_json(
            f"features/{feature_segment}/entity/{entity_segment}",
            params=None if version is None else {"version": str(version)},
        )
        return FeatureValue.from_json(answer, entity_id=asked_by)

    @overload
    def get_features(
        self,
        *,
        entity_ids: Iterable[Any],
        feature_names: str | Sequence[str] | None = None,
        service: str | None = None,
        include_metadata: bool = False,
    ) -> list[FeatureVector]: ...

    @overload
    def get_features(
        self,
        *,
        entities: Iterable[Mapping[str, Any]],
        feature_names: str | Sequence[str] | None = None,
        service: str | None = None,
        include_metadata: bool = False,
    ) -> list[FeatureVector]: ...

    @overload
    def get_features(
        self,
        entity_id: Any = None,
        *,
        feature_names: str | Sequence[str] | None = None,
        service: str | None = None,
        include_metadata: bool = False,
        **join_keys: Any,
    ) -> FeatureVector: ...

    def get_features(
        self,
        entity_id: Any = None,
        *,
        entity_ids: Iterable[Any] | None = None,
        entities: Iterable[Mapping[str, Any]] | None = None,
        feature_names: str | Sequence[str] | None = None,
        service: str | None = None,
        include_metadata: bool = False,
        **join_keys: Any,
    ) -> FeatureVector | list[FeatureVector]:
        """The latest values of several features, or of a feature service.

        For one entity (``entity_id`` or join keys) a vector; for several (``entity_ids``, or ``entities`` as
        mappings of join keys) a list of vectors in their order. An entity without values gives a vector of None.
        """
        chosen = selection(features=feature_names, service=service) | {"include_metadata": include_metadata}
        if entity_ids is None and entities is None:
            body, asked_by = entity_of(entity_id, join_keys)
            answer = self._transport.post_json("features/batch", body | chosen, idempotent=True)
            return FeatureVector.from_json(answer, asked_by=asked_by)
        if entity_id is not None or join_keys:
            raise InvalidRequestError("give one entity or several, not both")
        body, asked = entities_of(entity_ids=entity_ids, entities=entities)
        if not asked:
            return []
        answer = self._transport.post_json("features/batch", body | chosen, idempotent=True)
        results = reading.objects(answer, "results")
        if len(results) != len(asked):
            raise UnexpectedResponseError(f"{len(asked)} entities were asked for, {len(results)} came back")
        return [
            FeatureVector.from_json(result, asked_by=asked_by) for result, asked_by in zip(results, asked, strict=True)
        ]

    def get_historical_features(
        self,
        entity_df: frames.EntityRows,
        features: str | Sequence[str] | None = None,
        *,
        service: str | None = None,
        timestamp_range: RangeLike | None = None,
        as_known_at: Instant | Literal["event_time"] | None = None,
        key_map: Mapping[str, Mapping[str, str]] | None = None,
        timezone: str | None = None,
        timeout: float | None = None,
    ) -> pd.DataFrame:
        """The values that were true at the time of each entity row: a training set without leakage.

        ``entity_df`` (pandas frame, pyarrow table or list of dicts) has ``entity_id`` or the join keys, perhaps
        ``event_timestamp``, and whatever else. Rows without a timestamp are taken as of the end of
        ``timestamp_range``, or now. The answer is a copy of it, with its index, order, columns and types, and
        one column more per feature: integers as Int64, booleans as boolean, timestamps in UTC.

        Times without a zone, in any column or in ``timestamp_range`` and ``as_known_at``, are taken in
        ``timezone``, by default that of the client, by default UTC. A bare date as ``event_timestamp`` is the first
        moment of the day; as ``end`` or ``as_known_at`` it is the last.

        :param timestamp_range: limits the value rows by event timestamp, both ends included: a mapping with
            ``start`` and ``end``, a pair, or an object with both; either may be None.
        :param as_known_at: only what the store had learned by then counts; with ``event_time`` by the time of each
            entity row.
        :param key_map: by entity, or by an alias of your choice, the column of ``entity_df`` that holds each join
            key. Features are asked for under an alias as ``alias.reference`` and their columns are named so, which
            gives one entity several times: ``{"origin": {"airport_id": "origin"}}`` and ``origin.delay_mean``.
        :param timeout: seconds for this call instead of the client's; large retrievals take longer than lookups.
        :raises InvalidRequestError: a column that cannot be sent, or an answer of 400.
        :raises RequestTooLargeError: more rows than the server takes at once.
        """
        zone = self._zone if timezone is None else zone_named(timezone)
        params: dict[str, str] = {
            key: value if isinstance(value, str) else ",".join(value)
            for key, value in selection(features=features, service=service).items()
        }
        if timestamp_range is not None:
            params |= range_on_the_wire(timestamp_range, zone=zone)
        if key_map:
            params["key_map"] = encode_json(key_map).decode()
        if as_known_at == "event_time":
            params["as_known_at"] = "event_time"
        elif as_known_at is not None:
            params["as_known_at"] = instant_on_the_wire(as_known_at, zone=zone, name="as_known_at", as_end=True)
        rows = frames.tabular(entity_df)
        frames.refuse_columns_named(one_or_many(features), rows=rows)
        response = self._transport.send(
            "POST",
            "features/historical",
            params=params,
            body=frames.table_to_stream(frames.entity_table(rows, zone=zone)),
            content_type=frames.ARROW_STREAM_TYPE,
            accept=frames.ARROW_STREAM_TYPE,
            idempotent=True,
            timeout=timeout,
        )
        if not response.headers.get("Content-Type", "").startswith(frames.ARROW_STREAM_TYPE):
            json_object(response)
            raise UnexpectedResponseError(f"{response.url} answered JSON where an Arrow stream was expected")
        return frames.with_features(frames.entity_frame(rows), frames.stream_to_table(response.content))

    def _value_by_batch(self, name: str, *, body: Mapping[str, Any], asked_by: Any) -> FeatureValue:
        """One value by the batch call, whose body takes what a URL path cannot: join keys, slashes, dots."""
        answer = self._transport.post_json(
            "features/batch", {**body, "features": [name], "include_metadata": True}, idempotent=True
        )
        vector = FeatureVector.from_json(answer, asked_by=asked_by)
        if name not in vector.features or name not in vector.metadata:
            raise UnexpectedResponseError(f"the answer has no value and metadata of {name}")
        known = vector.metadata[name]
        if known.status == FeatureStatus.NOT_FOUND:
            raise EntityNotFoundError(f"{name} has no value for {asked_by!r}", details={"feature": name})
        return FeatureValue(
            entity_id=asked_by,
            feature=name.rpartition(":")[2].partition("@")[0],
            feature_id=known.feature_id,
            version=known.version,
            value=vector.features[name],
            status=known.status,
            event_timestamp=known.event_timestamp,
            created_timestamp=known.created_timestamp,
        )

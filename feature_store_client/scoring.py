"""The call of batch scorers: the latest values of many entities as one frame, by Arrow and in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from feature_store_client import frames
from feature_store_client.connected import Connected
from feature_store_client.errors import InvalidRequestError, UnexpectedResponseError
from feature_store_client.http import JSON_TYPE, encode_json, json_object
from feature_store_client.requesting import entities_of, one_or_many, selection

# What the server takes in one request.
_MOST_ENTITIES = 10_000
_MOST_VALUES = 1_000_000
_MOST_FEATURES = 1_000
_ENTITY_ID = "entity_id"


class ScoringCalls(Connected):
    """Reading the latest values of many entities."""

    def get_features_frame(
        self,
        entity_ids: Iterable[Any] | None = None,
        *,
        entities: frames.EntityRows | None = None,
        feature_names: str | Sequence[str] | None = None,
        service: str | None = None,
        include_metadata: bool = False,
        timeout: float | None = None,
    ) -> pd.DataFrame:
        """The latest values of any number of entities as a frame: a row per entity in their order, what names them
        first, then a column per feature reference. Integers are Int64, booleans boolean, timestamps in UTC.

        ``entity_ids`` are given back as ``entity_id``; those of a pandas series keep its index and type.
        ``entities`` name the entities by their join keys: mappings, a pandas frame or a pyarrow table. Of a frame or
        table with a column ``entity_id`` that one names the entity and the others are only carried along. What was
        given is never converted: index, order, columns and types of a frame stay as they are.

        More than 10,000 entities, or 1,000,000 values, are asked for in several requests, one after the other; each
        tells what is newest when it is answered.

        :param include_metadata: put ``{reference}__status`` and ``{reference}__event_timestamp`` behind each feature.
        :param timeout: seconds for each request instead of the client's.
        :raises InvalidRequestError: a column that has the name of a feature of the answer, or an answer of 400.
        """
        chosen = selection(features=feature_names, service=service)
        named = one_or_many(feature_names)
        frame, field, asked = _entities(entity_ids, entities)
        if not asked:
            return frame.assign(**{name: pd.Series(index=frame.index, dtype="object") for name in named})
        parts: list[pa.Table] = []
        done, width = 0, len(named) or _MOST_FEATURES
        while done < len(asked):
            some = asked[done : done + max(1, min(_MOST_ENTITIES, _MOST_VALUES // width))]
            answer = self._features_table(
                {field: some, **chosen, "include_metadata": include_metadata}, rows=len(some), timeout=timeout
            )
            # An entity with one join key comes back by its id, however it was named.
            keys = {_ENTITY_ID, *(some[0] if field == "entities" else ())}
            parts.append(answer.select([name for name in answer.column_names if name not in keys]))
            done += len(some)
            width = max(1, parts[0].num_columns // (3 if include_metadata else 1))
        try:
            features = pa.concat_tables(parts)
        except pa.ArrowInvalid as error:
            raise UnexpectedResponseError(f"a feature changed its type between two answers: {error}") from error
        return frames.beside(frame, features, called="entities")

    def _features_table(self, body: Mapping[str, Any], *, rows: int, timeout: float | None) -> pa.Table:
        response = self._transport.send(
            "POST",
            "features/batch",
            body=encode_json(body),
            content_type=JSON_TYPE,
            accept=frames.ARROW_STREAM_TYPE,
            idempotent=True,
            timeout=timeout,
        )
        if not response.headers.get("Content-Type", "").startswith(frames.ARROW_STREAM_TYPE):
            json_object(response)
            raise UnexpectedResponseError(f"{response.url} answered JSON where an Arrow stream was expected")
        table = frames.stream_to_table(response.content)
        if table.num_rows != rows:
            raise UnexpectedResponseError(f"{rows} entities were asked for, {table.num_rows} came back")
        return table


def _entities(
    entity_ids: Iterable[Any] | None, entities: frames.EntityRows | None
) -> tuple[pd.DataFrame, str, list[Any]]:
    """The frame that the features are set beside, and the entities as a request has them: the field and its list."""
    if isinstance(entities, pd.DataFrame | pa.Table):
        if entity_ids is not None:
            raise InvalidRequestError("give entity_ids or entities, one of the two")
        frame = frames.entity_frame(entities)
        if _ENTITY_ID in frame.columns:
            return frame, "entity_ids", frame[_ENTITY_ID].tolist()
        return frame, "entities", frame.to_dict("records")
    if entities is None and isinstance(entity_ids, pd.Series):
        return entity_ids.to_frame(_ENTITY_ID), "entity_ids", entity_ids.tolist()
    [field], asked = entities_of(entity_ids=entity_ids, entities=entities)
    columns = {_ENTITY_ID: asked}
    if field == "entities":
        names = list(dict.fromkeys(name for entity in asked for name in entity))
        columns = {name: [entity.get(name) for entity in asked] for name in names}
    return pd.DataFrame({name: frames.column_of_values(values) for name, values in columns.items()}), field, asked

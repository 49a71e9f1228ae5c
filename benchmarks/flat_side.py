"""The bare engines straight on the flat Parquet files, and the floor: only reading the columns needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.history_data import group_name
from benchmarks.measured import ROW, Work, asked_work, measure

# Both times in one whole number, so that of equal event timestamps the later created one wins.
_HIGH = 2**63


def reading(work: Work, _: pa.Table) -> pa.Table:
    """The columns that the join needs, of all groups, without a join."""
    tables = [
        pq.read_table(_file(work, group), columns=["entity_id", "event_timestamp", *names])
        for group, names in work.groups.items()
    ]
    return tables[0]


def duckdb_at_once(work: Work, entities: pa.Table) -> pa.Table:
    """One query with an ASOF join per group."""
    joins = [
        f"ASOF LEFT JOIN {_source(work, group, names, tie=False)} g{group} "
        f"ON e.entity_id = g{group}.entity_id AND {_condition(f'g{group}', tie=False)}"
        for group, names in work.groups.items()
    ]
    with _connection() as connection:
        connection.register("entity_rows", entities)
        return connection.sql(
            f"SELECT e.{ROW}, {', '.join(work.features)} FROM entity_rows e {' '.join(joins)}"
        ).to_arrow_table()


def duckdb_by_group(work: Work, entities: pa.Table, *, tie: bool = False) -> pa.Table:
    """One query per group, their columns put side by side in the order of the entity rows."""
    answer = entities
    with _connection() as connection:
        connection.register("entity_rows", entities)
        for group, names in work.groups.items():
            found = connection.sql(
                f"SELECT {', '.join(names)} FROM {_entities(tie=tie)} e "
                f"ASOF LEFT JOIN {_source(work, group, names, tie=tie)} h "
                f"ON e.entity_id = h.entity_id AND {_condition('h', tie=tie)} ORDER BY e.{ROW}"
            ).to_arrow_table()
            for name in names:
                answer = answer.append_column(name, found.column(name))
    return answer


def polars(work: Work, entities: pa.Table) -> pa.Table:
    """One join per group, both sides sorted by time as ``join_asof`` wants it."""
    answer = pl.LazyFrame(entities).sort("event_timestamp")
    for group, names in work.groups.items():
        history = (
            pl.scan_parquet(_file(work, group))
            .select("entity_id", "event_timestamp", "created_timestamp", *names)
            .sort("event_timestamp", "created_timestamp")
            .drop("created_timestamp")
        )
        answer = answer.join_asof(history, on="event_timestamp", by="entity_id", strategy="backward")
    return answer.sort(ROW).collect().to_arrow()


def _file(work: Work, group: int) -> str:
    return str(work.folder / f"{group_name(group)}.parquet")


def _source(work: Work, group: int, names: list[str], *, tie: bool) -> str:
    rank = f"epoch_us(event_timestamp)::HUGEINT * {_HIGH} + epoch_us(created_timestamp) AS moment"
    moment = rank if tie else "event_timestamp"
    return f"(SELECT entity_id, {moment}, {', '.join(names)} FROM read_parquet('{_file(work, group)}'))"


def _entities(*, tie: bool) -> str:
    if not tie:
        return "entity_rows"
    return f"(SELECT *, (epoch_us(event_timestamp)::HUGEINT + 1) * {_HIGH} - 1 AS moment FROM entity_rows)"


def _condition(alias: str, *, tie: bool) -> str:
    return f"e.moment >= {alias}.moment" if tie else f"e.event_timestamp >= {alias}.event_timestamp"


def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})


READERS: dict[str, Callable[[Work, pa.Table], pa.Table]] = {
    "reading": reading,
    "duckdb_at_once": duckdb_at_once,
    "duckdb_by_group": duckdb_by_group,
    "duckdb_ties": partial(duckdb_by_group, tie=True),
    "polars": polars,
}


def main() -> None:
    work = asked_work()
    entities = pq.read_table(work.entities_file)
    read = partial(READERS[work.option], work, entities)
    measure(work, read, answers=work.option != "reading", packages=("duckdb", "polars", "pyarrow"))


if __name__ == "__main__":
    main()

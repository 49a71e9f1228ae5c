"""Every query of docs/sample_feature_queries.sql runs on what quickstart leaves."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from tests.installation import PROJECT
from tests.quick_started import QuickStarted

FILE = PROJECT / "docs" / "sample_feature_queries.sql"
HEAD = re.compile(r"-- (\w+): (.+) \((database|history)\)")


@dataclass(frozen=True)
class Query:
    topic: str
    title: str
    asks: str
    statement: str


def queries() -> list[Query]:
    found = []
    for block in FILE.read_text(encoding="utf-8").split("\n\n"):
        head, _, statement = block.strip().partition("\n")
        if matched := HEAD.fullmatch(head):
            found.append(Query(*matched.groups(), statement))
    return found


def rows_of(query: Query, store: QuickStarted) -> list[Any]:
    data = store.installation.folder / "data"
    if query.asks == "database":
        with closing(sqlite3.connect(data / "feature_store.db")) as database:
            return database.execute(query.statement).fetchall()
    files = DeltaTable(str(data / "offline" / "customer_financial")).file_uris()
    with duckdb.connect() as connection:
        connection.read_parquet(files, union_by_name=True).create_view("customer_financial")
        return connection.sql(query.statement).to_arrow_table().to_pylist()


def test_all_topics_have_queries() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert {query.topic for query in queries()} == {"discovery", "online", "history", "usage", "quality", "lineage"}
    assert len(queries()) == text.count(";\n") == len(HEAD.findall(text))


@pytest.mark.slow
@pytest.mark.parametrize("query", queries(), ids=lambda query: query.title)
def test_the_query_answers(query: Query, quick_started: QuickStarted) -> None:
    rows = rows_of(query, quick_started)

    assert rows

"""SQL expressions of row rules and computed features: what is allowed in one (pure: no Django).

An expression is looked at before it ever runs: one row in, one value out. Nothing in it can read a table, a
file, a setting or the network, because only the functions listed here are allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_FUNCTIONS = """
    abs sign round floor ceil ceiling trunc sqrt cbrt exp ln log log2 log10 pow power mod greatest least
    isnan isinf isfinite is_nan is_inf coalesce ifnull nullif nvl if case iff cast try_cast between
    lower upper trim ltrim rtrim length len char_length substring substr left right replace concat concat_ws
    contains starts_with startswith ends_with endswith suffix prefix strpos position str_position split_part
    regexp_matches regexp_like regexp_replace regexp_extract regexp_full_match like ilike lpad rpad pad
    list_contains array_contains array_length array_size list_sum list_avg list_min list_max len
    extract date_part date_diff datediff date_trunc timestamp_trunc year month day quarter week dayofweek
    day_of_week dayofyear day_of_year hour minute second date time timestamp to_timestamp make_date
    date_add date_sub time_to_unix str_to_time unix_to_time interval and or not xor in is any array list_value
    md5 sha256
"""
ALLOWED_FUNCTIONS = frozenset(_FUNCTIONS.split())
LONGEST_PADDED = 1_000

_REFUSED: tuple[tuple[type, str], ...] = (
    (exp.Query, "a query inside an expression"),
    (exp.Table, "a table"),
    (exp.Window, "a window function; an expression sees one row"),
    (exp.AggFunc, "an aggregate; an expression sees one row"),
    (exp.Star, "*"),
    (exp.Placeholder, "a parameter"),
    (exp.Parameter, "a parameter"),
    (exp.SessionParameter, "a session variable"),
    (exp.Lambda, "a function of its own"),
    (exp.Comprehension, "a list comprehension"),
    (exp.Alias, "a name of its own (AS)"),
)


def columns_of(expression: str) -> tuple[str, ...]:
    """The columns that ``expression`` uses, each once, as they are written.

    :raises ValueError: when it is not one SQL expression of an allowed kind, saying what is not allowed in it.
    """
    tree = parse_expression(expression)
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))


def parse_expression(expression: str) -> exp.Expression:
    """The tree of one row-level SQL expression (DuckDB dialect).

    :raises ValueError: when it is not one SQL expression of an allowed kind, saying what is not allowed in it.
    """
    try:
        trees = sqlglot.parse(f"SELECT {expression}", dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
        raise ValueError(f"{expression!r} is not an SQL expression: {reason}") from error
    select = trees[0] if len(trees) == 1 else None
    parts = select.args if isinstance(select, exp.Select) else {}
    used = {name for name, value in parts.items() if value and name not in ("kind", "hint")}
    if not isinstance(select, exp.Select) or used != {"expressions"} or len(select.expressions) != 1:
        raise ValueError(f"{expression!r} is not one SQL expression; write what would stand after SELECT, alone")
    tree: exp.Expression = select.expressions[0]
    if isinstance(tree, exp.Alias):
        raise ValueError(f"{expression!r} holds a name of its own (AS), which is not allowed here")
    for node in tree.walk():
        for refusal in _refusals(node):
            raise ValueError(f"{expression!r} holds {refusal}, which is not allowed here")
    return tree


def _refusals(node: object) -> Iterator[str]:
    for kind, words in _REFUSED:
        if isinstance(node, kind):
            yield words
    if isinstance(node, exp.Column) and node.table:
        yield f"the table name {node.table!r}"
    if isinstance(node, exp.Dot):
        yield "a name with dots"
    if isinstance(node, exp.Pad) and not _is_short(node.expression):
        yield f"a text padded to more than {LONGEST_PADDED} characters, or to a length that is not written as a number"
    if isinstance(node, exp.Func) and not isinstance(node, exp.AggFunc):
        names = _function_names(node)
        if not names & ALLOWED_FUNCTIONS:
            shown = min(names)
            near = difflib.get_close_matches(shown, sorted(ALLOWED_FUNCTIONS), n=1, cutoff=0.8)
            yield f"the function {shown}" + (f" (did you mean {near[0]}?)" if near else "")


def _is_short(length: exp.Expression) -> bool:
    """Whether one row cannot be made to fill the memory."""
    return isinstance(length, exp.Literal) and length.is_int and int(length.this) <= LONGEST_PADDED


def _function_names(node: exp.Func) -> set[str]:
    if isinstance(node, exp.Anonymous):
        return {str(node.this).lower()}
    return {name.lower() for name in node.sql_names()}

from __future__ import annotations

import pytest

from catalog.expressions import columns_of


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("balance >= 0 AND ratio < 10", ("balance", "ratio")),
        ("balance / nullif(salary, 0)", ("balance", "salary")),
        ("CASE WHEN \"Upper Col\" IN ('a', 'b') THEN 1 END", ("Upper Col",)),
        ("try_cast(age AS integer) BETWEEN 18 AND 120", ("age",)),
        ("regexp_matches(email, '^[^@]+@')", ("email",)),
        ("date_diff('day', opened, closed) > 0", ("opened", "closed")),
        ("a + a", ("a",)),
        ("lpad(branch, 5, '0')", ("branch",)),
    ],
)
def test_what_reads_one_row_is_allowed(expression: str, columns: tuple[str, ...]) -> None:
    assert sorted(columns_of(expression)) == sorted(columns)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("", "is not one SQL expression"),
        ("a, b", "is not one SQL expression"),
        ("1 FROM t", "is not one SQL expression"),
        ("a; DROP TABLE t", "is not one SQL expression"),
        ("a -- b\n UNION SELECT 1", "is not one SQL expression"),
        ("a >", "is not an SQL expression"),
        ("(SELECT 1)", "a query"),
        ("a IN (SELECT b FROM c)", "a query"),
        ("EXISTS(SELECT 1)", "exists"),
        ("sum(a) > 1", "an aggregate"),
        ("lag(a) OVER ()", "a window function"),
        ("t.a > 1", "the table name 't'"),
        ("a AS b", "a name of its own"),
        ("? = 1", "a parameter"),
        ("read_csv('/etc/passwd')", "the function read_csv"),
        ("cast(getenv('HOME') AS varchar)", "the function getenv"),
        ("'x'.getenv()", "a name with dots"),
        ("[x FOR x IN a]", "a list comprehension"),
        ("list_transform(a, x -> getenv(x))", "not allowed"),
        ("lpad(a, 2000000000, 'y')", "padded to more than"),
        ("rpad(a, b, 'y')", "padded to more than"),
        ("random() < 0.5", "the function rand"),
        ("(" * 5000 + "a" + ")" * 5000, "is not an SQL expression"),
    ],
)
def test_what_reads_more_than_its_row_is_refused(expression: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"is not|not allowed") as refused:
        columns_of(expression)
    assert told in str(refused.value)

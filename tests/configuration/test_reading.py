"""YAML with lines: plain data only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigurationError
from featurestore_site.configuration.reading import Document, read_document


def read(tmp_path: Path, text: str | bytes) -> Document:
    file = tmp_path / "some.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1_000", -1000),
        ("1e6", 1_000_000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("010", "010"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"),
        ("yes", True),
        ("Off", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("'1'", "1"),
        ("0 */6 * * *", "0 */6 * * *"),
        (".nan", ".nan"),
    ],
)
def test_scalars_are_read_as_people_mean_them(tmp_path: Path, text: str, value: object) -> None:
    assert read(tmp_path, f"key: {text}\n").values == {"key": value}


def test_lines_of_keys_and_items(tmp_path: Path) -> None:
    document = read(tmp_path, "a:\n  b:\n    - x\n    - c: 1\n")
    assert document.lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", 0): 3,
        ("a", "b", 1): 4,
        ("a", "b", 1, "c"): 4,
    }
    assert document.line_of(("a", "b", 1, "unknown", "deeper")) == 4


def test_merged_blocks_give_way_to_own_keys(tmp_path: Path) -> None:
    document = read(tmp_path, "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n")
    assert document.values["own"] == {"x": 1, "y": 3}
    assert document.lines["own", "y"] == 4
    assert document.faults == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is not YAML"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("- a\n", "has no sections"),
        ("just text", "has no sections"),
        (b"a: \xff\n", "not UTF-8"),
        (b"a: \x00\n", "is not YAML"),
        ("a: &x [*x]\n", "aliases"),
        ("[" * 5000, "is not YAML"),
        ("a: *unknown\n", "is not YAML"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, text)


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigurationError, match="aliases"):
        read(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [ls]\n", None),
        ("a: !!binary aGk=\n", "is not plain text"),
        ("a: 1e999\n", "is not plain text"),
        ("1: a\n", "is not a text key"),
        ("yes: a\n", "is not a text key"),
        ("a: !!int x\n", "is not a number"),
    ],
)
def test_what_is_not_plain_data_is_a_fault_or_plain(tmp_path: Path, text: str, message: str | None) -> None:
    document = read(tmp_path, text)
    if message is None:
        assert document.values == {"a": ["ls"]}  # A tag on a block runs nothing: the block stays a block.
    else:
        assert message in document.faults[0].message


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(data=st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_what_was_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    file = tmp_path_factory.mktemp("yaml") / "data.yaml"
    file.write_text(yaml.safe_dump(data, default_style='"'), encoding="utf-8")
    document = read_document(file)
    assert document.faults == []
    assert document.values == data

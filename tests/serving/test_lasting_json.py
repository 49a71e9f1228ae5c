"""JSON that is kept takes as much memory as it is long: measured in a process of its own, in pages of the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serving.wire.json_bytes import json_bytes, lasting_json_bytes

_PROGRAM = """
import resource, sys
from pathlib import Path
from serving.wire.json_bytes import json_bytes, lasting_json_bytes

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

row = {f"feature_{number}": number / 7 for number in range(20)}
made = globals()[sys.argv[1]]
before = pages()
kept = [made(row) for _ in range(20_000)]
print((pages() - before) / sum(map(len, kept)))
"""


def memory_per_byte(made: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, made],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return float(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is told by Linux's /proc")
def test_what_is_kept_takes_little_more_memory_than_it_is_long() -> None:
    assert memory_per_byte("lasting_json_bytes") < 1.5
    assert memory_per_byte("json_bytes") > 3  # why there is another one; when this fails, there need not be


def test_it_says_the_same() -> None:
    value = {"a": [1.5, None, "Zürich"], "b": float("nan")}
    assert lasting_json_bytes(value) == json_bytes(value) == '{"a":[1.5,null,"Zürich"],"b":null}'.encode()

"""Historical retrieval beside Feast and the bare engines, on the same data in one run.

``python -m benchmarks.historical`` prints the tables of docs/performance.md; ``--write`` puts them there. See
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.comparing import Difference, compare_answers
from benchmarks.contestants import OWN, READING, Contestant, Failed, contestants, run_contestant
from benchmarks.feast_environment import feast_interpreter
from benchmarks.historical_report import Results, report
from benchmarks.history_data import Shape, entity_rows, feature_name, write_flat_files
from benchmarks.machine import this_machine
from benchmarks.measured import ROW, Measured, Work, entities_file
from benchmarks.own_store import PROJECT, make_store
from benchmarks.report import write_between
from benchmarks.scratch_folder import folder_of_run

PAGE = PROJECT / "docs" / "performance.md"
_FEATURES_PER_GROUP = 5
_FULL = Shape()
_QUICK = Shape(entities=2_000, events=5)
_ROWS = (10, 10_000, 100_000, 1_000_000)
_QUICK_ROWS = (10, 1_000, 10_000)


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    shape = Shape(
        entities=asked.entities or (_QUICK if asked.quick else _FULL).entities,
        events=asked.events or (_QUICK if asked.quick else _FULL).events,
    )
    machine = this_machine()
    python = None if asked.feast_venv is None else feast_interpreter(asked.feast_venv)
    with folder_of_run(asked.folder) as folder:
        _say("data and store")
        prepare(shape, folder, rows=asked.rows or (_QUICK_ROWS if asked.quick else _ROWS), commits=asked.commits)
        results = Results(
            shape=shape,
            commits=asked.commits,
            features=len(_features(shape)),
            machine=machine,
            contestants=[
                contestant
                for contestant in contestants(feast=python is not None)
                if asked.only is None or contestant.name in asked.only
            ],
            rows=sorted(asked.rows or (_QUICK_ROWS if asked.quick else _ROWS)),
        )
        for rows in results.rows:
            for contestant in results.contestants:
                _measure(results, contestant, folder=folder, rows=rows, python=python, asked=asked)
    text = report(results)
    print(text)
    if asked.json is not None:
        asked.json.write_text(json.dumps(_as_json(results), indent=1))
    if asked.write:
        write_between(PAGE, name="historical", text=text)


def prepare(shape: Shape, folder: Path, *, rows: Sequence[int], commits: int) -> None:
    """The flat files, the entity rows with their positions, and the store; what is there is kept."""
    write_flat_files(shape, folder)
    for count in rows:
        table = entity_rows(shape, count)
        pq.write_table(table.append_column(ROW, pa.array(range(count), pa.int64())), entities_file(folder, count))
    make_store(shape, folder, commits=commits)


def _measure(
    results: Results,
    contestant: Contestant,
    *,
    folder: Path,
    rows: int,
    python: Path | None,
    asked: argparse.Namespace,
) -> None:
    if contestant.most_rows is not None and rows > contestant.most_rows:
        return
    work = Work(
        contestant=contestant.name,
        folder=folder,
        rows=rows,
        features=_features(results.shape),
        repeats=asked.repeats,
        budget=asked.budget,
        option=contestant.option,
    )
    found = run_contestant(contestant, work=work, feast_python=python, limit=asked.limit)
    results.found[contestant.name, rows] = found
    if isinstance(found, Failed):
        _say(f"{rows:>9,} rows  {contestant.title}: {found.reason}")
        return
    difference = _difference(work, contestant)
    if difference is not None:
        results.differences[contestant.name, rows] = difference
    _say(
        f"{rows:>9,} rows  {contestant.title}: {found.median:.3f} s (processor {found.processor_median:.3f} s), "
        f"{found.peak_bytes / 1e6:.0f} MB{'' if difference is None else f', {difference}'}"
    )


def _difference(work: Work, contestant: Contestant) -> Difference | None:
    """Of the contestant's answer beside ours, which is measured first."""
    right = work.folder / f"answer_{OWN}_{work.rows}.parquet"
    if contestant.name in (OWN, READING) or not right.is_file():
        return None
    difference = compare_answers(work.answer_file, right)
    work.answer_file.unlink()
    return difference


def _features(shape: Shape) -> list[str]:
    """Every fifth column of every group, so that none of them lie together in a file."""
    step = max(1, shape.features // _FEATURES_PER_GROUP)
    numbers = range(0, shape.features, step)[:_FEATURES_PER_GROUP]
    return [feature_name(group, number) for group in range(shape.groups) for number in numbers]


def _as_json(results: Results) -> dict[str, object]:
    return {
        "machine": asdict(results.machine),
        "measured": [
            {"contestant": name, "rows": rows, **asdict(found)}
            for (name, rows), found in results.found.items()
            if isinstance(found, Measured)
        ],
        "differences": [
            {"contestant": name, "rows": rows, **asdict(found)} for (name, rows), found in results.differences.items()
        ],
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.historical", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument("--feast-venv", type=Path, help="environment with Feast; made there when it is not")
    parser.add_argument("--folder", type=Path, help="keep the data here, for the next run; default: a temporary one")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(PROJECT)}")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    parser.add_argument("--rows", type=int, nargs="+", help="numbers of entity rows")
    parser.add_argument("--entities", type=int, help="entities of the history")
    parser.add_argument("--events", type=int, help="events of every entity in every group")
    parser.add_argument("--commits", type=int, default=1, help="appends that the history came in (%(default)s)")
    parser.add_argument("--repeats", type=int, default=7, help="repetitions after the first (%(default)s)")
    parser.add_argument(
        "--budget", type=float, default=90, help="seconds after which nothing is repeated (%(default)s)"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds that one contestant may take (%(default)s)")
    parser.add_argument("--only", nargs="+", help="names of contestants")
    return parser


if __name__ == "__main__":
    main()

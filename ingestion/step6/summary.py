"""Reading the newest feature engineering summary (pure: no Django)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingestion.step6.outputs import Problem, Summary

_MOST_BYTES = 50_000_000


def read_summary(directory: Path, *, pattern: str, chosen: Path | None = None) -> tuple[Summary | None, list[Problem]]:
    """The newest summary of ``directory`` that can be read, or the file ``chosen``.

    The time in the file's name orders them, which is how the pipeline names them. A file that cannot be read
    is a problem, and the next older one is taken.
    """
    problems: list[Problem] = []
    if chosen is not None:
        candidates = [chosen if chosen.is_absolute() else directory / chosen]
    elif directory.is_dir():
        candidates = sorted((path for path in directory.glob(pattern) if path.is_file()), reverse=True)
    else:
        return None, [Problem("step6_reports_missing", f"there is no folder of step-6 reports {directory}")]
    for path in candidates:
        try:
            return _summary(path), problems
        except (OSError, ValueError, RecursionError) as error:
            problems.append(Problem("step6_report_unreadable", f"{path.name} cannot be used: {error}"))
    if not candidates:
        problems.append(Problem("step6_reports_missing", f"{directory} holds no file like {pattern}"))
    return None, problems


def mapping(value: object) -> Mapping[str, Any]:
    """``value`` when it is an object with text keys; otherwise an empty one."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def _summary(path: Path) -> Summary:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is larger than 50 MB")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    listed = content.get("feature_list")
    statistics = mapping(content.get("statistical_summary"))
    types = mapping(content.get("data_types"))
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    run_at = content.get("transformation_timestamp")
    return Summary(
        file=path.name,
        run_at=run_at if isinstance(run_at, str) else None,
        names=tuple(dict.fromkeys([*names, *types, *statistics])),
        data_types={name: kind for name, kind in types.items() if isinstance(kind, str)},
        missing_values={
            name: int(count)
            for name, count in mapping(content.get("missing_values")).items()
            if isinstance(count, (int, float)) and math.isfinite(count)
        },
        statistics={name: _numbers(mapping(measures)) for name, measures in statistics.items()},
    )


def _numbers(measures: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        name: value if math.isfinite(value) else None
        for name, value in measures.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }

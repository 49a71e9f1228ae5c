"""Point-in-time reads of value rows, without Django and without a clock: the caller passes every time."""

from serving.point_in_time.files import KeptFiles
from serving.point_in_time.join import answer_in_slices, join_point_in_time
from serving.point_in_time.kept import KeptRuns
from serving.point_in_time.latest import LatestRows, find_latest, latest_rows
from serving.point_in_time.request import (
    EngineLimits,
    GroupHistory,
    History,
    KnownAt,
    KnownAtEventTime,
    TimeRange,
    WantedColumn,
)
from serving.point_in_time.room import rows_within

__all__ = [
    "EngineLimits",
    "GroupHistory",
    "History",
    "KeptFiles",
    "KeptRuns",
    "KnownAt",
    "KnownAtEventTime",
    "LatestRows",
    "TimeRange",
    "WantedColumn",
    "answer_in_slices",
    "find_latest",
    "join_point_in_time",
    "latest_rows",
    "rows_within",
]

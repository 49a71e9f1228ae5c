"""Point-in-time reads of value rows, without Django and without a clock: the caller passes every time."""

from serving.point_in_time.join import answer_in_slices, join_point_in_time, rows_within
from serving.point_in_time.latest import latest_rows
from serving.point_in_time.request import (
    EngineLimits,
    GroupHistory,
    History,
    KnownAt,
    TimeRange,
    WantedColumn,
)

__all__ = [
    "EngineLimits",
    "GroupHistory",
    "History",
    "KnownAt",
    "TimeRange",
    "WantedColumn",
    "answer_in_slices",
    "join_point_in_time",
    "latest_rows",
    "rows_within",
]

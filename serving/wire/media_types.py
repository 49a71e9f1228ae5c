"""The media types of requests and answers (pure: no Django)."""

from __future__ import annotations

ARROW_STREAM = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
JSON = "application/json"

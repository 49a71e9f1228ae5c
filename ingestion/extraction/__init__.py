"""Reading sources: a table of a database or a file → typed Arrow batches with faults (pure: no Django)."""

from ingestion.extraction.errors import SourceBusy, SourceInvalid, SourceNotFound
from ingestion.extraction.reading import describe, extract, tables
from ingestion.extraction.request import (
    Batch,
    Extraction,
    ExtractionRequest,
    Fault,
    Place,
    SourcePlace,
    SourceTable,
    WantedColumn,
    row_digest,
)

__all__ = [
    "Batch",
    "Extraction",
    "ExtractionRequest",
    "Fault",
    "Place",
    "SourceBusy",
    "SourceInvalid",
    "SourceNotFound",
    "SourcePlace",
    "SourceTable",
    "WantedColumn",
    "describe",
    "extract",
    "row_digest",
    "tables",
]

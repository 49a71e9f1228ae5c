from ingestion.models.report import QuarantinedRow, RuleResult, ValidationReport
from ingestion.models.run import GroupLease, IngestionRun, RunKind, RunState, RunStep
from ingestion.models.source import Source, SourceKind

__all__ = [
    "GroupLease",
    "IngestionRun",
    "QuarantinedRow",
    "RuleResult",
    "RunKind",
    "RunState",
    "RunStep",
    "Source",
    "SourceKind",
    "ValidationReport",
]

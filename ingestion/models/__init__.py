from ingestion.models.demo import DemoLoad
from ingestion.models.report import QuarantinedRow, RuleResult, ValidationReport
from ingestion.models.run import GroupLease, IngestionRun, RunKind, RunState, RunStep
from ingestion.models.source import WAREHOUSE, Source, SourceKind

__all__ = [
    "DemoLoad",
    "GroupLease",
    "IngestionRun",
    "QuarantinedRow",
    "RuleResult",
    "RunKind",
    "RunState",
    "RunStep",
    "WAREHOUSE",
    "Source",
    "SourceKind",
    "ValidationReport",
]

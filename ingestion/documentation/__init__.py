"""Feature documentation and exports as files."""

from ingestion.documentation.gathering import Documentation, gather
from ingestion.documentation.writing import write_documentation, write_reports

__all__ = ["Documentation", "gather", "write_documentation", "write_reports"]

"""Reports and metadata of the pipeline's step 6."""

from ingestion.step6.inheritance import inherit_metadata, inherited_for, read_step6, record_inherited
from ingestion.step6.outputs import Problem, Step6Outputs

__all__ = ["Problem", "Step6Outputs", "inherit_metadata", "inherited_for", "read_step6", "record_inherited"]

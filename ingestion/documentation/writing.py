"""Writing the feature documentation and the exports that the configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from catalog.access import Reader
from catalog.errors import InvalidInput
from ingestion.documentation.exporting import export_catalog, export_metadata, export_schemas
from ingestion.documentation.files import write_whole
from ingestion.documentation.gathering import Documentation, gather
from ingestion.documentation.rendering import RENDERERS


def write_documentation(
    directory: Path,
    formats: Sequence[str],
    user: Reader | None = None,
    *,
    documentation: Documentation | None = None,
) -> list[Path]:
    """Write ``feature_documentation.{md,html,json}`` as asked for; returns what was written, in that order.

    It says what ``user`` may know of (:func:`gather`), or what was gathered already. Each file is replaced whole.

    :raises InvalidInput: on a format of another name.
    """
    unknown = [name for name in formats if name not in RENDERERS]
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)} is no format of documentation; these are: {', '.join(RENDERERS)}")
    told = documentation or gather(user)
    written = []
    for name in dict.fromkeys(formats):
        file, render = RENDERERS[name]
        written.append(write_whole(directory / file, render(told).encode()))
    return written


def write_reports(*, directory: Path | None = None, formats: Sequence[str] | None = None) -> list[Path]:
    """Write all that the configuration's output, integration and feature_store sections ask for.

    ``directory`` and ``formats`` stand in for ``output.reports_dir`` and ``output.docs_format``; formats that are
    asked for here are written whatever ``output.generate_docs`` says.
    """
    configured = settings.FEATURESTORE
    folder = directory or configured.output.reports_dir
    documentation = gather()
    written: list[Path] = []
    if formats is not None or configured.output.generate_docs:
        wanted = configured.output.docs_format if formats is None else formats
        written += write_documentation(folder, wanted, documentation=documentation)
    written += export_catalog(documentation, directory=folder, formats=configured.output.export_formats)
    if configured.integration.downstream.export_feature_schemas:
        written.append(export_schemas(documentation, directory=folder))
    written.append(export_metadata(documentation, path=configured.feature_store.metadata_path))
    return written

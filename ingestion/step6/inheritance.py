"""What a feature inherits from step 6: where it comes from and what was said of it there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models import Source, SourceKind
from ingestion.step6.names import columns_in_formula, raw_name_of, split_aggregation, words
from ingestion.step6.outputs import Problem, Step6Outputs
from ingestion.step6.summary import read_summary
from ingestion.step6.warehouse import (
    DESCRIPTIONS,
    MEASUREMENTS,
    TRANSFORMATIONS,
    descriptions_of,
    measurements_of,
    read_rows,
    transformation_of,
)


def read_step6(*, warehouse: str | None, reports: str | None, pattern: str, chosen: Path | None = None) -> Step6Outputs:
    """All that step 6 left: the newest report of the folder ``reports`` and the metadata tables of ``warehouse``.

    Never fails for what it finds: what cannot be used is among the problems.
    """
    problems: list[Problem] = []
    summary = transformation = None
    tables: dict[str, list[dict[str, Any]]] = {TRANSFORMATIONS: [], DESCRIPTIONS: [], MEASUREMENTS: []}
    if reports:
        summary, found = read_summary(Path(reports), pattern=pattern, chosen=chosen)
        problems.extend(found)
    if warehouse:
        for table in tables:
            tables[table], found = read_rows(warehouse, table)
            problems.extend(found)
        transformation, found = transformation_of(tables[TRANSFORMATIONS])
        problems.extend(found)
    return Step6Outputs(
        summary=summary,
        transformation=transformation,
        described=descriptions_of(tables[DESCRIPTIONS]),
        measured=measurements_of(tables[MEASUREMENTS]),
        problems=tuple(problems),
    )


def inherited_for(outputs: Step6Outputs, *, name: str, source_table: str, source_column: str | None) -> dict[str, Any]:
    """What step 6 says about one feature; only what is known, so an empty dictionary when it says nothing.

    Keys: raw_name, raw_columns, aggregation, description, formula, bins, labels, feature_type, data_type,
    missing_values, statistics, quality, report, run_at.
    """
    summary, transformation = outputs.summary, outputs.transformation
    aggregations = dict(transformation.aggregations) if transformation else {}
    for raw in summary.names if summary else ():
        if raw not in aggregations and (split := split_aggregation(raw)):
            aggregations[raw] = split
    derived = transformation.derived if transformation else {}
    known = dict.fromkeys([*(summary.names if summary else ()), *aggregations, *derived])
    raw_name = raw_name_of(name=name, source_column=source_column, known=known, columns=aggregations)
    found: dict[str, Any] = {}
    if raw_name is not None:
        found["raw_name"] = raw_name
        if raw_name in derived:
            said = derived[raw_name]
            found.update(said)
            columns = transformation.raw_columns if transformation else ()
            found["raw_columns"] = columns_in_formula(str(said.get("formula") or ""), columns)
        elif raw_name in aggregations:
            column, aggregation = aggregations[raw_name]
            found.update(raw_columns=[column], aggregation=aggregation, formula=f"{aggregation}({column})")
        if summary:
            found.update(
                data_type=summary.data_types.get(raw_name),
                missing_values=summary.missing_values.get(raw_name),
                statistics=summary.statistics.get(raw_name),
            )
    found.update(_described(outputs, name, source_column))
    found["quality"] = outputs.measured.get((source_table, source_column or name))
    found = {key: value for key, value in found.items() if value not in (None, "", [], {})}
    if found:
        found["report"] = summary.file if summary else None
        found["run_at"] = (summary.run_at if summary else None) or (transformation.run_at if transformation else None)
    return {key: value for key, value in found.items() if value is not None}


def inherit_metadata(group: FeatureGroup, *, source: Source) -> list[Problem]:
    """Write what the versions of ``group`` inherit from the pipeline that filled ``source``; returns what was amiss.

    Runs within the caller's transaction. Never fails for what it finds.
    """
    configured = settings.FEATURESTORE.input_sources
    chosen = configured.feature_metadata_source
    outputs = read_step6(
        warehouse=source.location if source.kind == SourceKind.SQLITE else None,
        reports=source.reports_location or None,
        pattern=configured.step6_metadata_pattern,
        chosen=None if chosen == "latest" else chosen,
    )
    record_inherited(group=group, outputs=outputs)
    upstream = settings.FEATURESTORE.integration.upstream
    if not upstream.validate_step6_outputs:
        return []
    if upstream.step6_required:
        return list(outputs.problems)
    return [problem for problem in outputs.problems if problem.code != "step6_reports_missing"]


def record_inherited(*, group: FeatureGroup, outputs: Step6Outputs) -> int:
    """Write what the current versions of ``group`` inherit; returns how many changed.

    Runs within the caller's transaction. A version of which step 6 says nothing now keeps what it said before.
    """
    changed = []
    for version in FeatureVersion.objects.filter(feature__group=group, is_current=True).select_related("feature"):
        inherited = inherited_for(
            outputs,
            name=version.feature.name,
            source_table=group.source_table,
            source_column=version.source_column or None,
        )
        if inherited and inherited != version.inherited:
            version.inherited = inherited
            changed.append(version)
    FeatureVersion.objects.bulk_update(changed, ["inherited"])
    return len(changed)


def _described(outputs: Step6Outputs, name: str, source_column: str | None) -> dict[str, Any]:
    by_words = {"".join(words(said)): row for said, row in outputs.described.items()}
    row = by_words.get("".join(words(name))) or by_words.get("".join(words(source_column or "")))
    if row is None:
        return {}
    taken = ("feature_type", "description", "formula", "data_type", "is_active")
    return {key: row[key] for key in taken if row.get(key) not in (None, "")}

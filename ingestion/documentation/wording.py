"""How the documentation words what was gathered (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "–"


def value_text(value: object) -> str:
    """A value as people read it: numbers with separators and at most four decimals, a dash for nothing."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.6g}"
        case list() | tuple():
            return ", ".join(str(item) for item in value) or NOTHING
    return str(value)


def share_text(share: float | None) -> str:
    """A share as a percentage with two decimals."""
    return NOTHING if share is None else f"{share * 100:.2f} %"


def rules_text(validation: Mapping[str, Any], categories: list[str] | None) -> str:
    """The declared rules in one line."""
    parts = []
    if validation.get("min_value") is not None:
        parts.append(f"at least {value_text(validation['min_value'])}")
    if validation.get("max_value") is not None:
        parts.append(f"at most {value_text(validation['max_value'])}")
    if validation.get("pattern"):
        parts.append(f"matches {validation['pattern']}")
    if categories:
        parts.append(f"one of {', '.join(categories)}")
    if validation.get("nullable") is False:
        parts.append("never missing")
    if validation.get("unique"):
        parts.append("unique")
    return f"{'; '.join(parts)} (severity {validation.get('severity', 'warn')})" if parts else NOTHING


def facts(feature: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is told of a feature, as (label, text) in the order of reading; without what is empty."""
    statistics = feature["statistics"] or {}
    quality = feature["quality_metrics"] or {}
    inherited = feature["inherited"]
    origin = feature["expression"] or f"{feature['source_table']}.{feature['source_column']}"
    told = [
        ("Feature id", feature["feature_id"]),
        ("Type", feature["data_type"] + (f", in {feature['unit']}" if feature["unit"] else "")),
        ("Version", f"{feature['version']} (of {', '.join(feature['versions'])})"),
        ("Source", origin),
        ("Made in step 6 as", inherited.get("formula", "")),
        ("Status", "" if feature["status"] == "active" else feature["status"]),
        ("Owner", feature["owner"]),
        ("Tags", ", ".join(feature["tags"])),
        ("Sensitivity", feature["sensitivity"]),
        ("Rules", rules_text(feature["validation"], feature["categories"])),
        ("Used by", ", ".join(feature["services"])),
        ("Rows", value_text(statistics.get("row_count"))),
        ("Missing", value_text(statistics.get("null_count"))),
        ("Distinct", value_text(statistics.get("distinct_count"))),
        ("Minimum", value_text(statistics.get("min_value"))),
        ("Maximum", value_text(statistics.get("max_value"))),
        ("Mean", value_text(statistics.get("mean_value"))),
        ("Standard deviation", value_text(statistics.get("std_dev"))),
        ("Most frequent", _frequent(statistics.get("top_values"))),
        ("Completeness", share_text(quality.get("completeness"))),
        ("Validity", share_text(quality.get("validity"))),
        ("Consistency", share_text(quality.get("consistency"))),
        ("Newest event", value_text(feature["newest_event"])),
    ]
    return [(label, text) for label, text in told if text and text != NOTHING]


def _frequent(top_values: list[dict[str, Any]] | None) -> str:
    return ", ".join(f"{value_text(entry['value'])} ({entry['count']:,})" for entry in (top_values or [])[:5])

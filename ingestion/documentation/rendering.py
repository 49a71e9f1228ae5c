"""The documentation as Markdown, HTML and JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
from django.template import Context, Engine

from ingestion.documentation.gathering import Documentation
from ingestion.documentation.wording import facts, share_text, value_text

_TEMPLATES = Path(__file__).parent / "templates"
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|"})


def as_markdown(documentation: Documentation) -> str:
    """One page: an overview table per group, then every feature."""
    lines = [
        "# Feature documentation",
        "",
        f"{len(documentation.features)} features in {len(documentation.groups)} groups, "
        f"as of {documentation.generated_at:%Y-%m-%d %H:%M} UTC.",
    ]
    for group in documentation.groups:
        about = group.about
        keys = ", ".join(about["join_keys"])
        lines += ["", f"## {_escaped(group.name)}", ""]
        if about["description"]:
            lines += [_escaped(about["description"]), ""]
        lines += [
            f"Of {_escaped(about['entity'])} (by {_escaped(keys)}), from {_escaped(about['source_table'])}.",
            "",
            "| feature | type | completeness | validity | mean | description |",
            "|---|---|---|---|---|---|",
        ]
        for feature in group.features:
            quality, statistics = feature["quality_metrics"] or {}, feature["statistics"] or {}
            cells = (
                feature["name"],
                feature["data_type"],
                share_text(quality.get("completeness")),
                share_text(quality.get("validity")),
                value_text(statistics.get("mean_value")),
                feature["description"],
            )
            lines.append("| " + " | ".join(_escaped(cell) for cell in cells) + " |")
        for feature in group.features:
            lines += ["", f"### {_escaped(feature['name'])}", ""]
            if feature["description"]:
                lines += [_escaped(feature["description"]), ""]
            if feature["source_problem"]:
                lines += [f"**No values:** {_escaped(feature['source_problem'])}", ""]
            lines += [f"- {label}: {_escaped(text)}" for label, text in facts(feature)]
    return "\n".join(lines) + "\n"


def as_html(documentation: Documentation) -> str:
    """One page that needs no other file and no other host."""
    groups = [
        {
            "name": group.name,
            "about": group.about,
            "join_keys": ", ".join(group.about["join_keys"]),
            "features": [{**feature, "facts": facts(feature)} for feature in group.features],
        }
        for group in documentation.groups
    ]
    engine = Engine(dirs=[str(_TEMPLATES)], autoescape=True)
    return engine.get_template("feature_documentation.html").render(
        Context(
            {
                "groups": groups,
                "feature_count": len(documentation.features),
                "generated_at": f"{documentation.generated_at:%Y-%m-%d %H:%M} UTC",
            }
        )
    )


def as_json(documentation: Documentation) -> str:
    """Everything that was gathered: {generated_at, groups: [{name, …, features: […]}]}."""
    content = {
        "generated_at": documentation.generated_at,
        "groups": [
            {"name": group.name, **group.about, "features": list(group.features)} for group in documentation.groups
        ],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode() + "\n"


RENDERERS: dict[str, tuple[str, Callable[[Documentation], str]]] = {
    "markdown": ("feature_documentation.md", as_markdown),
    "html": ("feature_documentation.html", as_html),
    "json": ("feature_documentation.json", as_json),
}


def _escaped(text: str) -> str:
    return " ".join(text.split()).translate(_SPECIAL)

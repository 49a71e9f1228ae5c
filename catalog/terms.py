"""The words of the catalog that are kept as codes, as a page says them in the language of its reader.

The codes themselves stay what they are in the database, in addresses, in the API and in the configuration.
"""

from __future__ import annotations

from catalog.declarations import Mask, Sensitivity, Severity, Tier
from catalog.wording import Promise
from catalog.wording import gettext_lazy as _

SENSITIVITY_WORDS: dict[Sensitivity, Promise] = {
    Sensitivity.PUBLIC: _("public"),
    Sensitivity.INTERNAL: _("internal"),
    Sensitivity.CONFIDENTIAL: _("confidential"),
    Sensitivity.PERSONAL: _("personal"),
}
TIER_WORDS: dict[Tier, Promise] = {
    Tier.EXPERIMENTAL: _("experimental"),
    Tier.STANDARD: _("standard"),
    Tier.CERTIFIED: _("certified"),
}
MASK_WORDS: dict[Mask, Promise] = {
    Mask.NULL: _("null"),
    Mask.HASH: _("hash"),
    Mask.PARTIAL: _("partial"),
    Mask.BUCKET: _("bucket"),
}
SEVERITY_WORDS: dict[Severity, Promise] = {
    Severity.WARN: _("warn"),
    Severity.REJECT: _("reject"),
    Severity.FAIL: _("fail"),
}
# Codes that no class of the catalog lists: rules, measures, the topics of the trust line, who started a run.
_OTHERS: dict[str, Promise] = {
    "active": _("active"),
    "deprecated": _("deprecated"),
    "archived": _("archived"),
    "completeness": _("completeness"),
    "validity": _("validity"),
    "consistency": _("consistency"),
    "entity_key": _("entity key"),
    "event_timestamp": _("event timestamp"),
    "value": _("value"),
    "row_count": _("row count"),
    "null_count": _("null count"),
    "distinct_count": _("distinct count"),
    "mean_value": _("mean value"),
    "std_dev": _("std dev"),
    "data_type": _("data type"),
    "source_column": _("source column"),
    "expression": _("expression"),
    "validation": _("validation"),
    "default_value": _("default value"),
    "mask": _("mask"),
    "drift_threshold": _("drift threshold"),
    "description": _("description"),
    "feature_id": _("feature id"),
    "value_column": _("value column"),
    "min_value": _("min value"),
    "max_value": _("max value"),
    "nullable": _("nullable"),
    "unique": _("unique"),
    "pattern": _("pattern"),
    "categories": _("categories"),
    "type": _("type"),
    "drift": _("drift"),
    "outliers": _("outliers"),
    "freshness": _("freshness"),
    "checks": _("checks"),
    "quality": _("quality"),
    "incident": _("incident"),
    "status": _("status"),
    "owner": _("owner"),
    "tier": _("tier"),
    "use": _("use"),
    "queued": _("queued"),
    "running": _("running"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "warn": _("warn"),
    "good": _("good"),
    "bad": _("bad"),
    "pass": _("pass"),
    "unknown": _("unknown"),
    "failing": _("failing"),
    "late": _("late"),
    "stale": _("stale"),
    "fine": _("fine"),
    "manual": _("manual"),
    "api": _("API"),
    "admin": _("administration"),
    "page": _("page"),
    "command": _("command"),
    "schedule": _("schedule"),
    "retry": _("retry"),
    "demo": _("demo"),
    "quickstart": _("quickstart"),
}
_WORDS: dict[str, Promise] = {
    **_OTHERS,
    **{code.value: word for code, word in SENSITIVITY_WORDS.items()},
    **{code.value: word for code, word in TIER_WORDS.items()},
    **{code.value: word for code, word in SEVERITY_WORDS.items()},
}


def word_of(code: str) -> str:
    """What a page says for ``code``; a code that is none of these (a rule of the team's own) is said as it is."""
    return str(_WORDS.get(code, code))

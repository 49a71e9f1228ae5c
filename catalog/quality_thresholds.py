"""The quality thresholds in force, by measure."""

from __future__ import annotations

from django.conf import settings


def thresholds() -> dict[str, float | None]:
    """The least share of completeness, validity and consistency that is good enough; None where none is judged."""
    configured = settings.FEATURESTORE.validation
    if not configured.quality_monitoring_enabled:
        return dict.fromkeys(("completeness", "validity", "consistency"))
    limits = configured.quality_thresholds
    return {
        "completeness": limits.completeness_min,
        "validity": limits.validity_min,
        "consistency": limits.consistency_min,
    }

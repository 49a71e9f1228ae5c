"""The admin of what is written: sources, runs, reports, quarantine, schedules, and the actions on groups."""

from ingestion.admin import group_actions, quarantine, reports, runs, schedules, sources

__all__ = ["group_actions", "quarantine", "reports", "runs", "schedules", "sources"]

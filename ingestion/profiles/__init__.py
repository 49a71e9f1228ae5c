"""Statistics and quality of value columns."""

from ingestion.profiles.profile import Profile
from ingestion.profiles.profiling import contradictions, profile_columns
from ingestion.profiles.shortfalls import Shortfall, quality_report
from ingestion.profiles.storing import store_profiles

__all__ = ["Profile", "Shortfall", "contradictions", "profile_columns", "quality_report", "store_profiles"]

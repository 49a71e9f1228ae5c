"""Registration: what a configuration declares becomes the catalog."""

from catalog.registration.apply import Applied, apply_declaration, plan_changes
from catalog.registration.changes import Change, ChangeKind, Detail, Plan
from catalog.registration.policy import Policy

__all__ = ["Applied", "Change", "ChangeKind", "Detail", "Plan", "Policy", "apply_declaration", "plan_changes"]

"""Makes the catalog match a declaration."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from catalog.declarations import CatalogDeclaration
from catalog.models import Entity
from catalog.registration.changes import ChangeKind, Plan
from catalog.registration.comparison import compare
from catalog.registration.policy import Policy
from catalog.registration.reading import read_catalog
from catalog.registration.writing import write_plan

ATTEMPTS = 5


@dataclass(frozen=True)
class Applied:
    """What was done: the plan as it was carried out."""

    plan: Plan

    @property
    def counts(self) -> dict[ChangeKind, int]:
        return self.plan.counts


def plan_changes(declaration: CatalogDeclaration, *, policy: Policy | None = None) -> Plan:
    """What :func:`apply_declaration` would do now; nothing is written.

    :raises ConfigurationError: with all faults of the declaration.
    """
    return compare(declaration, known=read_catalog(), policy=policy or Policy())


def apply_declaration(declaration: CatalogDeclaration, *, policy: Policy | None = None) -> Applied:
    """Make the catalog match ``declaration`` in one transaction, with one audit event per modification.

    Applied twice, the second time writes nothing. Several processes may apply at once: they take turns on the rows
    of the entities, and where there are none yet, the one that comes second finds the names taken and compares anew.

    What was declared and is so no more is deprecated, never deleted; a deprecated group is ingested and served on
    until a person archives it. What was made by hand is left alone, unless the declaration names it.

    :raises ConfigurationError: with all faults of the declaration; nothing is written then.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                # Read in full: the locks are what it is for.
                list(Entity.objects.select_for_update().order_by("pk"))
                plan = plan_changes(declaration, policy=policy)
                write_plan(plan)
            return Applied(plan)
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")

"""Who works with the demo bank's features: people with a role each, and the programs that read values.

Nobody can sign in as one of them: they have no password and no token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group, User
from django.db import transaction

from catalog.access import Role
from catalog.audit import record


@dataclass(frozen=True)
class Person:
    username: str
    first_name: str
    last_name: str
    role: Role


SCIENTIST: Final = Person("amelie", "Amélie", "Laurent", Role.DATA_SCIENTIST)
ENGINEER: Final = Person("jonas", "Jonas", "Weber", Role.DATA_ENGINEER)
STEWARD: Final = Person("ines", "Inés", "Ortega", Role.STEWARD)
CHURN_SCORER: Final = Person("churn-scorer", "", "", Role.VIEWER)
FRAUD_SCREENING: Final = Person("fraud-screening", "", "", Role.VIEWER)
BRANCH_DASHBOARD: Final = Person("branch-dashboard", "", "", Role.VIEWER)
EVERYBODY: Final = (SCIENTIST, ENGINEER, STEWARD, CHURN_SCORER, FRAUD_SCREENING, BRANCH_DASHBOARD)


def account_of(person: Person) -> User:
    """Their account, made when it is not there."""
    with transaction.atomic():
        user = User.objects.filter(username=person.username).first()
        if user is None:
            user = User(username=person.username, first_name=person.first_name, last_name=person.last_name)
            user.set_unusable_password()
            user.save()
            user.groups.add(Group.objects.get(name=person.role.value))
            record(action="create", instance=user, after={"username": user.username, "role": person.role.value})
    return user

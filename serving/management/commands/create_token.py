from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.clock import now
from catalog.errors import FeatureStoreError
from serving.models import Scope
from serving.tokens import issue_token


class Command(BaseCommand):
    help = "Make an API token of a user and print its key, which is shown only this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            dest="scopes",
            help="what it may be used for; may be given twice (default: read)",
        )
        parser.add_argument("--expires-days", type=int, help="days until it ends (default: never)")

    def handle(self, *_args: Any, **options: Any) -> None:
        users = get_user_model()
        user = users.objects.filter(**{users.USERNAME_FIELD: options["user"]}).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}; make one with createsuperuser or in the admin")
        days = options["expires_days"]
        try:
            expires_at = None if days is None else now() + timedelta(days=days)
            issued = issue_token(
                user=user, name=options["name"], scopes=options["scopes"] or [Scope.READ], expires_at=expires_at
            )
        except (FeatureStoreError, OverflowError) as error:
            raise CommandError(str(error)) from error
        ends = "never expires" if expires_at is None else f"expires {expires_at:%Y-%m-%d %H:%M} UTC"
        self.stderr.write(f"Token {issued.token.name!r} of {user}, scope {', '.join(issued.token.scopes)}, {ends}:")
        self.stdout.write(issued.key)

#!/usr/bin/env python
"""The commands of the feature store; ``python manage.py help`` lists them."""

import os
import sys

from django.core.management import execute_from_command_line

from catalog.errors import ConfigurationError


def use_named_configuration(arguments: list[str]) -> None:
    """``apply --config PATH``: the file says where the database is, so it counts before settings load."""
    for position, argument in enumerate(arguments):
        name, _, path = argument.partition("=")
        if name == "--config":
            path = path or next(iter(arguments[position + 1 :]), "")
            os.environ["FEATURESTORE_CONFIG"] = path


def main() -> None:
    use_named_configuration(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        # The person who wrote the file needs its faults, not a traceback.
        sys.exit(error.message)


if __name__ == "__main__":
    main()

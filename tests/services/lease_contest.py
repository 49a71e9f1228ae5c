"""One contestant for the lease of a group: ``python -m tests.services.lease_contest GROUP ROUNDS FLAG``.

It takes the lease ROUNDS times. While it holds it, it owns the file FLAG; finding it there means that two hold the
lease at once.
"""

from __future__ import annotations

import os
import sys
import time
from uuid import uuid4

import django
from django.db import OperationalError

django.setup()

from catalog.models import FeatureGroup  # noqa: E402
from ingestion import leases  # noqa: E402


def main(name: str, rounds: int, flag: str) -> None:
    group = FeatureGroup.objects.get(name=name)
    done = 0
    deadline = time.monotonic() + 180
    while done < rounds:
        assert time.monotonic() < deadline, f"only {done} of {rounds} leases were had in time"
        lease = leases.acquire(group, run_id=uuid4())
        if lease is None:
            time.sleep(0.001)
            continue
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        leases.assert_held(lease)
        time.sleep(0.002)
        os.unlink(flag)
        leases.release(lease)
        done += 1


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except OperationalError as error:
        raise SystemExit(f"the database gave up: {error}") from error

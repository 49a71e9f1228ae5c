"""Reads a feature with a key, over and over, until the answer is another: ``python -m tests.services.reading_on KEY``.

Prints ``reading`` when it has values, and at the end, as JSON, the other status and when it last had an answer of 200.
"""

from __future__ import annotations

import json
import sys
import time

import django

django.setup()

from django.test import Client  # noqa: E402  # a process by itself sets Django up

_SECONDS = 60.0


def main() -> None:
    client = Client(headers={"authorization": f"Token {sys.argv[1]}", "host": "localhost"})
    body = json.dumps({"customer_id": 1, "features": ["balance_mean"]})
    end, last, answered = time.monotonic() + _SECONDS, 0.0, 0
    while time.monotonic() < end:
        asked = time.time()
        status = client.post("/api/v1/features/batch", body, content_type="application/json").status_code
        if status != 200:
            print(json.dumps({"status": status, "last": last}), flush=True)
            return
        last, answered = asked, answered + 1
        if answered == 50:
            print("reading", flush=True)
    sys.exit("the answers stayed the same")


if __name__ == "__main__":
    main()

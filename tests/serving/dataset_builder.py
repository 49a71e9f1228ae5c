"""``python -m tests.serving.dataset_builder DATASET [FLAG]``: a worker that builds one training dataset.

With FLAG it makes that file when the values are joined, and stays there until it is killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import pyarrow as pa

django.setup()

from serving.datasets import building  # noqa: E402  # models need the set-up


def main(dataset: str, flag: str = "") -> None:
    joined = building.joined

    def halt(**given: Any) -> pa.Table:
        table = joined(**given)
        if flag:
            Path(flag).touch()
            time.sleep(600)
        return table

    building.joined = halt
    print(building.build_dataset(UUID(dataset)).state)


if __name__ == "__main__":
    main(*sys.argv[1:])

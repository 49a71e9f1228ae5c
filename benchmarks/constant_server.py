"""The constant site behind the same web server as the product's, with the same options but one thread in each worker.

With that it answers most requests.

``python -m benchmarks.constant_server PORT WORKERS``, in the environment of a store.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from featurestore_site.configuration import load_configuration
from featurestore_site.serving_processes import serving_parts

_APPLICATION = "featurestore_site.wsgi:application"
_CONSTANT = "benchmarks.constant_site:application"


def main() -> None:
    port, workers = int(sys.argv[1]), int(sys.argv[2])
    configuration = load_configuration()
    serving = configuration.serving.model_copy(update={"workers": workers, "threads": 1})
    web = serving_parts(replace(configuration, serving=serving), host="127.0.0.1", port=port, worker=False)[0]
    if _APPLICATION not in web.command:
        raise SystemExit(f"the web server is not started with {_APPLICATION}: {web.command}")
    command = [_CONSTANT if part == _APPLICATION else part for part in web.command]
    os.execv(command[0], command)  # one process less between the benchmark and the server


if __name__ == "__main__":
    main()

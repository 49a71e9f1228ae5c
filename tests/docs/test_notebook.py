"""docs/feature_store_demo.ipynb runs from its first cell to its last."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.installation import PROJECT

FILE = PROJECT / "docs" / "feature_store_demo.ipynb"


def printed(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(FILE, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.slow
# The kernel's client opens its sockets and event loop in ways that Python itself warns about.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_it_registers_ingests_discovers_serves_and_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The kernel is this interpreter, whatever kernels the machine knows.
    kernels = tmp_path / "kernels" / "python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(
        f'{{"argv": ["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"], '
        '"display_name": "Python 3", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(FILE, as_version=4)

    NotebookClient(
        notebook, timeout=1_200, kernel_name="python3", resources={"metadata": {"path": FILE.parent}}
    ).execute()

    text = printed(notebook)
    assert "customer_savings" in text
    assert "PRESENT" in text
    score = re.search(r"area under the curve (\d\.\d+)", text)
    assert score is not None
    assert 0.5 < float(score[1]) <= 1

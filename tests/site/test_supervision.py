"""Several processes as one: restarted when one dies, ended together, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from featurestore_site import supervision
from featurestore_site.supervision import Part, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0

# Each part writes its process id to a file of its own, one line per start, and stays.
STAYS = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAYS
PARENT = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1] + '.child', '']); "
    + STAYS
)
SUPERVISES = """
    import os, sys
    from featurestore_site.supervision import Part, Supervisor
    parts = [Part(name, (sys.executable, "-c", sys.argv[1], os.path.join(sys.argv[2], name), sys.argv[3]))
             for name in ("one", "two")]
    Supervisor(parts, environment=os.environ).run()
    print("everything has ended")
"""


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def started(file: Path) -> list[int]:
    """The process ids of the part's starts so far."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def lives(process: int) -> bool:
    """Whether the process is there and more than the trace of one that has ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a supervisor of two parts in a process of its own."""
    processes: list[subprocess.Popen[str]] = []

    def start(part: str = STAYS, more: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", dedent(SUPERVISES), part, str(tmp_path), more]
        processes.append(subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True))
        until(lambda: bool(started(tmp_path / "one")) and bool(started(tmp_path / "two")))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    for file in tmp_path.iterdir():
        for number in started(file):
            if lives(number):
                os.kill(number, signal.SIGKILL)


linux = pytest.mark.skipif(sys.platform != "linux", reason="the wish to die with the parent is Linux's")


@linux
class TestAProcessOfItsOwn:
    def test_a_part_that_dies_is_started_again(self, run: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
        supervisor = run()
        [first] = started(tmp_path / "one")

        os.kill(first, signal.SIGKILL)

        until(lambda: len(started(tmp_path / "one")) == 2)
        assert lives(started(tmp_path / "one")[1])
        assert len(started(tmp_path / "two")) == 1
        supervisor.terminate()
        text, _ = supervisor.communicate(timeout=PATIENCE)
        assert text.splitlines() == ["one ended with code -9; starting it again in 1 s", "everything has ended"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_asked_to_stop_it_ends_everything(
        self, run: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
    ) -> None:
        supervisor = run()

        supervisor.send_signal(number)

        text, _ = supervisor.communicate(timeout=PATIENCE)
        assert (text, supervisor.returncode) == ("everything has ended\n", 0)
        assert not any(lives(process) for name in ("one", "two") for process in started(tmp_path / name))

    def test_killed_its_parts_end_too(self, run: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
        supervisor = run()
        parts = started(tmp_path / "one") + started(tmp_path / "two")

        supervisor.kill()
        supervisor.wait()

        until(lambda: not any(lives(process) for process in parts))

    def test_what_a_dead_part_had_started_ends_with_it(
        self, run: Callable[..., subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        run(PARENT, STAYS)
        until(lambda: bool(started(tmp_path / "one.child")))
        [child] = started(tmp_path / "one.child")

        os.kill(started(tmp_path / "one")[0], signal.SIGKILL)

        until(lambda: not lives(child))


def stopped_when(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    """Run the supervisor here until ``condition`` holds."""

    def stop() -> None:
        until(condition)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    supervisor.run()
    thread.join()


@linux
class TestHere:
    def part(self, code: str, *arguments: str) -> Part:
        return Part("part", (sys.executable, "-c", code, *arguments))

    def test_one_that_does_not_end_is_killed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supervision, "_GRACE_SECONDS", 0.2)
        said: list[str] = []
        file = tmp_path / "part"
        supervisor = Supervisor([self.part(STUBBORN, str(file))], environment=os.environ, say=said.append)

        stopped_when(supervisor, lambda: bool(started(file)))

        assert said == ["part does not end; it is killed"]
        assert not lives(started(file)[0])

    def test_the_pause_doubles_with_each_failure(self) -> None:
        said: list[str] = []
        supervisor = Supervisor([self.part("raise SystemExit(3)")], environment=os.environ, say=said.append)

        stopped_when(supervisor, lambda: len(said) == 3)

        assert said == [f"part ended with code 3; starting it again in {pause} s" for pause in (1, 2, 4)]

    def test_a_command_that_is_not_there_leaves_no_other_behind(self, tmp_path: Path) -> None:
        file = tmp_path / "part"
        parts = [self.part(STAYS, str(file)), Part("missing", (str(tmp_path / "missing"),))]
        kept = signal.getsignal(signal.SIGTERM)

        with pytest.raises(FileNotFoundError):
            Supervisor(parts, environment=os.environ).run()

        assert signal.getsignal(signal.SIGTERM) == kept
        until(lambda: not any(lives(process) for process in started(file)))

    def test_parts_get_the_environment_they_are_given(self, tmp_path: Path) -> None:
        file = tmp_path / "part"
        code = "import os, sys, time; open(sys.argv[1], 'w').write(os.environ.get('X', '-')); time.sleep(600)"
        supervisor = Supervisor([self.part(code, str(file))], environment={"X": "given"})

        stopped_when(supervisor, lambda: file.exists() and bool(file.read_text()))

        assert file.read_text() == "given"

    def test_a_part_gives_way_as_far_as_it_is_told(self, tmp_path: Path) -> None:
        file = tmp_path / "part"
        code = "import os, sys, time; print(os.nice(0), file=open(sys.argv[1], 'w'), flush=True); time.sleep(600)"
        part = Part("part", (sys.executable, "-c", code, str(file)), niceness=5)

        stopped_when(Supervisor([part], environment=os.environ), lambda: file.exists() and bool(file.read_text()))

        assert int(file.read_text()) == min(os.nice(0) + 5, 19)

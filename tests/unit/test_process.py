# SPDX-License-Identifier: Apache-2.0
"""Child processes: limits, whole-group kills, interrupts, and what they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from touchstone.process import OUTPUT_TAIL_BYTES, ProcessRegistry, ProcessResult, run_limited

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pid", "w").write(str(child.pid))
open("ready", "w").close()
time.sleep({seconds})
"""


def run(
    folder: Path, code: str, seconds: float = 20.0, registry: ProcessRegistry | None = None
) -> ProcessResult:
    command = [sys.executable, "-c", code]
    return run_limited(command, folder, seconds, registry or ProcessRegistry())


def alive(pid: int) -> bool:
    """Whether a process runs: one that nobody has waited for yet does not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout.strip()[:1] not in ("", "Z")


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_end_and_output(tmp_path: Path) -> None:
    ended = run(tmp_path, "import sys; print('out'); sys.stderr.write('err'); sys.exit(3)")
    assert (ended.returncode, ended.timed_out, ended.interrupted) == (3, False, False)
    assert sorted(ended.output.split()) == ["err", "out"]
    assert list(tmp_path.iterdir()) == []


def test_output_is_a_tail(tmp_path: Path) -> None:
    ended = run(tmp_path, "print('x' * 100_000 + '\\xff' + 'the end')")
    assert ended.output.endswith("the end\n")
    assert len(ended.output) <= OUTPUT_TAIL_BYTES


def test_output_that_is_no_text(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os; os.write(1, b'a\\xff\\xfeb')")
    assert ended.output.startswith("a")
    assert ended.output.endswith("b")


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys; print(repr(sys.stdin.read()))").output == "''\n"


def test_signal(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os; os.kill(os.getpid(), 11)")
    assert ended.returncode == -signal.SIGSEGV
    assert not ended.timed_out


def test_limit_kills_children_too(tmp_path: Path) -> None:
    start = time.monotonic()
    ended = run(tmp_path, FAMILY.format(seconds=60), seconds=1.5)
    assert ended.timed_out
    assert 1.4 < time.monotonic() - start < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_end_kills_what_is_left_behind(tmp_path: Path) -> None:
    ended = run(tmp_path, FAMILY.format(seconds=0))
    assert (ended.returncode, ended.timed_out) == (0, False)
    assert gone(int((tmp_path / "pid").read_text()))


def test_interrupt_kills_at_once(tmp_path: Path) -> None:
    registry = ProcessRegistry()
    found: list[ProcessResult] = []
    thread = threading.Thread(
        target=lambda: found.append(run(tmp_path, FAMILY.format(seconds=60), 60, registry))
    )
    thread.start()
    wait_for(tmp_path / "ready")
    start = time.monotonic()
    registry.interrupt()
    thread.join(timeout=10)
    assert time.monotonic() - start < 5
    assert found[0].interrupted
    assert not found[0].timed_out
    assert gone(int((tmp_path / "pid").read_text()))


def test_nothing_starts_after_an_interrupt(tmp_path: Path) -> None:
    registry = ProcessRegistry()
    registry.interrupt()
    start = time.monotonic()
    ended = run(tmp_path, "import time; time.sleep(60)", 60, registry)
    assert time.monotonic() - start < 10
    assert ended.interrupted
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_forwarded(tmp_path: Path, number: signal.Signals) -> None:
    """In a process of its own, whose handlers do nothing, as SCons' do while it builds."""
    code = f"""
import signal, sys, threading
from pathlib import Path
from touchstone.process import ProcessRegistry, run_limited
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: None)
registry = ProcessRegistry()
registry.forward_signals()
command = [sys.executable, "-c", {FAMILY.format(seconds=60)!r}]
ended = run_limited(command, Path.cwd(), 60, registry)
print(ended.interrupted, registry.interrupted, flush=True)
"""
    folders = Path(__file__).resolve().parents[2] / "site_scons"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folders)},
    )
    wait_for(tmp_path / "ready")
    child.send_signal(number)
    output, _ = child.communicate(timeout=10)
    assert output == "True True\n"
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no limit of a child's memory")
def test_memory_limit(tmp_path: Path) -> None:
    code = "import time; time.sleep(0.5); bytearray(900_000_000); print('had it')"
    command = [sys.executable, "-c", code]
    ended = run_limited(command, tmp_path, 20, ProcessRegistry(), memory_megabytes=300)
    assert ended.returncode != 0
    assert "MemoryError" in ended.output
    assert "had it" in run_limited(command, tmp_path, 20, ProcessRegistry()).output

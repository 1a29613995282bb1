# SPDX-License-Identifier: Apache-2.0
"""What the Renode adapter makes of its process, on a stand-in for it (tests/data/fake_renode.py);
tests/simulators/test_renode.py has the real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.simulators import renode, renode_process
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun, Unit
from touchstone.simulators.renode_process import RenodeProcess

ROOT = Path(__file__).parents[2]
FAKE = ROOT / "tests" / "data" / "fake_renode.py"
LIMITS = Limits(instructions=10_000, wall_seconds=10)
ACCESS = "sysbus: [cpu: 0x8000494] ReadDoubleWord from non existing peripheral at 0x60000000."
ABORT = "cpu: CPU abort [PC=0x50000000]: Trying to execute code outside RAM or ROM at 0x50000000."
FAULT = (
    "fault: exception 0x00000003, CFSR 0x00008200, HFSR 0x40000000, address 0x60000000, "
    "pc 0x08000494"
)


class Bench:
    """The adapter on a checkout's worth of scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "tmp"
        targets = folder / "targets"
        for name in ("stm32l4", renode_process.COMMON):
            shutil.copytree(ROOT / "targets" / name, targets / name)
        self.scripts = targets / "stm32l4"
        self.registry = ProcessRegistry()
        self.simulator = renode.RenodeSimulator("renode", FAKE, self.scripts, self.scratch)

    def run(self, image: str, limits: Limits = LIMITS) -> SimulatorRun:
        return self.simulator.run(image.encode(), limits, self.folder, self.registry)

    def left(self) -> list[str]:
        return [path.name for path in self.scratch.iterdir()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.registry.workers.close()
    assert made.left() == []
    assert not made.registry._groups


def test_runs_share_a_process(bench: Bench) -> None:
    runs = [bench.run(f"exit {word}") for word in ("one", "two", "three")]
    assert [(run.status, run.stream, run.log) for run in runs] == [
        (RunStatus.COMPLETED, b"one", "run 1\n"),
        (RunStatus.COMPLETED, b"two", "run 2\n"),
        (RunStatus.COMPLETED, b"three", "run 3\n"),
    ]
    assert runs[0].counter.unit is Unit.INSTRUCTIONS
    assert runs[0].counter_reads is None
    assert runs[0].instructions == 1000
    assert len(bench.left()) == 1


@pytest.mark.parametrize(
    ("image", "status", "reason"),
    [
        ("die", RunStatus.CRASH, "the simulator was killed by signal 6"),
        ("leave", RunStatus.CRASH, "the simulator ended with status 3 and no result"),
        ("complain sysbus: odd", RunStatus.CRASH, "sysbus: odd"),
        (f"complain {ACCESS}", RunStatus.CRASH, ACCESS),
        (f"complain {ABORT}", RunStatus.CRASH, ABORT),
        ("refuse", RunStatus.CRASH,
         "There was an error executing command 'touchstone' no such thing"),
        ("garbage ended: exit", RunStatus.CRASH, "the result file is damaged"),
        ("garbage", RunStatus.CRASH, "the result file is damaged"),
        ("fail x", RunStatus.CRASH, "the firmware exited with 101"),
        ("endless", RunStatus.TIMEOUT, "limit of 10000 simulated instructions reached"),
        ("long", RunStatus.TIMEOUT, "limit of 10000 simulated instructions reached"),
        ("silent", RunStatus.NO_OUTPUT, "the firmware ended without a result"),
    ],
)  # fmt: skip
def test_each_way_of_dying_is_that_runs_alone(
    bench: Bench, image: str, status: RunStatus, reason: str
) -> None:
    assert bench.run("exit before").status is RunStatus.COMPLETED
    run = bench.run(image)
    assert (run.status, run.reason) == (status, reason)
    assert bench.run("exit after").status is RunStatus.COMPLETED


def test_faults_say_where(bench: Bench) -> None:
    access = bench.run(f"complain {ACCESS}").fault
    assert access is not None
    assert (access.kind, access.pc, access.address) == ("memory-access", 0x08000494, 0x60000000)
    abort = bench.run(f"complain {ABORT}").fault
    assert abort is not None
    assert (abort.kind, abort.pc) == ("instruction-fetch", 0x50000000)
    own = bench.run(f"fail {FAULT}")
    assert own.fault is not None
    assert own.reason.startswith("fault at address 0x60000000 on core 0, pc 0x08000494")


def test_wall_limit_kills_it(bench: Bench) -> None:
    run = bench.run("hang", Limits(10_000, 0.5))
    assert (run.status, run.reason) == (RunStatus.TIMEOUT, "wall limit of 0.5 s reached")
    assert bench.left() == []


def test_interrupt(bench: Bench) -> None:
    assert bench.run("exit idle").status is RunStatus.COMPLETED
    runs: list[SimulatorRun] = []
    thread = threading.Thread(target=lambda: runs.append(bench.run("hang")))
    thread.start()
    time.sleep(0.5)
    bench.registry.interrupt()
    thread.join(timeout=10)
    assert (runs[0].status, runs[0].reason) == (RunStatus.CRASH, "interrupted")
    # Nothing new starts from then on.
    assert bench.run("exit later").reason == "interrupted"


def test_killed_between_two_runs_is_no_runs_fault(bench: Bench) -> None:
    assert bench.run("exit one").status is RunStatus.COMPLETED
    (group,) = bench.registry._groups
    os.killpg(group, signal.SIGKILL)
    time.sleep(0.2)
    run = bench.run("exit two")
    assert (run.status, run.stream) == (RunStatus.COMPLETED, b"two")


def test_killed_in_a_run(bench: Bench) -> None:
    assert bench.run("exit one").status is RunStatus.COMPLETED
    (group,) = bench.registry._groups
    threading.Timer(0.5, os.killpg, (group, signal.SIGKILL)).start()
    run = bench.run("hang")
    assert (run.status, run.reason) == (RunStatus.CRASH, "the simulator was killed by signal 9")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("broken", "Renode does not start: No such command or device: broken"),
        (None, "Renode does not start: There was an error executing command "
         "'i @stm32l4/renode_machine.resc' File does not exist: stm32l4/renode_machine.resc"),
    ],
)  # fmt: skip
def test_a_machine_that_cannot_be_made(bench: Bench, text: str | None, reason: str) -> None:
    script = bench.scripts / renode_process.MACHINE
    script.unlink()
    if text is not None:
        script.write_text(text)
    run = bench.run("exit one")
    assert (run.status, run.reason) == (RunStatus.CRASH, reason)


def test_a_program_that_is_none(bench: Bench) -> None:
    simulator = renode.RenodeSimulator("renode", bench.folder, bench.scripts, bench.scratch)
    run = simulator.run(b"", LIMITS, bench.folder, bench.registry)
    assert run.status is RunStatus.CRASH
    assert run.reason.startswith("Renode does not start: ")


def test_processes_are_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renode_process, "MOST_RUNS", 2)
    logs = [bench.run(f"exit {number}").log for number in range(5)]
    assert logs == ["run 1\n", "run 2\n", "run 1\n", "run 2\n", "run 1\n"]


def test_paths_that_the_monitor_cannot_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "a space, an ü")
    assert bench.run("exit one").status is RunStatus.COMPLETED
    assert bench.left() == []
    process = bench.registry.workers.take(f"{FAKE} {bench.scripts}")
    assert isinstance(process, RenodeProcess)
    home = process._home
    assert home.is_dir()
    process.end()
    assert not home.exists()


def test_all_idle_ones_end_with_the_command(bench: Bench) -> None:
    bench.run("exit one")
    groups = set(bench.registry._groups)
    bench.registry.workers.close()
    for group in groups:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def test_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "digests.json"
    first = renode.fingerprint(str(FAKE), memory)
    assert renode.fingerprint(str(FAKE), memory) == first
    assert renode.version(tmp_path) == "1.16.1.1"
    assert "1.16.1.1" in renode.clock(tmp_path)
    monkeypatch.setenv("FAKE_RENODE_VERSION", "Renode v1.17.0.20261")
    assert renode.fingerprint(str(FAKE), memory) != first
    assert json.loads((tmp_path / "renode.json").read_text())["version"] == "1.17.0.20261"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("Renode v1.15.3.1", "found Renode v1.15.3.1, allowed 1.16.1 and later"),
        ("hello", "found no version in its answer"),
    ],
)
def test_versions_that_are_refused(
    said: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RENODE_VERSION", said)
    with pytest.raises(UserError, match=complaint):
        renode.ask_version(str(FAKE))


def test_settings_name_the_machine_and_its_scripts() -> None:
    settings = renode.settings({"name": "stm32l4"})
    assert settings["machine"] == "stm32l4"
    assert settings != renode.settings({"name": "stm32h7"})
    with pytest.raises(UserError, match=r"Renode needs targets/gap9/renode_machine\.resc"):
        renode.settings({"name": "gap9"})

# SPDX-License-Identifier: Apache-2.0
"""A Cortex-M simulator that is killed in the middle of a build: a CRASH of that cell, and of no
other, and no process is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from installed import QEMU, RENODE, needs

from tests.e2e.project import Project, kill_below, processes_below

SHAPE = "S4-E6-P3-H2"
HANGS, OTHERS = "softmax", ("gelu", "linear_qk")
KERNEL = "kernels/softmax/armv7em.c"
START = "    (void)scratch;\n"
LOOP = START + '    for (;;)\n        __asm__ volatile("nop");\n'
# Names of the programs that do the simulating.
PROGRAMS = {"unicorn": ("cortexm_sim",), "qemu": (QEMU,), "renode": ("Renode", "renode")}
SIMULATORS = (
    "unicorn",
    pytest.param("qemu", marks=needs(QEMU)),
    pytest.param("renode", marks=needs(RENODE)),
)


@pytest.fixture(scope="module")
def hanging(
    tmp_path_factory: pytest.TempPathFactory, copy_of_template: Callable[[Path], Project]
) -> Project:
    """A checkout whose softmax never ends, and whose limit of instructions is out of reach."""
    project = copy_of_template(tmp_path_factory.mktemp("killed") / "project")
    limit = "base_instructions: 20000000"
    project.replace("targets/stm32l4/target.yaml", limit, f"{limit}00000")
    project.replace(KERNEL, START, LOOP)
    return project


def cell(kernel: str, simulator: str) -> str:
    word = "" if simulator == "unicorn" else f"/{simulator}"
    return f"stm32l4/{kernel}/{SHAPE}/c1{word}"


def simulating(project: Project, simulator: str) -> list[int]:
    """The processes of a simulator that this project has started. Renode leaves its folder."""
    found = []
    own = set(processes_below(project.folder))
    mark = f"TMPDIR={project.folder}/".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            is_own = int(entry.name) in own or mark in (entry / "environ").read_bytes()
        except OSError:
            continue
        names = {os.path.basename(os.fsdecode(word)).removesuffix(".exe") for word in words[:2]}
        if is_own and names & set(PROGRAMS[simulator]):
            found.append(int(entry.name))
    return found


def wait_until_only_one_is_left(
    project: Project, simulator: str, running: subprocess.Popen[str]
) -> None:
    verdicts = [project.cell(cell(kernel, simulator), "verdict.json") for kernel in OTHERS]
    end = time.monotonic() + 90
    while not (all(path.exists() for path in verdicts) and simulating(project, simulator)):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    time.sleep(0.5)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at /proc")
@pytest.mark.parametrize("simulator", SIMULATORS)
def test_killed(hanging: Project, simulator: str) -> None:
    running = hanging.start("-j2", "target=stm32l4", f"sim={simulator}")
    try:
        wait_until_only_one_is_left(hanging, simulator, running)
        # One that dies may be given a second try.
        end = time.monotonic() + 60
        while running.poll() is None and time.monotonic() < end:
            for process in simulating(hanging, simulator):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.3)
        output, _ = running.communicate(timeout=10)
    finally:
        running.kill()
        left = [*kill_below(hanging.folder), *simulating(hanging, simulator)]
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    assert running.returncode != 0
    document = json.loads(hanging.path("build/report/results.json").read_text())
    found = {row["id"]: row["status"] for row in document["cells"]}
    assert found.pop(cell(HANGS, simulator)) == "CRASH", output
    assert found == {cell(kernel, simulator): "PASS" for kernel in OTHERS}
    (reason,) = (row["reason"] for row in document["cells"] if row["status"] == "CRASH")
    assert reason.startswith("the simulator ")
    assert left == []

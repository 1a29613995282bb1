# SPDX-License-Identifier: Apache-2.0
"""executor=dask://...: scheduler and workers on the loopback, one killed in the middle."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import CELLS, GAP9, SECONDS, Project, environment_of, scons_command, simulations

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask.distributed is not installed"
)
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
STARTED_SECONDS = 60.0


class Cluster:
    """A scheduler and workers, each a process of its own that nobody restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("dask_scheduler", "--port", "0")
        _until(self.file.exists)

    @property
    def address(self) -> str:
        place: str = json.loads(self.file.read_text())["address"]
        return place.replace("tcp://", "dask://")

    def worker(self, *words: str) -> subprocess.Popen[bytes]:
        folder = str(self.folder / f"worker{len(self.processes)}")
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
        return self._start("dask_worker", *options, *words)

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        common = ["--scheduler-file", str(self.file), "--host", "127.0.0.1"]
        figures = ["--dashboard-address", "127.0.0.1:0"]
        log = (self.folder / "log.txt").open("ab")
        # Nothing of Touchstone is where they run: its code is sent to them.
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *common, *figures, *words],
            cwd=self.folder,
            env=environment_of({}),
            stdout=log,
            stderr=log,
        )
        self.processes.append(process)
        return process

    def ready(self, count: int) -> None:
        from distributed import Client

        place = self.address.replace("dask://", "tcp://")
        with Client(place, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=STARTED_SECONDS)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def _until(done: object) -> None:
    ends = time.monotonic() + STARTED_SECONDS
    while not done():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.end()


def forget_runs(project: Project) -> dict[str, bytes]:
    """Take the runs and their cache entries away; what they were."""
    runs = {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS}
    for cell in CELLS:
        project.cell(cell, "cell.run").unlink()
    project.path("build/cache").rename(project.path("build/cache.before"))
    return runs


def entries(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.glob("*/*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def test_a_worker_killed_in_the_middle(project: Project, cluster: Cluster) -> None:
    """The other one does the rest; results and cache entries are those of the local build."""
    lost, kept = cluster.worker(), cluster.worker()
    cluster.ready(2)
    before = project.path("build/report/results.json").read_bytes()
    runs = forget_runs(project)
    process = project.start(f"executor={cluster.address}")
    _until(lambda: sum(project.cell(cell, "cell.run").exists() for cell in CELLS) >= 2)
    os.kill(lost.pid, signal.SIGKILL)
    there = [cell for cell in CELLS if project.cell(cell, "cell.run").exists()]
    assert len(there) < len(CELLS)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert (lost.wait(timeout=10), kept.poll()) == (-signal.SIGKILL, None)
    assert {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS} == runs
    made, known = entries(project.path("build/cache")), entries(project.path("build/cache.before"))
    assert len(made) >= len(CELLS)
    assert made.items() <= known.items()
    rows = json.loads(project.path("build/report/results.json").read_text())["cells"]
    old = json.loads(before)["cells"]
    same = ("id", "status", "cycles", "cycles_cold", "instructions", "stack_bytes")
    assert [[row[k] for k in same] for row in rows] == [[row[k] for k in same] for row in old]
    again = project.run()
    assert again.built == {"gate": {"build/report/gate"}}


@pytest.mark.nightly
def test_a_failing_cell_is_no_failing_worker(project: Project, cluster: Cluster) -> None:
    cluster.worker()
    cluster.ready(1)
    project.replace("kernels/gelu/portable.c", "[i] = ", "[i] = 1 + ")
    cell = GAP9[0]
    ended = project.run(f"cell={cell}", f"executor={cluster.address}")
    assert (ended.status, ended.statuses) == (1, {cell: "FAIL"})
    assert ended.built["simulate"] == simulations(cell)["simulate"]


@pytest.mark.nightly
def test_an_installed_simulator_is_a_resource(project: Project, cluster: Cluster) -> None:
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("no qemu-system-arm")
    cluster.worker()
    cluster.ready(1)
    words = ("target=stm32l4", "kernel=gelu", "sim=qemu", f"executor={cluster.address}")
    refused = project.run(*words)
    assert refused.status == 2
    assert "found no worker with the resource qemu" in refused.error
    cluster.worker("--resources", "qemu=1")
    cluster.ready(2)
    ended = project.run(*words)
    assert set(ended.statuses.values()) == {"PASS"}, ended.output


@pytest.mark.nightly
def test_no_scheduler_there(project: Project) -> None:
    ended = project.run("executor=dask://127.0.0.1:9", "kernel=gelu")
    assert ended.status == 2
    assert ended.error.startswith("touchstone: executor=dask://127.0.0.1:9: found no scheduler")
    assert ended.error.count("\n") == 1


@pytest.mark.nightly
def test_cluster_word_listens_on_loopback_alone(project: Project) -> None:
    """Scheduler, workers, nannies and their figures; an interrupt ends them all."""
    import psutil

    process = subprocess.Popen(
        scons_command("cluster", "workers=2", "port=0"),
        cwd=project.folder,
        env=environment_of({}),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r"executor=dask://127\.0\.0\.1:[0-9]+\n", line)
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    listening = [
        connection.laddr.ip
        for member in family
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert set(listening) <= set(LOOPBACK)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(family[1:], timeout=30)
    assert alive == []

# SPDX-License-Identifier: Apache-2.0
"""What runs in a dask worker; sent to it as it stands. Nothing of Touchstone is installed there:
the standard library and dask only. Each simulation is an interpreter of its own, on files that were
sent once and are known by their content."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin, get_worker

SPARE_SECONDS = 60.0


class SentFile(WorkerPlugin):
    """A file that every worker gets, also those that come later: a plugin of dask's."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data

    def setup(self, worker: Any) -> None:
        """Called by dask in each worker."""
        folder = Path(worker.local_directory) / "touchstone"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name
        if path.exists():
            return
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(self.data)
        if self.name.endswith(".zip"):
            unpacked = tempfile.mkdtemp(dir=folder)
            with zipfile.ZipFile(temporary) as archive:
                archive.extractall(unpacked)
            os.replace(unpacked, folder / self.name.removesuffix(".zip"))
        os.chmod(temporary, 0o755)
        os.replace(temporary, path)


def host() -> str:
    """The kind of machine: an embedded simulator is built for the client's."""
    return f"{platform.system()} {platform.machine()}"


def simulate(code: str, task: bytes, firmware: bytes, inputs: bytes) -> bytes:
    """The contents of cell.run. `code` is the name of Touchstone's own; `task` is JSON."""
    folder = Path(get_worker().local_directory) / "touchstone"
    document = json.loads(task)
    if document["host"] not in (None, host()):
        raise RuntimeError(
            f"the worker is {host()}, its simulator was built for {document['host']}"
        )
    for name in (f"{code}.zip", *document["files"]):
        if not (folder / name).exists():
            raise RuntimeError(f"the worker was not sent {name}")
    with tempfile.TemporaryDirectory(dir=folder, prefix="run-") as place:
        for name, data in (("firmware", firmware), ("inputs", inputs), ("task.json", task)):
            Path(place, name).write_bytes(data)
        _run(folder / code, folder, place, document["spec"]["wall_seconds"] + SPARE_SECONDS)
        return Path(place, "cell.run").read_bytes()


def _run(code: Path, files: Path, place: str, seconds: float) -> None:
    command = [sys.executable, "-m", "touchstone.executors.task", place, str(files)]
    child = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(code)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise RuntimeError(f"no end within {seconds:g} s") from None
    if child.returncode != 0:
        last = output.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise RuntimeError(f"status {child.returncode}: {''.join(last)}")


def content_name(data: bytes, suffix: str = "") -> str:
    """What a sent file is called."""
    return hashlib.sha256(data).hexdigest()[:40] + suffix

# SPDX-License-Identifier: Apache-2.0
"""`executor=dask://HOST:PORT`: cells are simulated by the workers of a dask.distributed cluster.

Dask hands a lost worker's cells to others; what a cell needs of a worker is a resource. Only
simulations go out: everything else is the build's, so that results, cache entries and what an edit
makes run again are those of a local build.
"""

from __future__ import annotations

import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import write_atomically
from touchstone.process import ProcessRegistry
from touchstone.runfile import CellRun, read_run
from touchstone.simulators.registry import EXTERNAL
from touchstone.stages import StageError

LOCAL = "local"
FORM = "local or dask://HOST:PORT"
ADVICE = "install what requirements-dask.lock names (./scons does it by itself)"
CONNECT_SECONDS = 15
ALONE_SECONDS = 60.0
POLL_SECONDS = 1.0
RETRIES = 2
SENDINGS = 5


@dataclass(frozen=True)
class Address:
    """A scheduler's place."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{self.host}:{self.port}"


def parse_executor(text: str) -> Address | None:
    """What `executor=` says; None is local."""
    if text == LOCAL:
        return None
    match = re.fullmatch(r"dask://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise UserError(f"executor={text}: found {text!r}, allowed {FORM}")
    return Address(match[1], int(match[2]))


def connect(said: str, simulators: Sequence[str]) -> DaskExecutor | None:
    """The executor that executor= names, None for a local one; UserError where it cannot work."""
    address = parse_executor(said)
    if address is None:
        return None
    try:
        import cloudpickle
        import distributed

        from touchstone.executors import worker
    except ImportError:
        raise UserError(f"executor={said}: dask.distributed is not installed: {ADVICE}") from None
    try:
        client = distributed.Client(  # type: ignore[no-untyped-call]
            str(address), timeout=CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, TimeoutError) as error:
        raise UserError(f"executor={said}: found no scheduler there ({error})") from None
    cloudpickle.register_pickle_by_value(worker)
    executor = DaskExecutor(client, said)
    executor.check(simulators)
    return executor


def resources_of(simulator: str) -> dict[str, float]:
    """What a worker must have for a simulator: one of its name where somebody installs it."""
    return {simulator: 1} if simulator in EXTERNAL else {}


class DaskExecutor:
    """A connection to a cluster; called from the build's threads."""

    def __init__(self, client: Any, said: str) -> None:
        self._client = client
        self._said = said
        self._lock = threading.Lock()
        self._sent: set[str] = set()
        self._code = ""

    def check(self, simulators: Sequence[str]) -> None:
        """UserError unless there are workers, and for each simulator one that may run it."""
        workers = self._workers()
        if not workers:
            raise UserError(f"executor={self._said}: found no worker, allowed at least one")
        for name in simulators:
            for resource in resources_of(name):
                if not any(entry["resources"].get(resource) for entry in workers.values()):
                    raise UserError(
                        f"executor={self._said}: found no worker with the resource {resource}, "
                        f"allowed one that was started with --resources {resource}=1"
                    )

    @property
    def slots(self) -> int:
        """How many cells the workers simulate at once."""
        return max(1, sum(int(entry["nthreads"]) for entry in self._workers().values()))

    def _workers(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return found

    def simulate(
        self,
        firmware: Path,
        inputs: Path,
        spec: Mapping[str, Any],
        files: Sequence[Path],
        run: Path,
        registry: ProcessRegistry,
    ) -> CellRun:
        """Simulate one cell; what the worker wrote is put at `run`. StageError if none could."""
        from touchstone.executors import worker

        embedded = spec["simulator"] not in EXTERNAL
        task = {
            "spec": spec,
            "files": [self._send(path.read_bytes()) for path in files] if embedded else [],
            "host": worker.host() if embedded else None,
        }
        function = worker.simulate

        def call(*arguments: Any) -> bytes:
            """Of a module that no worker has: a function in a function is sent whole."""
            return function(*arguments)

        future = self._client.submit(
            call,
            self._send_code(),
            json.dumps(task, sort_keys=True).encode("ascii"),
            firmware.read_bytes(),
            inputs.read_bytes(),
            resources=resources_of(spec["simulator"]) or None,
            retries=RETRIES,
            pure=False,
        )
        write_atomically(run, self._result(future, registry))
        return read_run(run)

    def _result(self, future: Any, registry: ProcessRegistry) -> bytes:
        """What comes back; gives up where there has been no worker for a while."""
        alone_since = None
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        try:
            while not ended.wait(POLL_SECONDS):
                if registry.interrupted:
                    raise StageError("interrupted")
                if self._workers():
                    alone_since = None
                elif alone_since is None:
                    alone_since = time.monotonic()
                elif time.monotonic() - alone_since > ALONE_SECONDS:
                    raise StageError(f"executor={self._said}: no worker is left")
            data: bytes = future.result()
        except (StageError, KeyboardInterrupt):
            future.cancel()
            raise
        except Exception as error:
            # Whatever went wrong in dask or in a worker is this cell's build error.
            reason = str(error).strip().splitlines() or [""]
            raise StageError(
                f"executor={self._said}: {type(error).__name__}: {reason[0]}"
            ) from error
        return data

    def _send(self, data: bytes, suffix: str = "") -> str:
        """Give every worker a file, those that come later too; its name there."""
        from touchstone.executors import worker

        name = worker.content_name(data, suffix)
        with self._lock:
            if name not in self._sent:
                self._register(worker.SentFile(name, data))
                self._sent.add(name)
        return name

    def _register(self, file: Any) -> None:
        """Again where a worker is lost while it is being sent the file: the others may have it."""
        for left in reversed(range(SENDINGS)):
            try:
                self._client.register_plugin(file, name=f"touchstone-{file.name}")
            except OSError as error:
                if left == 0:
                    raise StageError(f"executor={self._said}: {error}") from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def _send_code(self) -> str:
        if not self._code:
            self._code = self._send(own_code(), ".zip").removesuffix(".zip")
        return self._code

    def close(self) -> None:
        """Let go of the cluster."""
        self._client.close()


def own_code() -> bytes:
    """Touchstone's Python as a zip file, the same bytes for the same code."""
    package = Path(__file__).resolve().parents[1]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(package.rglob("*.py")):
            name = path.relative_to(package.parent).as_posix()
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return made.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""The simulators that speak GDB's protocol, each started on an image with nothing executed yet.

Each is a context: in it the protocol is served, after it the process and what it started are gone.
QEMU listens on the loopback alone. Renode and GVSOC listen on every interface and cannot be told
otherwise; whoever connects reads and writes the simulated memory, nothing of the host's.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry, kill_group
from touchstone.simulators import gvsoc, qemu, renode
from touchstone.simulators.console import split_console
from touchstone.simulators.gvsoc_config import configure
from touchstone.simulators.gvsoc_console import Console
from touchstone.simulators.gvsoc_install import load_configuration, prepare
from touchstone.simulators.renode_process import RenodeError, RenodeProcess

START_SECONDS = 60.0
POLL_SECONDS = 0.02
LISTENING = re.compile(r"^GDB server listening on port (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Debuggee:
    """What is to be debugged.

    `settings` are those of the run; `folder` is for files of the simulator's own, `build` has what
    is prepared once for all runs; `port` is free.
    """

    image: Path
    settings: Mapping[str, Any]
    program: Path
    folder: Path
    build: Path
    port: int


@dataclass(frozen=True)
class Served:
    """GDB's protocol is served on `port`; `wait` returns the simulator's status at its end."""

    port: int
    wait: Callable[[], int]


@contextlib.contextmanager
def _process(
    command: list[str], debuggee: Debuggee, **words: Any
) -> Iterator[subprocess.Popen[Any]]:
    """A simulator in a session of its own: an interrupt at the terminal is the debugger's."""
    child = subprocess.Popen(
        command, cwd=debuggee.folder, stdin=subprocess.DEVNULL, start_new_session=True, **words
    )
    try:
        yield child
    finally:
        kill_group(child.pid)
        child.wait()


@contextlib.contextmanager
def serve_qemu(debuggee: Debuggee) -> Iterator[Served]:
    """QEMU, frozen ahead of the first instruction; the firmware's log is on standard error."""
    words = (str(debuggee.program), "-M", debuggee.settings["machine"], *qemu.OPTIONS)
    address = f"tcp:127.0.0.1:{debuggee.port}"
    command = [*words, "-kernel", str(debuggee.image), "-S", "-gdb", address]
    with _process(command, debuggee, stdout=subprocess.DEVNULL) as child:
        yield Served(debuggee.port, child.wait)


@contextlib.contextmanager
def serve_renode(debuggee: Debuggee) -> Iterator[Served]:
    """Renode with the target's machine, halted; it ends with the firmware."""
    simulator = renode.make("renode", debuggee.settings, [debuggee.program, debuggee.folder])
    try:
        process = RenodeProcess(
            simulator.program, simulator.scripts, simulator.scratch, ProcessRegistry()
        )
        try:
            process.serve_debugger(debuggee.image.read_bytes(), debuggee.port)
            yield Served(debuggee.port, process.wait)
        finally:
            process.end()
    except RenodeError as error:
        raise UserError(f"gdb=1: {error}") from None


@contextlib.contextmanager
def serve_gvsoc(debuggee: Debuggee) -> Iterator[Served]:
    """GVSOC with every core halted: a thread each to the debugger."""
    simulator = gvsoc.make("gvsoc", debuggee.settings, [debuggee.program, debuggee.build])
    prepared = prepare(simulator.installation, simulator.prepared, ProcessRegistry(), os.environ)
    document = configure(load_configuration(prepared), simulator.settings, debuggee.image)
    server = document["target"]["chip"]["soc"].get("gdbserver")
    if not isinstance(server, dict):
        raise UserError("gdb=1: this GVSOC's pulp-open has no GDB server")
    server.update(enabled=True, port=debuggee.port)
    configuration = debuggee.folder / "configuration.json"
    configuration.write_text(json.dumps(document), "ascii")
    said = debuggee.folder / "said.txt"
    command = [str(simulator.installation.launcher), f"--config={configuration}"]
    environment = simulator.installation.environment(os.environ)
    with said.open("wb") as output, Console(debuggee.folder) as console:
        words = {"stdout": output, "stderr": subprocess.STDOUT, "env": environment}
        with _process(command, debuggee, **words) as child:
            yield Served(_listening(child, said), child.wait)
    print(split_console(console.data)[1].decode("utf-8", "replace"), end="", flush=True)


def _listening(child: subprocess.Popen[Any], said: Path) -> int:
    """The port that GVSOC took: the next free one where that asked for is taken."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None:
        found = LISTENING.search(said.read_text("utf-8", "replace"))
        if found is not None:
            return int(found[1])
        time.sleep(POLL_SECONDS)
    lines = said.read_text("utf-8", "replace").strip().splitlines()
    raise UserError(f"gdb=1: GVSOC serves no GDB: {lines[-1] if lines else 'it says nothing'}")


Server = Callable[[Debuggee], AbstractContextManager[Served]]
# By simulator; where several are installed, the first one is taken.
SERVERS: Mapping[str, Server] = MappingProxyType(
    {"qemu": serve_qemu, "renode": serve_renode, "gvsoc": serve_gvsoc}
)

# SPDX-License-Identifier: Apache-2.0
"""Child processes that cannot outlive us: own process group, wall limit, whole-group kill."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.workers import Workers

OUTPUT_TAIL_BYTES = 16 * 1024
FILE_MEGABYTES = 64
SPARE_SECONDS = 10
POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class ProcessResult:
    """How a child ended; `output` is the tail of its stdout and stderr together.

    `finished`: it was ended because it had done what it was run for.
    """

    returncode: int
    timed_out: bool
    interrupted: bool
    output: str
    finished: bool = False


class ProcessRegistry:
    """The process groups that are alive, so that an interrupt can end all of them.

    `workers` are those that serve one task after the other.

    Children run in sessions of their own (a hung child's whole group must be killable), which
    is why a terminal's Ctrl-C does not reach them and somebody has to forward it.
    """

    def __init__(self) -> None:
        self.workers = Workers()
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._interrupted = False

    @property
    def interrupted(self) -> bool:
        """True once an interrupt has been seen: nothing new is started from then on."""
        return self._interrupted

    @contextlib.contextmanager
    def hold(self, group: int) -> Iterator[None]:
        """Keep `group` registered while the body runs."""
        with self._lock:
            self._groups.add(group)
            if self._interrupted:
                kill_group(group)
        try:
            yield
        finally:
            with self._lock:
                self._groups.discard(group)

    def interrupt(self) -> None:
        """Kill every registered group and refuse new ones."""
        with self._lock:
            self._interrupted = True
            for group in self._groups:
                kill_group(group)

    def forward_signals(self) -> None:
        """Watch for INT, TERM and HUP beside whatever handlers are installed.

        A wake-up descriptor is used because it works together with somebody else's handlers
        (SCons installs its own while it builds). Call it once, from the main thread.
        """
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._watch, args=(receiver, sender), daemon=True)
        thread.start()

    def _watch(self, receiver: socket.socket, sender: socket.socket) -> None:
        # `sender` is a parameter only to keep it open for as long as the thread lives.
        del sender
        ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        while True:
            for number in receiver.recv(64):
                if number in ending:
                    self.interrupt()


def kill_group(group: int) -> None:
    """Kill a whole process group; a group that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def limit(child: int, what: int, most: int) -> None:
    """Bound what a child that has just started may use, where the host can do it.

    Not in a `preexec_fn`: Python code between fork and exec may deadlock in a threaded parent.
    """
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            prlimit(child, what, (most, most))


def run_limited(
    command: Sequence[str],
    directory: Path,
    wall_seconds: float,
    registry: ProcessRegistry,
    *,
    environment: Mapping[str, str] | None = None,
    memory_megabytes: int | None = None,
    data_megabytes: int | None = None,
    stdout: Path | None = None,
    until: Callable[[], bool] | None = None,
) -> ProcessResult:
    """Run `command` in `directory`; kill its whole group at the limit and after it ended.

    `memory_megabytes` bounds all that each process maps, `data_megabytes` only what it can write
    and shares with nobody: some programs reserve far more than they use.
    Output goes through a file, not a pipe: a grandchild that keeps a pipe open could block us.
    With `stdout`, standard output goes there alone, whole up to FILE_MEGABYTES: who writes more
    is killed. `until` is asked now and then whether the child has done its work: one that has and
    goes on is ended.
    """
    output_path = directory / "process.out"
    with contextlib.ExitStack() as files:
        output = files.enter_context(output_path.open("w+b"))
        own = None if stdout is None else files.enter_context(stdout.open("wb"))
        child = subprocess.Popen(
            list(command),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=own or output,
            stderr=output,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
        )
        if memory_megabytes is not None:
            limit(child.pid, resource.RLIMIT_AS, memory_megabytes << 20)
        if data_megabytes is not None:
            limit(child.pid, resource.RLIMIT_DATA, data_megabytes << 20)
        if own is not None:
            limit(child.pid, resource.RLIMIT_FSIZE, FILE_MEGABYTES << 20)
        # Should we be killed, nobody is left to keep the wall limit: the host then ends the child.
        processor_seconds = wall_seconds * (os.cpu_count() or 1) + SPARE_SECONDS
        limit(child.pid, resource.RLIMIT_CPU, math.ceil(processor_seconds))
        with registry.hold(child.pid):
            finished = False if until is None else _wait_until(child, until, wall_seconds)
            timed_out = not finished and not _wait(child, 0 if until else wall_seconds)
            kill_group(child.pid)
            child.wait()
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - OUTPUT_TAIL_BYTES))
        text = output.read().decode("utf-8", "replace")
    output_path.unlink(missing_ok=True)
    return ProcessResult(child.returncode, timed_out, registry.interrupted, text, finished)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the child ended within `seconds`."""
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _wait_until(
    child: subprocess.Popen[bytes], until: Callable[[], bool], wall_seconds: float
) -> bool:
    """Whether the child had to be ended although its work was done."""
    end = time.monotonic() + wall_seconds
    while time.monotonic() < end:
        if _wait(child, POLL_SECONDS):
            return False
        if until():
            return not _wait(child, GRACE_SECONDS)
    return False

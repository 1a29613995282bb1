# SPDX-License-Identifier: Apache-2.0
"""Child processes that cannot outlive us: own process group, wall limit, whole-group kill."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_TAIL_BYTES = 16 * 1024
FILE_MEGABYTES = 64


@dataclass(frozen=True)
class ProcessResult:
    """How a child ended; `output` is the tail of its stdout and stderr together."""

    returncode: int
    timed_out: bool
    interrupted: bool
    output: str


class ProcessRegistry:
    """The process groups that are alive, so that an interrupt can end all of them.

    Children run in sessions of their own (a hung child's whole group must be killable), which
    is why a terminal's Ctrl-C does not reach them and somebody has to forward it.
    """

    def __init__(self) -> None:
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


def _limit(child: int, what: int, megabytes: int) -> None:
    """Bound what a child that has just started may use, where the host can do it.

    Not in a `preexec_fn`: Python code between fork and exec may deadlock in a threaded parent.
    """
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is not None:
        size = megabytes * 1024 * 1024
        with contextlib.suppress(ProcessLookupError, PermissionError):
            prlimit(child, what, (size, size))


def run_limited(
    command: Sequence[str],
    directory: Path,
    wall_seconds: float,
    registry: ProcessRegistry,
    *,
    environment: Mapping[str, str] | None = None,
    memory_megabytes: int | None = None,
    stdout: Path | None = None,
) -> ProcessResult:
    """Run `command` in `directory`; kill its whole group at the limit and after it ended.

    Output goes through a file, not a pipe: a grandchild that keeps a pipe open could block us.
    With `stdout`, standard output goes there alone, whole up to FILE_MEGABYTES: who writes more
    is killed.
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
            _limit(child.pid, resource.RLIMIT_AS, memory_megabytes)
        if own is not None:
            _limit(child.pid, resource.RLIMIT_FSIZE, FILE_MEGABYTES)
        timed_out = False
        with registry.hold(child.pid):
            try:
                child.wait(timeout=wall_seconds)
            except subprocess.TimeoutExpired:
                timed_out = True
            kill_group(child.pid)
            child.wait()
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - OUTPUT_TAIL_BYTES))
        text = output.read().decode("utf-8", "replace")
    output_path.unlink(missing_ok=True)
    return ProcessResult(child.returncode, timed_out, registry.interrupted, text)

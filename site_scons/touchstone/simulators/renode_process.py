# SPDX-License-Identifier: Apache-2.0
"""A Renode process with one machine, that runs image after image.

Renode needs seconds to start and to read a platform, and then milliseconds for a run. So a process
is kept: its monitor reads commands from a pipe, and the commands of targets/common/renode bring the
machine back to its start, run an image and write the result, result.txt last. Renode's exit status
says nothing, so a run is judged by that file and by everything that Renode complains about.

All files are in a folder of the process's own, TMPDIR included (Renode deletes what it finds in a
shared one). The monitor takes no path with a space or an umlaut in it: where the checkout's has
some, that folder is in the system's temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from touchstone.process import FILE_MEGABYTES, ProcessRegistry, kill_group, limit
from touchstone.simulators.base import Limits

WORDS = ("--disable-xwt", "--console", "--plain")
MACHINE = "renode_machine.resc"
COMMON = "common/renode"
START_SECONDS = 120.0
POLL_SECONDS = 0.002
# Should we be killed, nobody is left to keep the wall limit: Renode then ends itself.
ORPHAN_SECONDS = 10
# A process is replaced after this many runs, whatever it may gather.
MOST_RUNS = 500
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")
COMPLAINT = re.compile(r"\d\d:\d\d:\d\d\.\d{4} \[(?:WARNING|ERROR)\] (.*)")
REFUSAL = re.compile(
    r"There was an error executing command .*(?:\n.*)?|No such command or device: .*"
    r"|Could not tokenize here:.*(?:\n.*)?|.*FATAL UNHANDLED EXCEPTION.*"
)
# Renode's DWT lacks the lock of the Cortex-M7's, which the firmware opens.
KNOWN = re.compile(r"dwt: Unhandled write to offset 0xFB0 .*value 0xC5ACCE55\.")
RESULT = re.compile(r"ended: (exit|seconds|instructions)\ncode: (-?\d+)\ninstructions: (\d+)\n")


class RenodeError(Exception):
    """Renode could not be brought to run anything; one clear line."""


@dataclass(frozen=True)
class Ended:
    """How a run ended. `how`: exit, instructions, timeout, interrupted, died or complaint.

    `code` is the firmware's exit code, `complaint` what Renode said or why it is gone.
    """

    how: str
    code: int = -1
    instructions: int | None = None
    complaint: str = ""
    stream: bytes = b""
    log: str = ""


class RenodeProcess:
    """Started, with a machine, and idle; see the module's text."""

    def __init__(
        self, program: Path, scripts: Path, folder: Path, registry: ProcessRegistry
    ) -> None:
        """Start `program` with the machine of the target folder `scripts`; RenodeError."""
        self._registry = registry
        self._runs = 0
        self._read = 0
        self._closing = contextlib.ExitStack()
        self._home = _home(folder)
        try:
            self._start(program, scripts)
            machine = f"i @{scripts.name}/{MACHINE}"
            ready = self._home / "ready"
            self._say(machine, "touchstone_ready $CWD/ready")
            trouble = self._wait(ready.exists, START_SECONDS)
        except OSError as error:
            trouble = str(error)
        if trouble is not None:
            self.end()
            raise RenodeError(f"Renode does not start: {trouble}")

    def _start(self, program: Path, scripts: Path) -> None:
        for name in (scripts.name, COMMON):
            shutil.copytree(scripts.parent / name, self._home / name)
        (self._home / "tmp").mkdir()
        self._console = self._closing.enter_context((self._home / "console.txt").open("w+b"))
        self._child = subprocess.Popen(
            [str(program), *WORDS],
            cwd=self._home,
            stdin=subprocess.PIPE,
            stdout=self._console,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(self._home / "tmp"), "RENODE_CI_MODE": "YES"},
            start_new_session=True,
        )
        self._closing.enter_context(self._registry.hold(self._child.pid))
        limit(self._child.pid, resource.RLIMIT_FSIZE, FILE_MEGABYTES << 20)

    @property
    def alive(self) -> bool:
        """Whether it runs and may be given another image."""
        return self._child.poll() is None and self._runs < MOST_RUNS

    @property
    def group(self) -> int:
        """Its process group."""
        return self._child.pid

    def end(self) -> None:
        """Kill it with all that it started, and leave no file of it."""
        child = getattr(self, "_child", None)
        if child is not None:
            kill_group(child.pid)
            child.wait()
            with contextlib.suppress(OSError):
                child.stdin.close()
        self._closing.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def run(self, image: bytes, limits: Limits) -> Ended:
        """Run `image`. After anything but `exit` the process is of no more use: end it."""
        self._runs += 1
        folder = self._home / f"run{self._runs}"
        folder.mkdir()
        (folder / "image.elf").write_bytes(image)
        result = folder / "result" / "result.txt"
        seconds = int(limits.wall_seconds) + ORPHAN_SECONDS
        self._say(
            f"$elf=$CWD/{folder.name}/image.elf",
            f"$result=$CWD/{folder.name}/result",
            "touchstone_reset",
            f"touchstone $elf $result {seconds} {limits.instructions}",
        )
        trouble = self._wait(result.exists, limits.wall_seconds)
        if trouble is None:
            ended = _read_result(result)
        elif self._registry.interrupted:
            ended = Ended("interrupted")
        else:
            ended = Ended(trouble if trouble == "timeout" else "complaint", complaint=trouble)
        shutil.rmtree(folder, ignore_errors=True)
        return ended

    def serve_debugger(self, image: bytes, port: int) -> None:
        """Serve GDB's protocol on `port`, ahead of the image's first instruction; RenodeError."""
        (self._home / "image.elf").write_bytes(image)
        listening = self._home / "listening"
        self._say(
            "$elf=$CWD/image.elf",
            "touchstone_reset",
            f"touchstone_debug $elf {port}",
            "touchstone_ready $CWD/listening",
        )
        trouble = self._wait(listening.exists, START_SECONDS)
        if trouble is not None:
            raise RenodeError(f"Renode serves no GDB: {trouble}")

    def wait(self) -> int:
        """Until it has ended; its status."""
        return self._child.wait()

    def _say(self, *lines: str) -> None:
        """Give commands to the monitor; that nobody reads them is found by who waits."""
        pipe = self._child.stdin
        assert pipe is not None
        with contextlib.suppress(OSError):
            pipe.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            pipe.flush()

    def _wait(self, done: Callable[[], bool], seconds: float) -> str | None:
        """None where `done` came true without a complaint, else what went wrong."""
        end = time.monotonic() + seconds
        while True:
            # In this order: what is said before it is done must not be missed.
            is_done, status = done(), self._child.poll()
            complaint = self._complaint()
            if complaint is not None:
                return complaint
            if is_done:
                return None
            if status is not None:
                return (
                    f"the simulator was killed by signal {-status}"
                    if status < 0
                    else f"the simulator ended with status {status} and no result"
                )
            if time.monotonic() > end:
                return "timeout"
            time.sleep(POLL_SECONDS)

    def _complaint(self) -> str | None:
        """The first thing that Renode complains about since the last call."""
        self._console.seek(self._read)
        data = self._console.read()
        # A line that has not come whole is read again.
        whole = data.rfind(b"\n") + 1
        text = data[:whole].decode("utf-8", "replace")
        found = [match for match in COMPLAINT.finditer(text) if not KNOWN.fullmatch(match[1])]
        refusal = REFUSAL.search(text)
        if refusal is not None:
            return " ".join(refusal[0].split())
        self._read += whole
        return found[0][1].strip() if found else None


def _home(folder: Path) -> Path:
    """A new folder for one process, in `folder` where Renode can read such a path."""
    folder.mkdir(parents=True, exist_ok=True)
    place = str(folder.resolve())
    parent = place if PLAIN_PATH.fullmatch(place) else None
    return Path(tempfile.mkdtemp(prefix="renode-", dir=parent)).resolve()


def _read_result(path: Path) -> Ended:
    found = RESULT.fullmatch(path.read_text("ascii"))
    if found is None:
        return Ended("complaint", complaint="the result file is damaged")
    how = "timeout" if found[1] == "seconds" else found[1]
    stream = path.with_name("stream.bin").read_bytes()
    log = path.with_name("log.txt").read_bytes().decode("utf-8", "replace")
    return Ended(how, int(found[2]), int(found[3]), "", stream, log)

# SPDX-License-Identifier: Apache-2.0
"""One command's memory: which cells it simulated and checked, and what failed to build.

Build actions run in threads and write here; reports read it when the build is over.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field

from touchstone.process import ProcessRegistry


@dataclass(frozen=True)
class Span:
    """One action of the graph: when it began, in seconds from the command's start, what it took,
    and in which of the build's lanes (jobs) it ran."""

    stage: str
    node: str
    lane: int
    start: float
    seconds: float


@dataclass
class Session:
    """Mutable on purpose: it is the one place where a running build leaves notes."""

    verbose: bool = False
    total: int = 0
    registry: ProcessRegistry = field(default_factory=ProcessRegistry)
    simulated: set[str] = field(default_factory=set)
    checked: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    built: list[tuple[str, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    _clock: float = field(default_factory=time.monotonic)
    _lanes: dict[int, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    retried: dict[str, list[str]] = field(default_factory=dict)
    stopped_by: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_built(self, stage: str, node: str) -> None:
        """An action of the graph ran just now."""
        with self._lock:
            self.built.append((stage, node))

    def elapsed(self) -> float:
        """Seconds since this command began."""
        return time.monotonic() - self._clock

    def note_span(self, stage: str, node: str, start: float) -> None:
        """An action that began at `start` (see `elapsed`) in this thread has ended."""
        seconds = self.elapsed() - start
        with self._lock:
            lane = self._lanes.setdefault(threading.get_ident(), len(self._lanes))
            self.spans.append(Span(stage, node, lane, start, seconds))

    def note_stamp(self, name: str, stamp: str) -> None:
        """What a toolchain or an installed simulator is known by in this command."""
        with self._lock:
            self.stamps[name] = stamp

    def note_simulated(self, cell: str) -> None:
        """A simulator ran for this cell just now."""
        with self._lock:
            self.simulated.add(cell)

    def note_checked(self, cell: str, status: str, cycles: int | None) -> None:
        """A verdict was made just now; says so in one line."""
        with self._lock:
            self.checked.add(cell)
            count = len(self.checked)
        text = f"[{count}/{self.total}] {status} {cell}"
        self.say(text if cycles is None else f"{text}: {cycles} cycles")

    def note_failure(self, node: str, reason: str) -> None:
        """Building `node` failed; cells that need it are BUILD_ERROR with this reason."""
        with self._lock:
            self.failures[node] = reason

    def note_retry(self, cell: str, reason: str) -> None:
        """The infrastructure failed while it simulated this cell; it is tried again."""
        with self._lock:
            self.retried.setdefault(cell, []).append(reason)
        self.say(f"retry {cell}: {reason}")

    def note_stop(self, cell: str) -> bool:
        """The command ends at this cell's failure; whether it is the first that says so."""
        with self._lock:
            first = self.stopped_by is None
            self.stopped_by = self.stopped_by or cell
        return first

    def note_damaged(self, entry: str) -> None:
        """An entry of the cache is damaged: it counts as missing, and somebody should know."""
        with self._lock:
            self.damaged.append(entry)
        self.say(f"cache: entry {entry} is damaged and counts as missing")

    def say(self, text: str) -> None:
        """One line of progress, never mixed with another thread's."""
        with self._lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

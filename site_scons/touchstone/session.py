# SPDX-License-Identifier: Apache-2.0
"""One command's memory: which cells it simulated and checked, and what failed to build.

Build actions run in threads and write here; reports read it when the build is over.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field

from touchstone.process import ProcessRegistry


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
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_built(self, stage: str, node: str) -> None:
        """An action of the graph ran just now."""
        with self._lock:
            self.built.append((stage, node))

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

    def say(self, text: str) -> None:
        """One line of progress, never mixed with another thread's."""
        with self._lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

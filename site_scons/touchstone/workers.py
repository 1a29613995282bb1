# SPDX-License-Identifier: Apache-2.0
"""Processes that serve one task after the other, kept between tasks because they start slowly."""

from __future__ import annotations

import atexit
import threading
from collections import defaultdict
from typing import Protocol


class Worker(Protocol):
    """A process that waits for its next task."""

    @property
    def alive(self) -> bool:
        """Whether it can still be given one."""
        ...

    def end(self) -> None:
        """Kill it with all that it started, and leave no file of it."""
        ...


class Workers:
    """The idle workers of one command, by what they were started for.

    A worker that is taken belongs to the taker, who gives it back or ends it. Idle ones end with
    the command.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[Worker]] = defaultdict(list)
        self._closes = False

    def take(self, key: str) -> Worker | None:
        """An idle worker that is alive, None where there is none: start one."""
        while True:
            with self._lock:
                worker = self._idle[key].pop() if self._idle[key] else None
            if worker is None or worker.alive:
                return worker
            worker.end()

    def give(self, key: str, worker: Worker) -> None:
        """Keep a worker for the next task."""
        with self._lock:
            self._idle[key].append(worker)
            if not self._closes:
                self._closes = True
                atexit.register(self.close)

    def close(self) -> None:
        """End all that are idle."""
        with self._lock:
            workers = [worker for idle in self._idle.values() for worker in idle]
            self._idle.clear()
        for worker in workers:
            worker.end()

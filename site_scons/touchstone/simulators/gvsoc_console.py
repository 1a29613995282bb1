# SPDX-License-Identifier: Apache-2.0
"""What firmware writes by semihosting on GVSOC, which opens a host file of that very name.

Standard output and standard error are both called ":tt" (semihosting tells them apart by the mode
of opening), so both would write into one file, over each other. A named pipe keeps every byte in
its order; records know their length, what lies between them is log.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

NAME = ":tt"
# A firmware that writes for ever must not fill our memory; whole outputs are kilobytes.
MAX_BYTES = 64 * 1024 * 1024
CHUNK = 1 << 16


class Console:
    """Collects what is written to `directory`/:tt while the body of the `with` runs."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._chunks: list[bytes] = []
        self._reader = -1
        self._writer = -1
        self._thread = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self) -> Console:
        os.mkfifo(self._path)
        self._reader = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        # Ours keeps the pipe open until the simulator has come and gone.
        self._writer = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(self._reader, True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._writer)
        self._thread.join()
        os.close(self._reader)
        self._path.unlink()

    @property
    def data(self) -> bytes:
        """Everything that was written, in its order; complete once the body is left."""
        return b"".join(self._chunks)

    def _collect(self) -> None:
        kept = 0
        while chunk := os.read(self._reader, CHUNK):
            if kept < MAX_BYTES:
                self._chunks.append(chunk)
                kept += len(chunk)

# SPDX-License-Identifier: Apache-2.0
"""What firmware writes by semihosting on GVSOC, which opens a host file of that very name.

Standard output and standard error are both called ":tt" (semihosting tells them apart by the mode
of opening), so both would write into one file, over each other. A named pipe keeps every byte in
its order; records know their length, what lies between them is log.
"""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path
from types import TracebackType

from touchstone.records import HEADER, MAGIC

NAME = ":tt"
# A firmware that writes for ever must not fill our memory; whole outputs are kilobytes.
MAX_BYTES = 64 * 1024 * 1024
CHUNK = 1 << 16
SIZE_FIELD = 16
_MAGIC_BYTES = struct.pack("<I", MAGIC)


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


def split_console(data: bytes) -> tuple[bytes, bytes]:
    """The record stream and the log. Nothing is judged here: streams are parsed strictly later."""
    stream: list[bytes] = []
    log: list[bytes] = []
    position = 0
    while position < len(data):
        start = data.find(_MAGIC_BYTES, position)
        start = len(data) if start < 0 else start
        log.append(data[position:start])
        position = _frame_end(data, start)
        stream.append(data[start:position])
    return b"".join(stream), b"".join(log)


def _frame_end(data: bytes, start: int) -> int:
    """Behind the frame at `start`, or the end of the data where it is cut short."""
    if len(data) < start + HEADER.size:
        return len(data)
    (size,) = struct.unpack_from("<I", data, start + SIZE_FIELD)
    return int(min(len(data), start + HEADER.size + size))

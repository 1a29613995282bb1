# SPDX-License-Identifier: Apache-2.0
"""One image on one simulator: a hash of what it put out, and its cycles."""

from __future__ import annotations

import hashlib
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from touchstone.process import ProcessRegistry
from touchstone.records import CASE, END, HEADER, MAGIC, OUTPUT
from touchstone.simulators.base import Limits, RunStatus, Simulator

LIMITS = Limits(instructions=50_000_000, wall_seconds=120.0)
END_WORDS = struct.Struct("<5I")


@dataclass(frozen=True)
class Observation:
    """What came of an image. `trouble` says why there is nothing else."""

    output_sha256: str | None
    cycles: int | None
    cycles_cold: int | None
    trouble: str | None = None


def observe(
    image: bytes, simulator: Simulator, registry: ProcessRegistry, scratch: Path
) -> Observation:
    """Run `image` in a private folder below `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="fidelity-") as folder:
        ran = simulator.run(image, LIMITS, Path(folder), registry)
    if ran.status is not RunStatus.COMPLETED:
        return Observation(None, None, None, ran.reason or ran.status.value)
    return read_stream(ran.stream)


def read_stream(stream: bytes) -> Observation:
    """Outputs and cycles of a record stream; the outputs' hash stands for their checks."""
    digest = hashlib.sha256()
    outputs = 0
    for kind, payload in _frames(stream):
        if kind in (OUTPUT, CASE):
            outputs += kind == OUTPUT
            digest.update(struct.pack("<2I", kind, len(payload)) + payload)
        elif kind == END and len(payload) == END_WORDS.size and outputs:
            _, cold, warm, _, _ = END_WORDS.unpack(payload)
            return Observation(digest.hexdigest(), warm, cold)
    return Observation(None, None, None, "the stream has no output or no end")


def _frames(stream: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + HEADER.size <= len(stream):
        magic, kind, _, _, size, _, _ = HEADER.unpack_from(stream, position)
        start = position + HEADER.size
        if magic != MAGIC or start + size > len(stream):
            return
        yield kind, stream[start : start + size]
        position = start + size

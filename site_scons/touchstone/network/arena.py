# SPDX-License-Identifier: Apache-2.0
"""Places for tensors and scratch in one arena: whatever is alive at the same time lies apart.

Plain Python; the plan is known before anything is built, and the harness holds the run to it: the
arena is the kernel's declared scratch, with guards at both ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALIGNMENT = 16


@dataclass(frozen=True)
class Buffer:
    """Bytes that are needed from layer `first` to layer `last`, both included."""

    name: str
    bytes: int
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        """Whether both are alive in some layer."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """Where each buffer starts, and the bytes of all together."""

    offsets: Mapping[str, int]
    bytes: int


def aligned(count: int) -> int:
    """`count` rounded up to where the next buffer may start."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def plan_arena(buffers: Iterable[Buffer]) -> Arena:
    """The largest first, each at the lowest place that is free while it lives."""
    placed: list[tuple[int, Buffer]] = []
    order = sorted(buffers, key=lambda buffer: (-buffer.bytes, buffer.first, buffer.name))
    for buffer in order:
        offset = 0
        near = sorted((at, other) for at, other in _alive(placed, buffer))
        for at, end in near:
            if offset + aligned(buffer.bytes) <= at:
                break
            offset = max(offset, end)
        placed.append((offset, buffer))
    ends = [at + aligned(buffer.bytes) for at, buffer in placed]
    return Arena({buffer.name: at for at, buffer in placed}, max(ends, default=0))


def _alive(placed: Iterable[tuple[int, Buffer]], buffer: Buffer) -> Iterable[tuple[int, int]]:
    """Start and end of the places that are taken while `buffer` lives."""
    return [(at, at + aligned(other.bytes)) for at, other in placed if other.meets(buffer)]


def lower_bound(buffers: Iterable[Buffer]) -> int:
    """The most bytes that are alive at once: no plan needs fewer."""
    every = list(buffers)
    moments = {buffer.first for buffer in every}
    return max(
        (sum(aligned(b.bytes) for b in every if b.first <= at <= b.last) for at in moments),
        default=0,
    )

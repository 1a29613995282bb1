# SPDX-License-Identifier: Apache-2.0
"""The record of one instruction in a cost table, as cortexm/pipeline.h reads it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag

_LAYOUT = struct.Struct("<6BHI5Q")
RECORD_BYTES = _LAYOUT.size


class Fact(IntFlag):
    """`enum InstructionFlags` of the simulator."""

    LOAD = 1 << 0
    STORE = 1 << 1
    MEMORY = 1 << 2
    DATA = 1 << 3
    FP_LATE = 1 << 4
    UDIV = 1 << 5
    SDIV = 1 << 6
    FP = 1 << 7
    CONDITIONAL = 1 << 8
    INDIRECT = 1 << 9
    SINGLE = 1 << 10
    SLOT0 = 1 << 11
    UNKNOWN = 1 << 12
    ALIGNED = 1 << 13
    IT = 1 << 14


@dataclass(frozen=True)
class Record:
    """`InstructionCost` of the simulator; cycles and latencies in cycles, registers as masks."""

    size: int
    cycles: int
    facts: Fact
    latency: int = 1
    late_advance: int = 0
    operand: int = 0
    divisor: int = 0
    uses: int = 0
    reads: int = 0
    early: int = 0
    late: int = 0
    writes: int = 0
    base: int = 0

    def pack(self) -> bytes:
        """The bytes in the table."""
        return _LAYOUT.pack(
            self.size,
            self.cycles,
            self.latency,
            self.late_advance,
            self.operand,
            self.divisor,
            int(self.facts),
            self.uses,
            self.reads,
            self.early,
            self.late,
            self.writes,
            self.base,
        )

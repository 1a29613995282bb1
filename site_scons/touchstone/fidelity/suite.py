# SPDX-License-Identifier: Apache-2.0
"""All programs of the recorded comparison, in the order of the record."""

from __future__ import annotations

from touchstone.fidelity.programs import (
    Program,
    barrier_programs,
    branch_programs,
    hazard_programs,
    latency_programs,
    loop_programs,
    memory_programs,
)
from touchstone.fidelity.sequences import random_programs
from touchstone.fidelity.transfers import transfer_programs


def programs() -> list[Program]:
    """Every program; their ids differ."""
    return [
        *latency_programs(),
        *hazard_programs(),
        *branch_programs(),
        *loop_programs(),
        *memory_programs(),
        *barrier_programs(),
        *transfer_programs(),
        *random_programs(),
    ]

# SPDX-License-Identifier: Apache-2.0
"""One composition at one shape: what it costs, and whether it computes attention at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.peers.compositions import PEERS, Peer
from touchstone.peers.firmware import (
    Job,
    Workshop,
    arena_bytes,
    build,
    needed_bytes,
    run,
    vectors,
)
from touchstone.runfile import CellRun
from touchstone.simulators.base import RunStatus
from touchstone.stages import StageError
from touchstone.vectors import read_container

# Root mean square of the error in units of what rounding is expected to make of it. Ours stay below
# 1.5 (golden/float_noise.py); a peer rounds in other places and has its own exponential.
NOISE_LIMIT = 2.0


@dataclass(frozen=True)
class Figure:
    """Warm cycles and instructions of a composition.

    `skip`: why it cannot run here. `trouble`: why there are no figures to trust.
    """

    cycles: int | None
    instructions: int | None
    noise: float | None = None
    trouble: str | None = None
    skip: str | None = None


def measure(shop: Workshop, job: Job) -> Figure:
    """Build, run and, with its softmax, hold the output against attention in real numbers."""
    try:
        loadable = build(shop, job)
        inputs = vectors(shop, job.plan)
    except StageError as error:
        return Figure(None, None, trouble=f"BUILD_ERROR {error}")
    missing = needed_bytes(job, inputs) - arena_bytes(job.plan)
    if missing > 0:
        return Figure(None, None, skip=f"does not fit: {missing} bytes too many")
    ran = run(shop, job, loadable, inputs)
    trouble = _trouble(ran)
    if trouble is not None:
        return Figure(None, None, trouble=trouble)
    if not job.softmax:
        return Figure(ran.cycles, ran.instructions)
    noise = deviation(PEERS[job.composition.peer], inputs, ran.cases[0].output or b"")
    if noise > NOISE_LIMIT:
        trouble = f"wrong: its output is {noise:.1f} times as far from attention as rounding takes"
    return Figure(ran.cycles, ran.instructions, noise, trouble)


def _trouble(ran: CellRun) -> str | None:
    if ran.status is not RunStatus.COMPLETED:
        return f"{ran.status.value} {ran.reason}"
    if ran.cases[0].status != "ok":
        return f"FAIL {ran.cases[0].status}"
    return None


def deviation(peer: Peer, inputs: Path, output: bytes) -> float:
    """RMS error of an int8 output [S, E] of mhsa in units of the expected rounding error."""
    # Imported here: numpy takes longer to import than most commands take.
    import numpy as np

    from golden.float_noise import NoisyAttention

    case = read_container(inputs.read_bytes()).cases[0]
    operands: dict[str, Any] = {
        operand.name: np.frombuffer(operand.data, operand.type).reshape(operand.shape)
        for operand in case.operands
    }
    found = np.frombuffer(output, np.int8).reshape(operands["input"].shape)
    real = NoisyAttention(case.params, operands, peer.map_one, peer.map_half_up)
    return real.output().deviation(found.astype(np.float64))

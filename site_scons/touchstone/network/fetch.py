# SPDX-License-Identifier: Apache-2.0
"""Which layers' arrays are copied next to the cores while the layer before them computes.

On a target with a DMA, where weights and arena do not fit together (the weights then stay where the
image is, targets/common/arena.h): as many layers as fit the arena, those with few bytes first. A
whole block fetches its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from touchstone.job import data_bytes_needed
from touchstone.manifest import Target
from touchstone.network.arena import Buffer, plan_arena
from touchstone.network.blocks import BLOCK
from touchstone.sizes import FAR_WEIGHT_BYTES

DMA_SOURCE = "dma.c"
"""What provides kernels/include/ts_dma.h, among a target's sources."""

Spans = Mapping[str, tuple[int, int]]


def spans_of(packed: Sequence[Any], total: int) -> dict[str, tuple[int, int]]:
    """Of each layer with arrays: its first byte in the operand `weights`, and how many."""
    starts: dict[str, int] = {}
    for segment in packed:
        starts.setdefault(segment.layer, segment.offset)
    ends = [*list(starts.values())[1:], total]
    return {
        name: (first, end - first) for (name, first), end in zip(starts.items(), ends, strict=True)
    }


def fetched(
    network: Any, target: Target, packed: Sequence[Any], total: int, buffers: Sequence[Buffer]
) -> Spans:
    """The layers and their spans; none where everything is near or nothing can be fetched."""
    from golden.networks import input_offsets

    logits = math.prod(network.layers[-1].output)
    sizes = (input_offsets(network)[1], 4 * len(network.layers) + logits)
    room = target.memory["arena"].bytes
    everything = data_bytes_needed((*sizes, total), plan_arena(buffers).bytes)
    if DMA_SOURCE not in target.sources or total < FAR_WEIGHT_BYTES or everything <= room:
        return {}
    kernels = {layer.name: layer.kernel for layer in network.layers}
    made: dict[str, tuple[int, int]] = {}
    for name, span in sorted(spans_of(packed, total).items(), key=lambda one: one[1][1]):
        tried = {**made, name: span}
        arena = plan_arena([*buffers, *places(network, tried)]).bytes
        if kernels[name] != BLOCK and data_bytes_needed((*sizes, 0), arena) <= room:
            made = tried
    return made


def places(network: Any, spans: Spans) -> list[Buffer]:
    """Room for the copies, from the layer before theirs on."""
    numbers = {layer.name: number for number, layer in enumerate(network.layers)}
    return [
        Buffer(f"{name}.weights", size, max(0, numbers[name] - 1), numbers[name])
        for name, (_, size) in spans.items()
    ]

# SPDX-License-Identifier: Apache-2.0
"""A network on one target: which variant computes each layer, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchstone.errors import UserError
from touchstone.expression import evaluate_with_terms
from touchstone.manifest import DIMENSIONS, Catalogue, Kernel, Target, Variant
from touchstone.network.arena import Arena, Buffer, lower_bound, plan_arena
from touchstone.network.blocks import BLOCK
from touchstone.network.fetch import Spans, fetched, places

OWN = ("patches",)
"""Operations that are no kernels (kernels/include/ts_network.h)."""
ATTENTION = ("mhsa", "mhsa_fwsa")
ARGUMENT_BYTES = 512
"""At least the arguments of an encoder block, which lie in the arena."""


@dataclass(frozen=True)
class Call:
    """One layer: its kernel's variant on this target, None for the operations of `OWN`."""

    layer: Any
    kernel: Kernel | None
    variant: Variant | None
    scratch: int

    @property
    def function(self) -> str:
        """The C function."""
        if self.kernel is None or self.variant is None:
            return f"ts_network_{self.layer.kernel}"
        return f"ts_{self.kernel.name}_{self.variant.name}"


@dataclass(frozen=True)
class Deployment:
    """Everything that the generated C of one target says."""

    network: Any
    target: Target
    calls: tuple[Call, ...]
    source: tuple[Any, ...]
    packed: tuple[Any, ...]
    weight_bytes: int
    arena: Arena
    alive_bytes: int
    fetched: Spans
    """Layers whose arrays are copied near: first byte and bytes (fetch.py)."""

    @property
    def uses(self) -> list[str]:
        """Variants of the library, as kernel.yaml names them."""
        names = [
            f"{call.kernel.name}.{call.variant.name}"
            for call in self.calls
            if call.kernel is not None and call.variant is not None
        ]
        return list(dict.fromkeys(names))


def deploy(
    network: Any, target: Target, catalogue: Catalogue, depth_first: bool = False
) -> Deployment:
    """The target's best variants, their weight layouts, and the memory plan.

    depth_first: attention by the kernels that hold no attention map, which compute the same.
    """
    from golden.networks import weight_segments

    kernels = dict(catalogue.kernels)
    if depth_first:
        kernels |= {name: kernels[f"{name}_dft"] for name in ATTENTION}
    calls = tuple(_call(layer, target, kernels) for layer in network.layers)
    source = weight_segments(network)
    packed, total = _packed(source, calls)
    buffers = _buffers(network, calls)
    near = fetched(network, target, packed, total, buffers)
    buffers += places(network, near)
    arena, alive = plan_arena(buffers), lower_bound(buffers)
    return Deployment(network, target, calls, source, packed, total, arena, alive, near)


def _call(layer: Any, target: Target, kernels: Mapping[str, Kernel]) -> Call:
    if layer.kernel in OWN:
        return Call(layer, None, None, 0)
    kernel = kernels[layer.kernel]
    variant = kernel.default_variant(target.isas)
    if variant is None:
        raise UserError(f"{network_name(layer)}: {kernel.where} has no variant for {target.name}")
    return Call(layer, kernel, variant, _scratch(layer, kernel, variant, target))


def network_name(layer: Any) -> str:
    """How messages name a layer."""
    return f"layer {layer.name}"


def _scratch(layer: Any, kernel: Kernel, variant: Variant, target: Target) -> int:
    """The most that any number of cores needs: the plan is one for all."""
    sizes = []
    for cores in range(1, target.max_cores + 1):
        variables = {**layer.shape.as_dict(), "cores": cores, "per_channel": 0}
        variables |= {"tile": 0, "heads": 0, "order": 0}
        where = f"{kernel.where}: variants.{variant.name}"
        sizes.append(evaluate_with_terms(variant.scratch, variant.terms, variables, where))
    return max(sizes)


def _packed(source: tuple[Any, ...], calls: tuple[Call, ...]) -> tuple[tuple[Any, ...], int]:
    """The segments of the operand `weights` in the layouts that the variants want."""
    import importlib
    import math
    from dataclasses import replace

    import numpy as np

    from golden.networks import aligned

    packers: dict[tuple[str, str], str] = {}
    for call in calls:
        if call.kernel is not None and call.variant is not None and call.variant.layout:
            layout: Mapping[str, str] = call.kernel.layouts[call.variant.layout]
            packers |= {(call.layer.name, name): packer for name, packer in layout.items()}
    made, offset = [], 0
    for segment in source:
        packer = packers.get((segment.layer, segment.operand), "")
        shape, kind = segment.shape, segment.type
        if packer:
            module = importlib.import_module(f"golden.packers.{packer}")
            shape = module.packed_shape(segment.shape)
            kind = getattr(module, "PACKED_TYPE", kind)
        made.append(replace(segment, offset=offset, shape=shape, type=kind, packer=packer))
        offset += aligned(math.prod(shape) * np.dtype(kind).itemsize)
    return tuple(made), offset


def _buffers(network: Any, calls: tuple[Call, ...]) -> list[Buffer]:
    """Every tensor from the layer that makes it to the last that reads it, and the scratch. The
    last layer's output is the network's and lies elsewhere.

    A tensor lives one layer longer where it is traced: core 0 may be behind (ts_network.h).
    """
    import math

    last = {layer.name: number for number, layer in enumerate(network.layers)}
    for number, layer in enumerate(network.layers):
        for tensor in layer.inputs.values():
            last[tensor] = number
    buffers = []
    for number, call in enumerate(calls):
        layer = call.layer
        if number + 1 < len(calls):
            end = max(last[layer.name], number + 1)
            buffers.append(Buffer(layer.name, math.prod(layer.output), number, end))
        if layer.kernel == BLOCK:
            buffers.append(Buffer(f"{layer.name}.arguments", ARGUMENT_BYTES, number, number))
        if call.scratch:
            buffers.append(Buffer(f"{layer.name}.scratch", call.scratch, number, number))
    return buffers


def dimensions(shape: Any) -> str:
    """A C initialiser of a shape."""
    values = shape.as_dict()
    return ", ".join(f".{name} = {values[name]}" for name in DIMENSIONS)

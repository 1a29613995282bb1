# SPDX-License-Identifier: Apache-2.0
"""How much work and memory a cell needs: known before anything is built."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from touchstone.cells import VALUE_CLASSES, Cell, Shape
from touchstone.expression import evaluate, evaluate_with_terms
from touchstone.job import HEADER_BYTES, align16, data_bytes_needed
from touchstone.manifest import TYPE_BYTES, Kernel, Operand
from touchstone.simulators.registry import FAR, WEIGHTS


@dataclass(frozen=True)
class Needs:
    """Work in MACs and elements, memory in bytes.

    `arena_bytes` counts operands, scratch and guards as the harness lays them out;
    `activation_bytes` is input + output + all scratch (no weights, no guards).
    """

    macs: int
    elements: int
    scratch_bytes: int
    activation_bytes: int
    weight_bytes: int
    output_bytes: int
    arena_bytes: int
    job_bytes: int


def needs_of(cell: Cell) -> Needs:
    """What one cell needs."""
    kernel = cell.kernel
    variables = _variables(cell)
    where = kernel.where
    scratch = scratch_bytes(cell, variables)
    sizes = operand_bytes(kernel, cell.variant.layout, cell.shape, cell.numerics.per_channel)
    weight_names = {operand.name for operand in kernel.operands if operand.role == "weight"}
    weights = sum(sizes[name] for name in weight_names)
    activations = sum(sizes.values()) - weights
    return Needs(
        macs=evaluate(kernel.macs, variables, where),
        elements=evaluate(kernel.elements, variables, where),
        scratch_bytes=scratch,
        activation_bytes=activations + scratch,
        weight_bytes=weights,
        output_bytes=sizes[kernel.operands[-1].name],
        arena_bytes=_arena_bytes(cell, sizes, weight_names, scratch),
        job_bytes=job_bytes(kernel, sizes),
    )


# As targets/common/arena.h has it: where the arena cannot hold everything, weights of at least this
# many bytes stay in the job; then, or with `settings=weights:far`, those of the smaller limit.
FAR_WEIGHT_BYTES = 8192
FAR_SMALL_BYTES = 64


def _arena_bytes(
    cell: Cell, sizes: Mapping[str, int], weights: Collection[str], scratch: int
) -> int:
    if dict(cell.settings).get(WEIGHTS) != FAR:
        for limit in (math.inf, FAR_WEIGHT_BYTES):
            needed = data_bytes_needed(_near(sizes, weights, limit), scratch)
            if needed <= cell.target.memory_of(cell.simulator)["arena"].bytes:
                return needed
    return data_bytes_needed(_near(sizes, weights, FAR_SMALL_BYTES), scratch)


def _near(sizes: Mapping[str, int], weights: Collection[str], limit: float) -> list[int]:
    """Bytes of each operand in the arena: none of weights from `limit` bytes on."""
    return [0 if name in weights and size >= limit else size for name, size in sizes.items()]


def scratch_bytes(cell: Cell, variables: Mapping[str, int]) -> int:
    """Scratch of all cores together."""
    variant = cell.variant
    where = f"{cell.kernel.where}: variants.{variant.name}"
    return evaluate_with_terms(variant.scratch, variant.terms, variables, where)


def job_bytes(kernel: Kernel, sizes: Mapping[str, int]) -> int:
    """An upper bound for the job block: cases may share operands, here none does."""
    cases = len(VALUE_CLASSES)
    words = cases * (2 + len(kernel.params) + 4 * len(kernel.operands))
    data = sum(
        align16(sizes[operand.name]) for operand in kernel.operands if operand.role != "output"
    )
    return align16(HEADER_BYTES + 4 * words) + cases * data


def skip_reason(cell: Cell, needs: Needs) -> str | None:
    """Why a cell cannot run on its target, with the numbers; None where it fits."""
    memory = cell.target.memory_of(cell.simulator)
    lost = {"arena": _lost_l1(cell)}
    for name, size in (("arena", needs.arena_bytes), ("job", needs.job_bytes)):
        available = max(memory[name].bytes - lost.get(name, 0), 0)
        if size > available:
            return (
                f"does not fit: {name} memory of {cell.target.name} has {available} bytes, "
                f"needed {size} ({size - available} too many)"
            )
    return None


def _lost_l1(cell: Cell) -> int:
    """Bytes that the arena, which ends where L1 does, loses to the smaller L1 of a setting."""
    chosen = dict(cell.settings).get("l1_bytes")
    if chosen is None:
        return 0
    return max(int(cell.target.simulator_settings[cell.simulator]["l1_bytes"]) - int(chosen), 0)


def _variables(cell: Cell) -> dict[str, int]:
    return {
        **cell.shape.values(),
        "cores": cell.cores,
        "per_channel": int(cell.numerics.per_channel),
        **cell.schedule.values(),
    }


@lru_cache(maxsize=4096)
def operand_bytes(
    kernel: Kernel, layout: str | None, shape: Shape, per_channel: bool
) -> Mapping[str, int]:
    """The bytes of each operand, packed as the layout wants; the same on all targets."""
    variables = {**shape.values(), "per_channel": int(per_channel)}
    packers = kernel.layouts[layout] if layout else {}
    return {
        operand.name: _bytes(kernel, operand, packers.get(operand.name), variables)
        for operand in kernel.operands
    }


def _bytes(
    kernel: Kernel, operand: Operand, packer: str | None, variables: Mapping[str, int]
) -> int:
    shape = operand.dimensions(variables, f"{kernel.where}: operands.{operand.name}")
    if packer is None:
        return math.prod(shape) * TYPE_BYTES[operand.type]
    packed_shape, packed_type = _packed(packer)
    return math.prod(packed_shape(shape)) * TYPE_BYTES[packed_type or operand.type]


def _packed(packer: str) -> tuple[Callable[[tuple[int, ...]], tuple[int, ...]], str | None]:
    """A packer's packed_shape, and the type of what it gives if it changes that."""
    module = importlib.import_module(f"golden.packers.{packer}")
    return module.packed_shape, getattr(module, "PACKED_TYPE", None)

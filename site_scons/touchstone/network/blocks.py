# SPDX-License-Identifier: Apache-2.0
"""Six layers that are what the kernel encoder_block computes, as one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

BLOCK = "encoder_block"
KERNELS = ("layernorm", "mhsa", "add", "layernorm", "ffn", "add")


def whole_blocks(layers: Sequence[Any]) -> tuple[Any, ...]:
    """The layers (golden.network.graph.Layer) with each pre-norm block as one: the same bits.

    A block has the name of what its layers are below: `blocks.0`. One of another order, or whose
    inner tensors are read elsewhere, is left as it is.
    """
    made: list[Any] = []
    names: dict[str, str] = {}
    first = 0
    while first < len(layers):
        six, rest = layers[first : first + len(KERNELS)], layers[first + len(KERNELS) :]
        if is_block(six, rest):
            names[six[-1].name] = six[-1].name.rpartition(".")[0] or f"block_{first}"
            made.append(_joined(six, names[six[-1].name]))
            first += len(KERNELS)
        else:
            made.append(layers[first])
            first += 1
    return tuple(replace(layer, inputs=_renamed(layer.inputs, names)) for layer in made)


def is_block(six: Sequence[Any], rest: Sequence[Any]) -> bool:
    """Whether these layers read each other as in the block, and the others only their last."""
    if tuple(layer.kernel for layer in six) != KERNELS:
        return False
    norm1, attention, add1, norm2, network, add2 = six
    source = norm1.inputs["input"]
    wired = (
        attention.inputs == {"input": norm1.name}
        and add1.inputs == {"a": source, "b": attention.name}
        and norm2.inputs == {"input": add1.name}
        and network.inputs == {"input": norm2.name}
        and add2.inputs == {"a": add1.name, "b": network.name}
    )
    inner = {layer.name for layer in six[:-1]}
    return wired and not any(inner & set(layer.inputs.values()) for layer in rest)


def _joined(six: Sequence[Any], name: str) -> Any:
    norm1, attention, add1, norm2, network, add2 = six
    params = {**attention.params, **network.params}
    weights: dict[str, Any] = {}
    for prefix, norm in (("norm1", norm1), ("norm2", norm2)):
        params[f"{prefix}_shift"] = norm.params["shift"]
        weights |= {f"{prefix}_{operand}": array for operand, array in norm.weights.items()}
    for prefix, add in (("add1", add1), ("add2", add2)):
        params |= {
            f"{prefix}_residual_mul": add.params["a_mul"],
            f"{prefix}_layer_mul": add.params["b_mul"],
            f"{prefix}_shift": add.params["shift"],
            f"{prefix}_flags": add.params["flags"],
        }
    weights |= {**attention.weights, **network.weights}
    shape = replace(attention.shape, F=network.shape.F)
    inputs = {"input": norm1.inputs["input"]}
    return replace(
        attention,
        name=name,
        kernel=BLOCK,
        shape=shape,
        params=params,
        weights=weights,
        inputs=inputs,
    )


def _renamed(inputs: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {operand: names.get(tensor, tensor) for operand, tensor in inputs.items()}

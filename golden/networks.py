# SPDX-License-Identifier: Apache-2.0
"""A whole network in the integers of the kernels: layers that are kernel cases, one after another.

Each layer is an operation of the kernel library at one shape with its parameters and weights, so
the golden model of a network is that of its layers and cannot differ from them. One operation
belongs to networks alone (kernels/include/ts_network.h): `patches`, below.

The operands of a network as a job: `input` int8 [n] its input tensors, `weights` int8 [n] all
arrays of all layers, `output` uint8 [4 L + classes] a CRC-32 of each layer's output (little endian;
0 where parameter `trace` is 0) and then the last layer's output. Tensors and arrays start at
multiples of 16 bytes.
"""

from __future__ import annotations

import importlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from golden.case import Array, GoldenError, Operands, Params, Shape
from golden.counter_rng import CounterRng
from golden.network.graph import Layer
from golden.value_classes import activation

ALIGNMENT = 16


@dataclass(frozen=True)
class IntegerNetwork:
    """Layers in the order of their execution, the last one's output is the network's; `inputs`
    are the int8 tensors that it is given, by name."""

    name: str
    inputs: Mapping[str, tuple[int, ...]]
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Segment:
    """One array in the operand `weights`: where it starts, and what it is."""

    layer: str
    operand: str
    offset: int
    type: str
    shape: tuple[int, ...]
    packer: str = ""


def aligned(count: int) -> int:
    """`count` rounded up to where the next array may start."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def weight_segments(network: IntegerNetwork) -> tuple[Segment, ...]:
    """The operand `weights` as golden models have it."""
    segments, offset = [], 0
    for layer in network.layers:
        for name, array in layer.weights.items():
            segments.append(Segment(layer.name, name, offset, array.dtype.name, array.shape))
            offset += aligned(array.nbytes)
    return tuple(segments)


def input_offsets(network: IntegerNetwork) -> tuple[dict[str, int], int]:
    """Where each input tensor starts in the operand `input`, and that operand's bytes."""
    offsets, end, offset = {}, 0, 0
    for name, shape in network.inputs.items():
        offsets[name] = offset
        end = offset + int(np.prod(shape))
        offset = aligned(end)
    return offsets, end


def weight_bytes(network: IntegerNetwork) -> Array:
    """The operand `weights`."""
    blobs = []
    for layer in network.layers:
        for array in layer.weights.values():
            data = array.astype(array.dtype.newbyteorder("<")).tobytes()
            blobs.append(data.ljust(aligned(len(data)), b"\0"))
    joined: Array = np.frombuffer(b"".join(blobs), np.int8).copy()
    return joined


def _array(blob: Array, segment: Segment) -> Array:
    dtype = np.dtype(segment.type).newbyteorder("<")
    count = int(np.prod(segment.shape)) * dtype.itemsize
    data = blob[segment.offset : segment.offset + count].tobytes()
    array: Array = np.frombuffer(data, dtype).reshape(segment.shape).astype(segment.type)
    return array


def pack_segments(blob: Array, source: Sequence[Segment], target: Sequence[Segment]) -> Array:
    """The operand `weights` as a target's kernels want it: `target` are the segments of `source`
    in its layouts."""
    parts = []
    for one, other in zip(source, target, strict=True):
        array = _array(blob, one)
        if other.packer:
            array = importlib.import_module(f"golden.packers.{other.packer}").pack(array)
        array = np.ascontiguousarray(array)
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        parts.append(data.ljust(aligned(len(data)), b"\0"))
    joined: Array = np.frombuffer(b"".join(parts), np.int8).copy()
    return joined


def patches(x: Array, params: Mapping[str, int], rows: int) -> Array:
    """int8 [S, patch] of an input int8 [C, R, Q]: windows row by row, in each channel by channel.

    params: C, R, Q, kernel_rows, kernel_columns, stride_rows, stride_columns, skip. `skip` rows of
    zeros come first: the class token's.
    """
    size = (params["C"], params["R"], params["Q"])
    window = (params["kernel_rows"], params["kernel_columns"])
    view = np.lib.stride_tricks.sliding_window_view(x.reshape(size), window, axis=(1, 2))
    view = view[:, :: params["stride_rows"], :: params["stride_columns"]]
    found = view.transpose(1, 2, 0, 3, 4).reshape(-1, size[0] * window[0] * window[1])
    zeros = np.zeros((params["skip"], found.shape[1]), np.int8)
    made = np.concatenate([zeros, found])
    if made.shape[0] != rows:
        raise GoldenError(f"patches: found {made.shape[0]} windows, allowed {rows}")
    return np.ascontiguousarray(made)


def run_layer(layer: Layer, weights: Mapping[str, Array], made: Mapping[str, Array]) -> Array:
    """The output of one layer."""
    given = {operand: made[tensor] for operand, tensor in layer.inputs.items()}
    if layer.kernel == "patches":
        return patches(given["input"], layer.params, layer.output[0])
    operation = importlib.import_module(f"golden.{layer.kernel}")
    if layer.kernel == "linear_o":  # a layer of one row reads the whole of a tensor at once
        given["input"] = given["input"].reshape(layer.shape.S, -1)
    try:
        outputs: Operands = operation.golden(layer.shape, layer.params, {**given, **weights})
    except GoldenError as error:
        raise GoldenError(f"{layer.name}: {error}") from None
    return outputs["output"]


def run(
    network: IntegerNetwork, inputs: Mapping[str, Array], weights: Mapping[str, Operands]
) -> dict[str, Array]:
    """Every layer's output."""
    made = dict(inputs)
    for layer in network.layers:
        output = run_layer(layer, weights.get(layer.name, {}), made)
        if output.shape != layer.output:
            raise GoldenError(f"{layer.name}: found {output.shape}, allowed {layer.output}")
        made[layer.name] = output
    return {layer.name: made[layer.name] for layer in network.layers}


def forward(network: IntegerNetwork, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every layer's output with the network's own weights."""
    return run(network, inputs, {layer.name: layer.weights for layer in network.layers})


def join_inputs(network: IntegerNetwork, inputs: Mapping[str, Array]) -> Array:
    """The operand `input`."""
    offsets, count = input_offsets(network)
    joined = np.zeros(count, np.int8)
    for name, offset in offsets.items():
        flat = inputs[name].reshape(-1)
        joined[offset : offset + flat.size] = flat
    return joined


def make_inputs(
    network: IntegerNetwork, rng: CounterRng, value_class: str
) -> tuple[Params, Operands]:
    """A case. The timed one, whose class is random, is not traced, all others are."""
    inputs = {
        name: activation(rng, name, shape, value_class) for name, shape in network.inputs.items()
    }
    operands = {"input": join_inputs(network, inputs), "weights": weight_bytes(network)}
    return {"trace": int(value_class != "random")}, operands


def golden(
    network: IntegerNetwork, params: Mapping[str, int], operands: Mapping[str, Array]
) -> Operands:
    """The output, from parameters and operands alone."""
    offsets, _ = input_offsets(network)
    inputs = {}
    for name, shape in network.inputs.items():
        flat = operands["input"][offsets[name] : offsets[name] + int(np.prod(shape))]
        inputs[name] = flat.reshape(shape)
    weights: dict[str, Operands] = {}
    for segment in weight_segments(network):
        array = _array(operands["weights"], segment)
        weights.setdefault(segment.layer, {})[segment.operand] = array
    made = run(network, inputs, weights)
    crcs = [zlib.crc32(output.tobytes()) if params["trace"] else 0 for output in made.values()]
    head = np.array(crcs, dtype="<u4").view(np.uint8)
    last = made[network.layers[-1].name].reshape(-1).view(np.uint8)
    return {"output": np.concatenate([head, last])}


def save(network: IntegerNetwork) -> bytes:
    """The network as the bytes of an .npz file without pickles; equal networks, equal bytes."""
    layers = []
    arrays: dict[str, Array] = {}
    for layer in network.layers:
        layers.append(
            {
                "name": layer.name,
                "kernel": layer.kernel,
                "shape": layer.shape.as_dict(),
                "params": dict(layer.params),
                "weights": list(layer.weights),
                "inputs": dict(layer.inputs),
                "output": list(layer.output),
            }
        )
        arrays |= {f"{layer.name}.{name}": array for name, array in layer.weights.items()}
    inputs = {name: list(shape) for name, shape in network.inputs.items()}
    text = json.dumps({"name": network.name, "inputs": inputs, "layers": layers})
    file = BytesIO()
    arrays["structure"] = np.frombuffer(text.encode("ascii"), np.uint8)
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def load(path: str) -> IntegerNetwork:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        document = json.loads(archive["structure"].tobytes())
        layers = [
            Layer(
                name=entry["name"],
                kernel=entry["kernel"],
                shape=Shape(**entry["shape"]),
                params=entry["params"],
                weights={name: archive[f"{entry['name']}.{name}"] for name in entry["weights"]},
                inputs=entry["inputs"],
                output=tuple(entry["output"]),
            )
            for entry in document["layers"]
        ]
    inputs = {name: tuple(shape) for name, shape in document["inputs"].items()}
    return IntegerNetwork(document["name"], inputs, tuple(layers))

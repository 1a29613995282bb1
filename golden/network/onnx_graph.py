# SPDX-License-Identifier: Apache-2.0
"""A quantised ONNX encoder graph, as QuantLib and its successors export one, in our layers.

Understood: MatMul and Gemm with constant weights and Add of a constant bias; RequantShift, or the
Mul, Add, Div, Floor, Clip that it stands for; iLayerNorm; iGELU; Add of two int8 tensors; and the
attention that Reshape, Transpose, MatMul and iSoftmax make of three projections (kernel mhsa).
Everything else is refused by number, operation and name. Values are taken as they are: what the
graph computes is what the layers compute, bit by bit.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from golden.case import Array, GoldenError, Operands, Params, Shape
from golden.network.checkpoint import read_file
from golden.network.graph import INPUT, IntegerNetwork, Layer
from golden.presets import ROUNDINGS
from golden.requant import PER_CHANNEL, ROUND_HALF_UP, Requant
from golden.softmax_table import authors_table

MAX_NODES = 4096
MIXED, TURNED = (0, 2, 1, 3), (0, 2, 3, 1)  # [1,H,S,P], and [1,H,P,S] of the key


@dataclass(frozen=True)
class Tensor:
    """int8 [S,width]: the network's input or a layer's output."""

    name: str
    rows: int
    width: int


@dataclass(frozen=True)
class Accumulator:
    """x W^T + b before its requantisation; `source` may be a mixed context."""

    source: Any
    weight: Array
    bias: Array


@dataclass(frozen=True)
class Projection:
    """A requantised Accumulator that may become part of an attention; `heads` once it is split."""

    acc: Accumulator
    requant: Requant
    heads: int = 0
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class Attention:
    """Query, key and what has been said about the map, the values and the context so far."""

    query: Projection
    key: Projection
    scores: Requant | None = None
    table: tuple[int, ...] = ()
    value: Projection | None = None
    context: Requant | None = None
    order: tuple[int, ...] = ()
    joined: bool = False


@dataclass(frozen=True)
class Sum:
    """Two int8 tensors."""

    a: Tensor
    b: Tensor


@dataclass(frozen=True)
class Table:
    """A function of int8: its values for -128..127, before a requantisation."""

    source: Tensor
    values: tuple[int, ...]


@dataclass(frozen=True)
class Scaled:
    """(value * mul + add) / div, on its way to a requantisation."""

    value: Any
    mul: Array
    add: float = 0.0
    div: float = 0.0
    floored: bool = False


def read_graph(path: Path, rounding: str = "half_up") -> IntegerNetwork:
    """The network of an ONNX file; GoldenError with one line, naming the node, where it is none.

    rounding: what RequantShift means, which the file does not say. half_up adds half of `div`, as
    the code and the recorded tensors of Deeploy do; floor adds nothing, as the paper's kernels do.
    """
    data = read_file(path)
    try:
        onnx = importlib.import_module("onnx")
    except ImportError:
        raise GoldenError(
            f"{path}: found no package onnx, allowed after pip install -r requirements-onnx.lock"
        ) from None
    try:
        graph = onnx.load_model_from_string(data).graph
    except Exception as error:  # protobuf has errors of its own, by its implementation
        raise GoldenError(f"{path}: found no ONNX model ({type(error).__name__})") from None
    if len(graph.node) > MAX_NODES:
        raise GoldenError(f"{path}: found {len(graph.node)} nodes, allowed {MAX_NODES}")
    return _Reader(path, onnx, rounding).read(graph)


class _Reader:
    def __init__(self, path: Path, onnx: Any, rounding: str) -> None:
        self.path, self.onnx = path, onnx
        if rounding not in ROUNDINGS:
            raise GoldenError(f"rounding: found {rounding!r}, allowed {', '.join(ROUNDINGS)}")
        self.half_up = rounding == "half_up"
        self.where = str(path)
        self.layers: list[Layer] = []
        self.values: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}

    def refuse(self, why: str) -> GoldenError:
        return GoldenError(f"{self.where}: {why}")

    def read(self, graph: Any) -> IntegerNetwork:
        """All nodes in their order."""
        for initial in graph.initializer:
            self.values[initial.name] = self.onnx.numpy_helper.to_array(initial)
        inputs = [one for one in graph.input if one.name not in self.values]
        sizes = [d.dim_value for one in inputs for d in one.type.tensor_type.shape.dim]
        if len(inputs) != 1 or len(graph.output) != 1 or len(sizes) != 3 or sizes[0] != 1:
            found = f"{len(inputs)} inputs, {len(graph.output)} outputs, sizes {sizes}"
            raise self.refuse(f"found {found}, allowed one input [1, S, E] and one output")
        self.values[inputs[0].name] = Tensor(INPUT, sizes[1], sizes[2])
        for number, node in enumerate(graph.node):
            self.where = (
                f"{self.path}: node {number} {node.op_type} {node.name or node.output[0]!r}"
            )
            self.values[node.output[0]] = self.node(node)
        last = self.settled(self.values.get(graph.output[0].name))
        if not self.layers or last.name != self.layers[-1].name:
            raise self.refuse("found an output that no last layer makes")
        return IntegerNetwork(self.path.stem, (sizes[1], sizes[2]), tuple(self.layers), {})

    def node(self, node: Any) -> Any:
        handlers: dict[str, Callable[[list[Any]], Any]] = {
            "MatMul": self.matmul,
            "Gemm": self.gemm,
            "Add": self.add,
            "RequantShift": self.requant_shift,
            "Mul": lambda given: Scaled(given[0], np.asarray(self.constant(given[1]))),
            "Div": self.divide,
            "Floor": self.floor,
            "Clip": self.clip,
            "iSoftmax": self.softmax,
            "iLayerNorm": self.norm,
            "iGELU": self.gelu,
            "Reshape": self.reshape,
            "Transpose": self.transpose,
        }
        if node.op_type not in handlers:
            raise self.refuse(f"unsupported, allowed {', '.join(sorted(handlers))}")
        helper = self.onnx.helper
        self.attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        missing = [name for name in node.input if name not in self.values]
        if missing:
            raise self.refuse(f"found the input {missing[0]!r}, which nothing makes")
        return handlers[node.op_type]([self.values[name] for name in node.input])

    def number(self, name: str) -> int:
        """A scalar attribute, be it a tensor or a number."""
        if name not in self.attributes:
            raise self.refuse(f"found no attribute {name}")
        value = self.attributes[name]
        if hasattr(value, "dims"):
            value = self.onnx.numpy_helper.to_array(value)
        return int(np.asarray(value).reshape(-1)[0])

    def constant(self, value: Any) -> Array:
        if not isinstance(value, np.ndarray):
            raise self.refuse("found a computed operand, allowed a constant")
        return value.astype(np.float64)

    def whole(self, value: Any, low: int, high: int, what: str) -> Array:
        """A constant of integers in a range."""
        array = self.constant(value)
        if not np.array_equal(array, np.rint(array)) or array.min() < low or array.max() > high:
            span = f"{array.min():g}..{array.max():g}"
            raise self.refuse(f"found {what} {span}, allowed whole numbers {low}..{high}")
        return array.astype(np.int64)

    def settled(self, value: Any) -> Tensor:
        """A tensor; a projection that is no part of an attention becomes a layer here."""
        if isinstance(value, Projection) and not value.heads:
            return self.linear(value)
        if not isinstance(value, Tensor):
            found = type(value).__name__.lower()
            raise self.refuse(f"found {found} as an operand, allowed an int8 tensor [S, width]")
        return value

    def append(
        self,
        kernel: str,
        shape: Shape,
        case: tuple[Params, Operands],
        inputs: dict[str, str],
        width: int,
    ) -> Tensor:
        name = f"{kernel}_{len(self.layers)}"
        self.layers.append(Layer(name, kernel, shape, *case, inputs, (shape.S, width)))
        return Tensor(name, shape.S, width)

    def matmul(self, given: list[Any]) -> Any:
        left, right = given
        if isinstance(right, np.ndarray):
            weight = self.whole(right, -128, 127, "weights").astype(np.int8)
            source = left if isinstance(left, Attention) else self.settled(left)
            if isinstance(source, Tensor) and weight.shape[0] != source.width:
                raise self.refuse(
                    f"found weights {list(weight.shape)} for a width of {source.width}"
                )
            return Accumulator(source, weight.T, np.zeros(weight.shape[1], np.int64))
        if isinstance(left, Projection) and isinstance(right, Projection):
            return Attention(left, right)
        if isinstance(left, Attention) and left.table and isinstance(right, Projection):
            return replace(left, value=right)
        raise self.refuse("found operands that are neither weights nor an attention's")

    def gemm(self, given: list[Any]) -> Any:
        weight = given[1].T if self.attributes.get("transB") else given[1]
        if self.attributes.get("transA"):
            raise self.refuse("found transA, allowed without")
        made = self.matmul([given[0], weight])
        return self.add([made, given[2]]) if len(given) > 2 else made

    def add(self, given: list[Any]) -> Any:
        value, other = given if not isinstance(given[0], np.ndarray) else given[::-1]
        if isinstance(other, np.ndarray):
            if isinstance(value, Scaled):
                return replace(value, add=value.add + float(self.constant(other).reshape(-1)[0]))
            if isinstance(value, Accumulator):
                bias = self.whole(other, -(2**30), 2**30, "a bias")
                return replace(value, bias=value.bias + bias.reshape(-1))
            raise self.refuse("found a constant added to a tensor, allowed to a product")
        return Sum(self.settled(value), self.settled(other))

    def divide(self, given: list[Any]) -> Any:
        if not isinstance(given[0], Scaled):
            raise self.refuse("found no Mul before it")
        return replace(given[0], div=float(self.constant(given[1]).reshape(-1)[0]))

    def floor(self, given: list[Any]) -> Any:
        if not isinstance(given[0], Scaled) or not given[0].div:
            raise self.refuse("found no Mul and Div before it")
        return replace(given[0], floored=True)

    def clip(self, given: list[Any]) -> Any:
        scaled = given[0]
        limits = [float(self.constant(limit).reshape(-1)[0]) for limit in given[1:]]
        limits = limits or [float(self.attributes.get(name, 0.0)) for name in ("min", "max")]
        if not isinstance(scaled, Scaled) or not scaled.floored or limits != [-128.0, 127.0]:
            raise self.refuse(f"found limits {limits}, allowed -128, 127 after Mul, Div, Floor")
        return self.requantised(scaled.value, self.requant(scaled.mul, scaled.add, scaled.div))

    def requant_shift(self, given: list[Any]) -> Any:
        if self.number("n_levels_out") != 256 or not self.number("signed"):
            raise self.refuse("found an unsigned or narrower output, allowed int8")
        added = self.constant(given[2])
        if np.any(added != added.reshape(-1)[0]):
            raise self.refuse("found an addition for each channel, allowed one for all")
        add = float(added.reshape(-1)[0])
        if self.half_up and add:
            raise self.refuse(f"found an addition of {add:g}, allowed 0 where it rounds half up")
        div = self.number("div")
        return self.requantised(
            given[0], self.requant(given[1], div / 2 if self.half_up else add, div)
        )

    def requant(self, mul: Any, add: float, div: float) -> Requant:
        """Multipliers of 16 bits; a power of two too many is taken off the shift."""
        muls = self.whole(mul, 1, 2**31 - 1, "multipliers").reshape(-1)
        shift = round(np.log2(div)) if div >= 1 else 0
        if 2.0**shift != div:
            raise self.refuse(f"found a divisor of {div:g}, allowed powers of two")
        half = add == div / 2 and add != 0
        if add and not half:
            raise self.refuse(f"found an addition of {add:g}, allowed 0 or {div / 2:g} (half up)")
        while shift > 1 and muls.max() > 65535 and not np.any(muls & 1):
            muls, shift = muls >> 1, shift - 1
        if muls.max() > 65535 or not 1 <= shift <= 31:
            raise self.refuse(f"the scales overflow: found {muls.max()} over 2**{shift}")
        flags = (PER_CHANNEL if muls.size > 1 else 0) | (ROUND_HALF_UP if half else 0)
        return Requant(muls.astype(np.uint16), shift, flags)

    def requantised(self, value: Any, requant: Requant) -> Any:
        if isinstance(value, Accumulator):
            made = Projection(value, requant)
            return self.attention(made) if isinstance(value.source, Attention) else made
        if isinstance(value, Attention):
            if value.value is None:
                return replace(value, scores=requant)
            return replace(value, context=requant)
        if requant.mul.size > 1:
            raise self.refuse("found multipliers for each channel, allowed one")
        if isinstance(value, Sum):
            mul = int(requant.mul[0])
            flags = requant.flags & ROUND_HALF_UP
            params = {"a_mul": mul, "b_mul": mul, "shift": requant.shift, "flags": flags}
            inputs = {"a": value.a.name, "b": value.b.name}
            shape = Shape(S=value.a.rows, E=value.a.width, P=1, H=1, F=0)
            return self.append("add", shape, (params, {}), inputs, value.a.width)
        if isinstance(value, Projection):
            value = self.settled(value)
        if isinstance(value, Tensor):
            value = Table(value, tuple(range(-128, 128)))
        if not isinstance(value, Table):
            raise self.refuse(f"found {type(value).__name__.lower()}, allowed a product or tensor")
        table = requant.apply(np.array(value.values), (1,))
        shape = Shape(S=value.source.rows, E=value.source.width, P=1, H=1, F=0)
        operands = {"table": np.concatenate([table[128:], table[:128]])}
        return self.append("gelu", shape, ({}, operands), {"input": value.source.name}, shape.E)

    def gelu(self, given: list[Any]) -> Any:
        source = self.settled(given[0])
        b, one = self.number("b"), self.number("one")
        values = []
        for x in range(-128, 128):
            sign = (x > 0) - (x < 0)
            poly = sign * (one - (min(abs(x), -b) + b) ** 2)
            values.append(x * ((one + poly) >> 1))
        return Table(source, tuple(values))

    def norm(self, given: list[Any]) -> Any:
        source = self.settled(given[0])
        weight = self.whole(given[1], -32768, 32767, "weights").astype(np.int16).reshape(-1)
        bias = self.whole(given[2], -(2**30), 2**30, "a bias").astype(np.int32).reshape(-1)
        shift = round(np.log2(self.number("D")))
        shape = Shape(S=source.rows, E=source.width, P=1, H=1, F=0)
        case: tuple[Params, Operands] = ({"shift": shift}, {"weight": weight, "bias": bias})
        return self.append("layernorm", shape, case, {"input": source.name}, source.width)

    def softmax(self, given: list[Any]) -> Any:
        if not isinstance(given[0], Attention) or given[0].scores is None:
            raise self.refuse("found no requantised scores before it")
        if self.number("n_levels") != 256:
            raise self.refuse("found another number of levels, allowed 256")
        names = ("coeffA", "coeffB", "coeffC", "log2")
        a, b, c, log2 = (self.number(name) for name in names)
        return replace(given[0], table=tuple(authors_table(a, b, c, log2)))

    def reshape(self, given: list[Any]) -> Any:
        """To heads [1,S,H,P], and back to [1,S,H P]."""
        value, sizes = given[0], [int(size) for size in self.constant(given[1]).reshape(-1)]
        if isinstance(value, Projection) and not value.heads and len(sizes) == 4:
            depth = value.acc.weight.shape[0]
            heads = sizes[2] if sizes[2] > 0 else depth // max(1, sizes[3])
            if heads > 0 and depth % heads == 0 and sizes[3] in (-1, depth // heads):
                return replace(value, heads=heads)
        if isinstance(value, Attention) and value.order == MIXED and len(sizes) == 3:
            return replace(value, joined=True)
        raise self.refuse(f"found {sizes}, allowed [1, S, H, P] of a projection, or back")

    def transpose(self, given: list[Any]) -> Any:
        order = tuple(self.attributes.get("perm", ()))
        if isinstance(given[0], Projection) and given[0].heads and not given[0].order:
            return replace(given[0], order=order)
        if isinstance(given[0], Attention) and given[0].context and not given[0].order:
            return replace(given[0], order=order)
        raise self.refuse(f"found the order {list(order)}, allowed an attention's alone")

    def linear(self, made: Projection) -> Tensor:
        """A projection as a layer of its own."""
        source, width = made.acc.source, made.acc.weight.shape[0]
        shape = Shape(S=source.rows, E=width, P=source.width, H=1, F=0)
        operands = {"weight": made.acc.weight, "bias": made.acc.bias.astype(np.int32)}
        case = (made.requant.params("requant"), operands | made.requant.operands("requant"))
        return self.append("linear_o", shape, case, {"input": source.name}, width)

    def attention(self, out: Projection) -> Tensor:
        """A whole attention, known once its output projection is requantised."""
        whole = out.acc.source
        if whole.scores is None or whole.context is None or not whole.joined:
            raise self.refuse("found an attention without scores, iSoftmax, values or context")
        orders = (whole.query.order, whole.key.order, whole.value.order, whole.order)
        if orders != (MIXED, TURNED, MIXED, MIXED):
            raise self.refuse(f"found transpositions {orders}, allowed those of an attention")
        source, heads = self.settled(whole.query.acc.source), whole.query.heads
        params, operands = Params(), Operands()
        for letter, part in zip("qkv", (whole.query, whole.key, whole.value), strict=True):
            if part.heads != heads or part.acc.source != whole.query.acc.source or not heads:
                raise self.refuse("found projections of different heads or inputs")
            depth = part.acc.weight.shape[0] // heads
            shaped = part.acc.weight.reshape(heads, depth, source.width)
            operands |= {
                f"{letter}_weight": shaped,
                f"{letter}_bias": part.acc.bias.astype(np.int32),
            }
        operands |= {"o_weight": out.acc.weight, "o_bias": out.acc.bias.astype(np.int32)}
        requants = {"q": whole.query.requant, "k": whole.key.requant, "v": whole.value.requant}
        requants |= {"scores": whole.scores, "context": whole.context, "o": out.requant}
        for name, requant in requants.items():
            operands |= requant.operands(name)
            params |= requant.params(name)
        operands["softmax_table"] = np.array(whole.table, np.uint32)
        params["softmax_max"] = max(whole.table)
        shape = Shape(S=source.rows, E=source.width, P=depth, H=heads, F=0)
        return self.append("mhsa", shape, (params, operands), {"input": source.name}, source.width)

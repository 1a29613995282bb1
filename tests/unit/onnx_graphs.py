# SPDX-License-Identifier: Apache-2.0
"""Quantised ONNX graphs for tests, made node by node, with what they compute in plain integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.case import Array

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
S, E, H, P, F = 5, 8, 2, 4, 12
SOFTMAX = {"coeffA": 1.0, "coeffB": 24.0, "coeffC": 7.0, "log2": 5.0, "n_levels": 256.0}


class Graph:
    """Nodes one after another, and beside them what they compute, in plain integers."""

    def __init__(self, rounding: str = "half_up") -> None:
        self.rounding = rounding
        self.random = np.random.default_rng(1)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.x = self.random.integers(-128, 128, (S, E))

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        value = np.asarray(array, np.int64 if np.asarray(array).dtype.kind == "i" else np.float32)
        self.constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def rq(self, name: str, value: Array, mul: float, div: float = 65536.0) -> tuple[str, Array]:
        words = (self.constant(np.float64(mul)), self.constant(np.float64(0)))
        levels = {"div": div, "n_levels_out": 256.0, "signed": 1.0}
        half = int(div) // 2 if self.rounding == "half_up" else 0
        made = np.clip((value * int(mul) + half) // int(div), -128, 127)
        return self.node("RequantShift", name, *words, **levels), made

    def linear(self, name: str, x: Array, width: int, mul: float) -> tuple[str, Array]:
        weight = self.random.integers(-20, 20, (x.shape[-1], width))
        bias = self.random.integers(-900, 900, width)
        made = self.node("MatMul", name, self.constant(weight.astype(np.float32)))
        made = self.node("Add", self.constant(bias.astype(np.float32)), made)
        return self.rq(made, x @ weight + bias, mul)

    def heads(self, name: str, x: Array, perm: list[int]) -> tuple[str, Array]:
        made = self.node("Reshape", name, self.constant(np.array([1, -1, H, P])))
        return self.node("Transpose", made, perm=perm), x.reshape(S, H, P).transpose(1, 0, 2)

    def attention(self, name: str, x: Array) -> tuple[str, Array]:
        (q, qv), (k, kv), (v, vv) = (self.linear(name, x, H * P, 700) for _ in range(3))
        (q, qv), (v, vv) = self.heads(q, qv, [0, 2, 1, 3]), self.heads(v, vv, [0, 2, 1, 3])
        k, kv = self.heads(k, kv, [0, 2, 3, 1])
        scores, value = self.rq(self.node("MatMul", q, k), qv @ kv.transpose(0, 2, 1), 300)
        d = value.max(axis=-1, keepdims=True) - value
        z, entries = d // 5, np.zeros_like(d)
        entries = np.where(z > 31, 0, ((5 * z - d + 24) ** 2 + 7) >> np.minimum(z, 31))
        table = 255 * entries // entries.sum(axis=-1, keepdims=True)
        soft = self.node("iSoftmax", scores, **SOFTMAX)
        made, value = self.rq(self.node("MatMul", soft, v), table @ vv, 257)
        made = self.node("Transpose", made, perm=[0, 2, 1, 3])
        made = self.node("Reshape", made, self.constant(np.array([1, S, H * P])))
        return self.linear(made, value.transpose(1, 0, 2).reshape(S, -1), E, 514)

    def save(self, folder: Path, last: str) -> Path:
        sizes = [1, S, E]
        places = [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes)
            for name in ("input", last)
        ]
        graph = onnx.helper.make_graph(self.nodes, "g", places[:1], places[1:], self.constants)
        path = folder / "encoder.onnx"
        path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
        return path


def encoder(rounding: str) -> tuple[Graph, str, Array]:
    """Attention, residual, two linear layers with a GELU between: graph, last node, its values."""
    graph = Graph(rounding)
    attended, value = graph.attention("input", graph.x)
    skipped, skip = graph.rq("input", graph.x, 32768)
    total = graph.node("Add", skipped, attended)
    y, value = graph.rq(total, skip + value, 65536)
    hidden, inner = graph.linear(y, value, F, 800)
    activated = graph.node("iGELU", hidden, b=-49, one=2674)
    low = np.minimum(np.abs(inner), 49) - 49
    inner = inner * ((2674 + np.sign(inner) * (2674 - low**2)) // 2)
    hidden, inner = graph.rq(activated, inner, 3138, 2.0**23)
    last, wanted = graph.linear(hidden, inner, E, 3000)
    return graph, last, wanted

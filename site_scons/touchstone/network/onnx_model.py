# SPDX-License-Identifier: Apache-2.0
"""A quantised ONNX graph as a network to deploy: what `model=FILE.onnx` names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.textfile import shown

SUFFIX = ".onnx"
ROUNDINGS = ("half_up", "floor")


@dataclass(frozen=True)
class OnnxModel:
    """What reports and the generated project say of it; its layers are network_of's to read.

    S, E: of the input tensor; P, H: of its first attention, else 1.
    """

    name: str
    where: str
    path: Path
    rounding: str
    S: int
    E: int
    P: int
    H: int
    parameters: int
    layer_macs: tuple[tuple[str, int], ...]
    F: int = 0
    summary: str = "quantised ONNX graph"
    # What descriptions have besides.
    weights: str = ""
    calibration: str = ""
    data: str = ""
    depth_first: bool = False
    whole_blocks: bool = True

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates by kernel."""
        totals: dict[str, int] = {}
        for kernel, count in self.layer_macs:
            totals[kernel] = totals.get(kernel, 0) + count
        return totals

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(count for _, count in self.layer_macs)


def load_onnx(path: Path, name: str, rounding: str) -> OnnxModel:
    """The network of a file; UserError with one line, naming the node, where it is none."""
    graph = integer_graph(path, rounding)
    attentions = [layer.shape for layer in graph.layers if layer.kernel == "mhsa"]
    weights = [
        (layer, operand, array)
        for layer in graph.layers
        for operand, array in layer.weights.items()
        if operand.endswith(("weight", "bias"))
    ]
    rows, width = graph.input
    return OnnxModel(
        name=name,
        where=shown(path),
        path=path,
        rounding=rounding,
        S=rows,
        E=width,
        P=attentions[0].P if attentions else 1,
        H=attentions[0].H if attentions else 1,
        parameters=sum(int(array.size) for _, _, array in weights),
        layer_macs=tuple((layer.kernel, _macs(layer)) for layer in graph.layers if _macs(layer)),
    )


def _macs(layer: Any) -> int:
    """Each weight of a product once a row, and an attention's own two products."""
    S, P, H = int(layer.shape.S), int(layer.shape.P), int(layer.shape.H)
    if layer.kernel not in ("linear_o", "mhsa"):
        return 0
    sizes = (int(array.size) for name, array in layer.weights.items() if name.endswith("weight"))
    return S * sum(sizes) + (2 * S * S * P * H if layer.kernel == "mhsa" else 0)


def integer_graph(path: Path, rounding: str) -> Any:
    """golden.network.graph.IntegerNetwork of a file."""
    # Imported here: golden models need numpy.
    from golden.case import GoldenError
    from golden.network.onnx_graph import read_graph

    try:
        return read_graph(path, rounding)
    except GoldenError as error:
        raise UserError(str(error)) from None

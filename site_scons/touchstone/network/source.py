# SPDX-License-Identifier: Apache-2.0
"""Where a network's integers come from: float weights, quantised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from touchstone.errors import UserError
from touchstone.network.blocks import whole_blocks
from touchstone.network.model import Described
from touchstone.network.onnx_model import OnnxModel, integer_graph

if TYPE_CHECKING:
    from golden.networks import IntegerNetwork


def network_of(model: Described, *, whole: bool = True) -> IntegerNetwork:
    """The integer network of a description; UserError with one line where it cannot be one.

    whole: blocks that a kernel computes as a whole are one layer. Float weights that nobody has
    trained are random, the same everywhere.
    """
    if isinstance(model, OnnxModel):
        return adopt(model, integer_graph(model.path, model.rounding), whole=whole)
    # Imported here: golden models need numpy.
    from golden.case import GoldenError
    from golden.network.models import read_model

    try:
        return adopt(model, read_model(model.path).quantise(), whole=whole)
    except GoldenError as error:
        text = str(error)
        raise UserError(text if text.startswith(model.name) else f"{model.name}: {text}") from None


def adopt(model: Described, quantised: Any, *, whole: bool = True) -> IntegerNetwork:
    """A golden.network.graph.IntegerNetwork, whose input is patches, with the patches gathered on
    the chip where they do not lie in the signal as they are."""
    from golden.case import Shape
    from golden.network.graph import FEATURES, INPUT, Layer
    from golden.networks import IntegerNetwork

    layers = list(quantised.layers)
    if whole and model.whole_blocks and not model.depth_first:
        layers = list(whole_blocks(layers))
    inputs: dict[str, tuple[int, ...]] = {INPUT: tuple(quantised.input)}
    if not isinstance(model, OnnxModel) and model.has_patches:
        shape = Shape(S=model.S, E=model.patch, P=1, H=1, F=0)
        size = (model.S, model.patch)
        given = {"input": "signal"}
        layers.insert(0, Layer(INPUT, "patches", shape, model.patch_params, {}, given, size))
        inputs = {"signal": model.input}
    if quantised.features:
        inputs[FEATURES] = (1, quantised.features)
    return IntegerNetwork(model.name, inputs, tuple(layers))

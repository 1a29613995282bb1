# SPDX-License-Identifier: Apache-2.0
"""leaky_relu: input int8 [S,E] -> int8 [S,E]."""

import numpy as np

from golden.case import param, take
from golden.value_classes import activation


def make_inputs(shape, rng, value_class, numerics, source):
    """Parameters and operands of a case."""
    operands = {"input": activation(rng, "input", (shape.S, shape.E), value_class)}
    return {"shift": rng.integer("shift", 1, 7)}, operands


def golden(shape, params, operands):
    """The output, from parameters and operands alone."""
    x = take(operands, "input", "int8", (shape.S, shape.E))
    return {"output": np.where(x < 0, x >> param(params, "shift", 1, 7), x).astype(np.int8)}

# SPDX-License-Identifier: Apache-2.0
"""Offline fusion of the query and key weights of a head (fused-weight self-attention).

The scores of a head are Q K^T / sqrt(P) with Q = X W_Q^T + b_Q and K = X W_K^T + b_K (weights [P,E]
as stored, i.e. the paper's W_Q is the transpose). What depends on the query row only shifts a whole
row and cancels in the softmax, so b_K drops out and the scores are equivalent to

  (X W*^T + b*) X^T   with   W* = W_K^T W_Q / sqrt(P)  [E,E],   b* = W_K^T b_Q / sqrt(P)  [E].

These are the `weight` and `bias` of fwsa. Fusing is done in float64 and then quantised to int8, one
scale per head, so it costs accuracy once; FusionReport says how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from golden.case import INT32_MAX, INT32_MIN, Array, GoldenError


@dataclass(frozen=True)
class FusedFloat:
    """Real fused weights [H,E,E] and bias [H,E]."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class FusionReport:
    """Error of the quantised weights of each head against the real ones."""

    max_abs_error: tuple[float, ...]
    max_relative_error: tuple[float, ...]  # max_abs_error over the largest magnitude of the head
    sqnr_db: tuple[float, ...]  # infinite where the quantised weights are exact


@dataclass(frozen=True)
class FusedInteger:
    """Operands of fwsa: weight int8 [H,E,E], bias int32 [H*E]; real weight = scale[h] * weight."""

    weight: Array
    bias: Array
    scale: tuple[float, ...]
    report: FusionReport


def fuse(q_weight: Array, k_weight: Array, q_bias: Array) -> FusedFloat:
    """Fused weights of all heads from real q_weight, k_weight [H,P,E] and q_bias [H,P]."""
    if q_weight.ndim != 3 or q_weight.shape != k_weight.shape:
        raise GoldenError("fusion needs query and key weights of one shape (H, P, E)")
    if q_bias.shape != q_weight.shape[:2]:
        raise GoldenError(f"fusion needs a query bias of shape {q_weight.shape[:2]}")
    keys = k_weight.astype(np.float64).swapaxes(-1, -2) / math.sqrt(q_weight.shape[1])
    bias = keys @ q_bias.astype(np.float64)[..., None]
    return FusedFloat(keys @ q_weight.astype(np.float64), bias[..., 0])


def _report(real: Array, quantised: Array) -> FusionReport:
    errors = np.abs(real - quantised)
    largest = [float(error.max()) for error in errors]
    relative, sqnr = [], []
    for head, error in enumerate(errors):
        magnitude = float(np.abs(real[head]).max())
        relative.append(largest[head] / magnitude if magnitude else 0.0)
        signal, noise = float((real[head] ** 2).sum()), float((error**2).sum())
        sqnr.append(10 * math.log10(signal / noise) if noise and signal else math.inf)
    return FusionReport(tuple(largest), tuple(relative), tuple(sqnr))


def quantise(fused: FusedFloat, input_scale: float) -> FusedInteger:
    """int8 weights, symmetric, one scale per head; the bias in accumulator LSBs.

    input_scale: real value of one LSB of the int8 activations, so that an accumulator LSB of head
    h is input_scale * scale[h].
    """
    if not input_scale > 0:
        raise GoldenError("fusion needs a positive input scale")
    largest = np.abs(fused.weight).max(axis=(1, 2))
    scale = np.where(largest > 0, largest / 127, 1.0)
    weight = np.rint(fused.weight / scale[:, None, None]).astype(np.int8)
    bias = np.rint(fused.bias / (scale[:, None] * input_scale))
    if bias.min() < INT32_MIN or bias.max() > INT32_MAX:
        raise GoldenError("the fused bias leaves the range of int32")
    report = _report(fused.weight, weight * scale[:, None, None])
    return FusedInteger(
        weight, bias.astype(np.int32).reshape(-1), tuple(float(s) for s in scale), report
    )

# SPDX-License-Identifier: Apache-2.0
"""What quantisation costs: signal-to-quantisation-noise of every tensor, and the fusion's error."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from golden.case import Array
from golden.fusion import fuse
from golden.network.floating import FloatNetwork
from golden.network.graph import FEATURES, INPUT, IntegerNetwork, run
from golden.network.quantiser import integer_inputs
from golden.network.scales import quantise, weight_scales

MAP_SCALE = 1 / 255


def decibels(wanted: Array, found: Array) -> float:
    """10 log10 of the signal's power over the error's; infinite without an error."""
    signal, noise = float((wanted**2).sum()), float(((wanted - found) ** 2).sum())
    if noise == 0.0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def layer_noise(
    network: FloatNetwork, integer: IntegerNetwork, inputs: Array, features: Array | None = None
) -> dict[str, float]:
    """Decibels of every tensor of the integer network that the float one has too, in order."""
    reference = _references(network, network.run(inputs, features))
    whole: list[Array | None] = [None] * len(inputs)
    if features is not None:
        step = integer.scales[FEATURES]
        whole = [np.clip(np.rint(f / step), -128, 127).astype(np.int8)[None] for f in features]
    given = integer_inputs(network, integer.scales[INPUT], inputs)
    runs = [run(integer, x, extra) for x, extra in zip(given, whole, strict=True)]
    noise = {}
    for name in runs[0]:
        scale = MAP_SCALE if name.endswith(".map") else integer.scales.get(name)
        if scale is None or name not in reference or name in (INPUT, FEATURES):
            continue
        found = np.stack([made[name] for made in runs]).astype(np.float64) * scale
        noise[name] = decibels(reference[name], found.reshape(reference[name].shape))
    return noise


def _references(network: FloatNetwork, kept: Mapping[str, Array]) -> dict[str, Array]:
    """The float tensors as the integer layers make them: the embedding's bias is in the table of
    positions, the class token's row empty until then; the head is one sum of two layers."""
    references = dict(kept)
    embedded = kept["embed"] - network.tensors["embed.bias"]
    if network.encoder.class_token:
        embedded = np.concatenate([np.zeros_like(embedded[:, :1]), embedded], axis=1)
    references["embed"] = embedded
    if network.encoder.features:
        weight = network.tensors["head.weight"][:, network.encoder.E :]
        extra = kept[FEATURES] @ (weight @ network.tensors["features.weight"]).T
        references["extra"], references["tokens"] = extra, kept["head"] - extra
    return references


def fusion_noise(network: FloatNetwork, per_channel: bool) -> list[tuple[float, ...]]:
    """Of every block and head: the fused weights W_K^T W_Q / sqrt(P) over the error of their int8,
    in decibels."""
    encoder = network.encoder
    heads = (encoder.H, encoder.P, encoder.E)
    noise = []
    for block in range(encoder.blocks):
        stem = f"blocks.{block}."
        query, key = (network.tensors[f"{stem}{name}.weight"].reshape(heads) for name in "qk")
        bias = network.tensors[f"{stem}q.bias"].reshape(heads[:2])
        fused = fuse(query, key, bias).weight
        flat = fused.reshape(-1, encoder.E)
        sizes = weight_scales(flat, per_channel)[:, None]
        found = (quantise(flat, sizes) * sizes).reshape(fused.shape)
        noise.append(tuple(decibels(a, b) for a, b in zip(fused, found, strict=True)))
    return noise

# SPDX-License-Identifier: Apache-2.0
"""The float reference of a network, in float64: what quantisation is measured against.

Every intermediate tensor is kept under the name of the integer layer that makes it
(`blocks.0.attention.query` is the stage `query` of the layer `blocks.0.attention`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from golden.case import Array
from golden.network.encoder import Encoder
from golden.network.graph import FEATURES

NORM_EPSILON = 1e-5  # PyTorch's
_ERF = np.frompyfunc(math.erf, 1, 1)


def gelu(x: Array) -> Array:
    """x/2 (1 + erf(x / sqrt 2))."""
    result: Array = x / 2 * (1 + np.asarray(_ERF(x / math.sqrt(2)), np.float64))
    return result


def softmax(x: Array) -> Array:
    """Rows are the last axis."""
    entries = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Array = entries / entries.sum(axis=-1, keepdims=True)
    return result


def layer_norm(x: Array, weight: Array, bias: Array) -> Array:
    """Over the last axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    result: Array = centred / np.sqrt(variance + NORM_EPSILON) * weight + bias
    return result


class FloatNetwork:
    """A network with its float tensors."""

    def __init__(self, encoder: Encoder, tensors: Mapping[str, Array]):
        self.encoder = encoder
        self.tensors = tensors

    def _linear(self, name: str, x: Array) -> Array:
        weight = self.tensors[f"{name}.weight"]
        result: Array = x @ weight.reshape(weight.shape[0], -1).T + self.tensors[f"{name}.bias"]
        return result

    def _norm(self, name: str, x: Array) -> Array:
        return layer_norm(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _heads(self, name: str, x: Array) -> Array:
        """[N,H,S,P]."""
        encoder = self.encoder
        made = self._linear(name, x).reshape(*x.shape[:2], encoder.H, encoder.P)
        heads: Array = made.transpose(0, 2, 1, 3)
        return heads

    def _attention(self, stem: str, x: Array, kept: dict[str, Array]) -> Array:
        query, key, value = (self._heads(f"{stem}{name}", x) for name in "qkv")
        scores = query @ key.swapaxes(-1, -2) / math.sqrt(self.encoder.P)
        attention = softmax(scores)
        context = (attention @ value).transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1)
        stages = {"query": query, "key": key, "value": value.swapaxes(-1, -2), "scores": scores}
        stages |= {"map": attention, "context": context}
        kept |= {f"{stem}attention.{name}": stage for name, stage in stages.items()}
        kept[f"{stem}attention"] = self._linear(f"{stem}o", context)
        return kept[f"{stem}attention"]

    def _network(self, stem: str, x: Array, kept: dict[str, Array]) -> Array:
        hidden = self._linear(f"{stem}up", x)
        activated = gelu(hidden)
        kept[f"{stem}network.hidden"], kept[f"{stem}network.activated"] = hidden, activated
        made = f"{stem}network"
        kept[made] = self._linear(f"{stem}down", activated)
        if self.encoder.gelu_twice:
            kept[f"{stem}activation"] = gelu(kept[made])
            made = f"{stem}activation"
        return kept[made]

    def _block(self, stem: str, x: Array, kept: dict[str, Array]) -> Array:
        parts = (("1", self._attention), ("2", self._network))
        for number, layer in parts:
            norm, total = f"{stem}norm{number}", f"{stem}add{number}"
            if self.encoder.norm == "pre":
                kept[norm] = self._norm(norm, x)
                kept[total] = x = x + layer(stem, kept[norm], kept)
            else:
                kept[total] = x + layer(stem, x, kept)
                kept[norm] = x = self._norm(norm, kept[total])
        return x

    def run(self, x: Array, features: Array | None = None) -> dict[str, Array]:
        """Every tensor for inputs [N, *input] and extra features [N, features], zeros without;
        `head` are the logits [N, classes]."""
        kept: dict[str, Array] = {"input": x.astype(np.float64)}
        x = self._linear("embed", self.encoder.patches(kept["input"]))
        kept["embed"] = x
        if self.encoder.class_token:
            token = np.broadcast_to(self.tensors["class_token"], (x.shape[0], 1, x.shape[2]))
            x = np.concatenate([token, x], axis=1)
        kept["position"] = x = x + self.tensors["position"]
        for block in range(self.encoder.blocks):
            x = self._block(f"blocks.{block}.", x, kept)
        kept["norm"] = x = self._norm("norm", x)
        kept["mean"] = x = x[:, 0] if self.encoder.class_token else x.mean(axis=1)
        if self.encoder.features:
            none = np.zeros((x.shape[0], self.encoder.features))
            kept[FEATURES] = none if features is None else features.astype(np.float64)
            x = np.concatenate([x, kept[FEATURES] @ self.tensors["features.weight"].T], axis=1)
        kept["head"] = self._linear("head", x)
        return kept

# SPDX-License-Identifier: Apache-2.0
"""The float tensors of an encoder network: names and shapes."""

from __future__ import annotations


def tensor_shapes(
    *,
    first: tuple[int, ...],
    S: int,
    E: int,
    HP: int,
    F: int,
    blocks: int,
    classes: int,
    class_token: bool,
    features: int,
) -> dict[str, tuple[int, ...]]:
    """Name -> shape, linear layers as [outputs, inputs].

    first: what a token's front end reads, [patch] or [channels, kernel...]; HP: channels of all
    heads; features: extra numbers that are joined to what the head reads.
    """
    shapes: dict[str, tuple[int, ...]] = {"embed.weight": (E, *first), "embed.bias": (E,)}
    shapes["position"] = (S, E)
    if class_token:
        shapes["class_token"] = (E,)
    linear = {"q": (HP, E), "k": (HP, E), "v": (HP, E), "o": (E, HP), "up": (F, E), "down": (E, F)}
    for block in range(blocks):
        stem = f"blocks.{block}."
        for name, shape in linear.items():
            shapes |= {f"{stem}{name}.weight": shape, f"{stem}{name}.bias": shape[:1]}
        for norm in ("norm1", "norm2"):
            shapes |= {f"{stem}{norm}.weight": (E,), f"{stem}{norm}.bias": (E,)}
    shapes |= {"norm.weight": (E,), "norm.bias": (E,)}
    if features:
        shapes["features.weight"] = (features, features)
    return shapes | {"head.weight": (classes, E + features), "head.bias": (classes,)}

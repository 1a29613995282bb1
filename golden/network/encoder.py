# SPDX-License-Identifier: Apache-2.0
"""What a network is made of, and the shapes that its float tensors must have.

front end (a convolution without padding, or a linear layer) -> [class token] -> positional
embedding -> encoder blocks -> final layer normalisation -> mean over the tokens, or the class
token -> [joined with a linear layer of extra features] -> linear layer to the classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden.case import Array, GoldenError
from touchstone.network.tensors import tensor_shapes


@dataclass(frozen=True)
class Front:
    """A convolution (kernel and stride of one or two axes), or a linear layer of each row."""

    kind: str  # conv1d, conv2d, linear
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()


@dataclass(frozen=True)
class Encoder:
    """A network; `input` is [channels, length], [channels, rows, columns] or [tokens, width]."""

    name: str
    input: tuple[int, ...]
    front: Front
    E: int
    P: int
    H: int
    F: int
    blocks: int
    classes: int
    attention: str = "mhsa"  # or fwsa
    norm: str = "pre"  # or post
    class_token: bool = False
    gelu_twice: bool = False  # a GELU after the feed-forward network's second layer too
    features: int = 0  # numbers besides the signal that the head is given

    @property
    def windows(self) -> tuple[int, ...]:
        """Tokens along each axis of the input."""
        if self.front.kind == "linear":
            return self.input[:1]
        axes = zip(self.input[1:], self.front.kernel, self.front.stride, strict=True)
        return tuple((length - kernel) // stride + 1 for length, kernel, stride in axes)

    @property
    def patch(self) -> int:
        """Values that a token is made of."""
        if self.front.kind == "linear":
            return self.input[1]
        return self.input[0] * int(np.prod(self.front.kernel))

    @property
    def S(self) -> int:  # noqa: N802  (the field's name)
        """Tokens, the class token included."""
        return int(np.prod(self.windows)) + int(self.class_token)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every float tensor."""
        conv = self.front.kind != "linear"
        return tensor_shapes(
            first=(self.input[0], *self.front.kernel) if conv else (self.patch,),
            S=self.S,
            E=self.E,
            HP=self.H * self.P,
            F=self.F,
            blocks=self.blocks,
            classes=self.classes,
            class_token=self.class_token,
            features=self.features,
        )

    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(int(np.prod(shape)) for shape in self.tensors().values())

    def patches(self, x: Array) -> Array:
        """[N, windows, patch] of inputs [N, *input]: row-major windows, then channel and place."""
        if x.shape[1:] != self.input:
            found, wanted = list(x.shape[1:]), list(self.input)
            raise GoldenError(f"{self.name}: found inputs of shape {found}, allowed {wanted}")
        if self.front.kind == "linear":
            return x
        axes = tuple(range(2, x.ndim))
        view = np.lib.stride_tricks.sliding_window_view(x, self.front.kernel, axis=axes)
        steps = tuple(slice(None, None, step) for step in self.front.stride)
        places = (slice(None), slice(None), *steps)
        view = view[places]
        # [N, channels, windows..., kernel...] -> [N, windows..., channels, kernel...]
        order = (0, *(axis for axis in axes), 1, *range(x.ndim, view.ndim))
        return np.ascontiguousarray(view.transpose(order)).reshape(x.shape[0], -1, self.patch)

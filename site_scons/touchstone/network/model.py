# SPDX-License-Identifier: Apache-2.0
"""What configs/models/*.yaml say: a network's layers, shapes, float parameters and MACs.

front end -> [class token] -> positional embedding -> encoder blocks -> final normalisation -> mean
of the tokens, or the class token -> [extra features] -> linear layer to the classes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import UserError, unknown
from touchstone.network.onnx_model import ROUNDINGS, SUFFIX, OnnxModel, load_onnx
from touchstone.network.tensors import tensor_shapes
from touchstone.schema import load_validated
from touchstone.textfile import shown

MODELS = "configs/models"
EXTENSION = ".yaml"


@dataclass(frozen=True)
class Model:
    """One network. `input`: [channels, length], [channels, rows, columns], or for a linear front
    end [tokens, width]; `features`: how many extra numbers go into and come out of their layer."""

    name: str
    where: str
    summary: str
    input: tuple[int, ...]
    front: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    class_token: bool
    E: int
    P: int
    H: int
    F: int
    blocks: int
    attention: str
    norm: str
    gelu_twice: bool
    features: int
    classes: int
    path: Path = Path()
    weights: str = ""
    """The file of its float weights, beside the description; random ones where it is empty."""
    data: str = ""
    calibration: str = ""
    depth_first: bool = False
    """Attention without a whole attention map in memory."""
    whole_blocks: bool = True
    """Blocks that a kernel computes as a whole are one layer."""

    @property
    def windows(self) -> tuple[int, ...]:
        """Tokens along each axis of the input."""
        if self.front == "linear":
            return self.input[:1]
        axes = zip(self.input[1:], self.kernel, self.stride, strict=True)
        return tuple((length - kernel) // stride + 1 for length, kernel, stride in axes)

    @property
    def patch(self) -> int:
        """Numbers that a token is made of."""
        if self.front == "linear":
            return self.input[1]
        return self.input[0] * math.prod(self.kernel)

    @property
    def S(self) -> int:  # noqa: N802  (the dimension's name)
        """Tokens, the class token included."""
        return math.prod(self.windows) + int(self.class_token)

    @property
    def has_patches(self) -> bool:
        """Whether tokens have to be gathered: in one channel's row without overlap they lie there
        already."""
        if self.class_token:
            return True
        if self.front == "linear":
            return False
        row = self.front == "conv1d" and self.input[0] == 1
        return not (row and self.kernel == self.stride)

    @property
    def patch_params(self) -> dict[str, int]:
        """The windows as golden.networks.patches takes them."""
        if self.front == "linear":
            tokens, width = self.input
            size, kernel, stride = (1, tokens, width), (1, width), (1, width)
        elif self.front == "conv1d":
            size = (self.input[0], 1, self.input[1])
            kernel, stride = (1, self.kernel[0]), (1, self.stride[0])
        else:
            size = (self.input[0], self.input[1], self.input[2])
            kernel, stride = (self.kernel[0], self.kernel[1]), (self.stride[0], self.stride[1])
        return {
            **dict(zip("CRQ", size, strict=True)),
            "kernel_rows": kernel[0],
            "kernel_columns": kernel[1],
            "stride_rows": stride[0],
            "stride_columns": stride[1],
            "skip": int(self.class_token),
        }

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Float parameters, name -> shape, linear layers as [outputs, inputs]."""
        return tensor_shapes(
            first=(self.patch,) if self.front == "linear" else (self.input[0], *self.kernel),
            S=self.S,
            E=self.E,
            HP=self.H * self.P,
            F=self.F,
            blocks=self.blocks,
            classes=self.classes,
            class_token=self.class_token,
            features=self.features,
        )

    @property
    def parameters(self) -> int:
        """Float parameters."""
        return sum(math.prod(shape) for shape in self.tensors().values())

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates by part, all blocks together."""
        S, E, P, H = self.S, self.E, self.P, self.H
        if self.attention == "mhsa":
            attention = 4 * S * E * P * H + 2 * S * S * P * H
        else:
            attention = S * E * E * H + S * S * E * H + 2 * S * E * P * H + S * S * P * H
        head = (E + self.features) * self.classes + self.features**2
        return {
            "front end": math.prod(self.windows) * self.patch * E,
            "attention": self.blocks * attention,
            "feed-forward": self.blocks * 2 * S * E * self.F,
            "head": head,
        }

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(self.macs().values())


def load_model(path: Path, cache: Path) -> Model:
    """The network that a file describes; UserError with one line where it cannot be one."""
    document = load_validated(path, "model", cache)
    front = document["front_end"]
    kernel = tuple(front.get("kernel", ()))
    model = Model(
        name=_name(path),
        where=shown(path),
        summary=document.get("summary", ""),
        input=tuple(document["input"]),
        front=front["kind"],
        kernel=kernel,
        stride=tuple(front.get("stride", kernel)),
        class_token=document.get("class_token", False),
        E=document["embedding"],
        P=document["projection"],
        H=document["heads"],
        F=document["feed_forward"],
        blocks=document["blocks"],
        attention=document.get("attention", "mhsa"),
        norm=document.get("norm", "pre"),
        gelu_twice=document.get("gelu_twice", False),
        features=document.get("features", 0),
        classes=document["classes"],
        path=path,
        weights=document.get("weights", ""),
        data=document.get("data", ""),
        calibration=document.get("calibration", ""),
        depth_first=document.get("depth_first", False),
        whole_blocks=document.get("whole_blocks", True),
    )
    _check(model)
    return model


def _name(path: Path) -> str:
    """A network's name is its file's: it becomes one of C."""
    if re.fullmatch("[a-z][a-z0-9_]{0,31}", path.stem) is None:
        raise UserError(
            f"{shown(path)}: found the name {path.stem!r}, allowed up to 32 lower-case letters, "
            "digits and underscores"
        )
    return path.stem


def _check(model: Model) -> None:
    axes = {"conv1d": 1, "conv2d": 2, "linear": 0}[model.front]
    given = len(model.input)
    wanted = axes + 1 if axes else 2
    if given != wanted:
        raise UserError(
            f"{model.where}: input: found {given} sizes, allowed {wanted} before a {model.front}"
        )
    for key, sizes in (("kernel", model.kernel), ("stride", model.stride)):
        if len(sizes) != axes:
            raise UserError(
                f"{model.where}: front_end.{key}: found {len(sizes)} sizes, allowed {axes} for a "
                f"{model.front}"
            )
    for length, kernel in zip(model.input[1:], model.kernel, strict=False):
        if kernel > length:
            raise UserError(
                f"{model.where}: front_end.kernel: found {kernel}, allowed 1 to {length}, "
                "the input's"
            )


Described = Model | OnnxModel


def find_models(root: Path, words: str, cache: Path, rounding: str = "") -> list[Described]:
    """The networks that `model=` names: all, names, or paths of somebody's own files.

    rounding: what a requantisation in ONNX graphs means; only allowed where there are some.
    """
    if rounding and rounding not in ROUNDINGS:
        raise UserError(unknown("rounding", rounding, ROUNDINGS))
    if rounding and SUFFIX not in words:
        raise UserError(f"rounding=: found {rounding}, allowed beside model=FILE{SUFFIX}")
    known = {path.stem: path for path in sorted((root / MODELS).glob(f"*{EXTENSION}"))}
    models: dict[str, Described] = {}
    for word in [part.strip() for part in words.split(",")]:
        if word == "all":
            paths = list(known.values())
        elif word in known:
            paths = [known[word]]
        elif word.endswith((EXTENSION, SUFFIX)):
            paths = [Path(word)]
        else:
            raise UserError(unknown("model", word, ["all", *known]))
        for path in paths:
            model = _load(path, cache, rounding or ROUNDINGS[0])
            if model.name in models and models[model.name].where != model.where:
                other = models[model.name].where
                raise UserError(f"{model.where}: name: found {model.name!r}, which {other} has")
            models[model.name] = model
    return list(models.values())


def _load(path: Path, cache: Path, rounding: str) -> Described:
    if path.suffix == SUFFIX:
        return load_onnx(path, _name(path), rounding)
    return load_model(path, cache)

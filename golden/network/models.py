# SPDX-License-Identifier: Apache-2.0
"""Model files (configs/models/*.yaml, docs/networks.md): read, checked, quantised.

Where a model names no weights it has random ones of its name's own, and random inputs to calibrate
on: enough for latency, energy and memory, which do not depend on values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.case import Array, GoldenError, Operands
from golden.counter_rng import CounterRng
from golden.network.checkpoint import check_shapes, read_checkpoint
from golden.network.datasets import Dataset, load_dataset
from golden.network.encoder import Encoder, Front
from golden.network.floating import FloatNetwork
from golden.network.graph import IntegerNetwork
from golden.network.quantiser import quantise_network
from touchstone.errors import UserError, unknown
from touchstone.schema import validate
from touchstone.yamlio import load_yaml

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "models"
_CALIBRATION_INPUTS = 256
_RANDOM_INPUTS = 8


@dataclass(frozen=True)
class Model:
    """A checked model file."""

    path: Path
    encoder: Encoder
    weights: str = ""
    calibration: str = ""
    data: str = ""
    per_channel: bool = True
    softmax: str = "accurate"
    test: str = ""

    def float_network(self) -> FloatNetwork:
        """The network with its weights, or random ones."""
        encoder = self.encoder
        if not self.weights:
            return FloatNetwork(encoder, _random_tensors(encoder))
        path = self.path.parent / self.weights
        tensors = read_checkpoint(path)
        check_shapes(f"{path}", tensors, encoder.tensors())
        return FloatNetwork(encoder, tensors)

    def dataset(self) -> Dataset | None:
        """The recordings that the model names, or those of its own test set."""
        if self.test:
            return self._own_tests()
        return load_dataset(self.data) if self.data else None

    def _own_tests(self) -> Dataset:
        """Arrays `inputs` [N, *input] and `labels` [N] of a file."""
        path, encoder = self.path.parent / self.test, self.encoder
        found = read_checkpoint(path)
        inputs, labels = found.get("inputs", np.zeros(0)), found.get("labels", np.zeros(0))
        if set(found) != {"inputs", "labels"} or (
            inputs.shape != (labels.size, *encoder.input) or labels.ndim != 1 or not labels.size
        ):
            shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in sorted(found.items()))
            wanted = f"inputs {['N', *encoder.input]}, labels ['N']"
            raise GoldenError(f"{path}: found {shapes}, allowed {wanted}")
        if not np.isin(labels, np.arange(encoder.classes)).all():
            worst = labels[~np.isin(labels, np.arange(encoder.classes))][0]
            raise GoldenError(
                f"{path}: labels: found {worst:g}, allowed whole numbers 0..{encoder.classes - 1}"
            )
        whole = labels.astype(np.int64)
        return Dataset(encoder.name, inputs, whole, inputs, whole, ())

    def calibration_inputs(self) -> Array:
        """Float inputs [N, *input]: those of a file, of the data's training set, or random."""
        encoder = self.encoder
        if self.calibration:
            path = self.path.parent / self.calibration
            found = read_checkpoint(path)
            if list(found) != ["inputs"] or found["inputs"].shape[1:] != encoder.input:
                shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in found.items())
                wanted = ["N", *encoder.input]
                raise GoldenError(f"{path}: found {shapes}, allowed inputs {wanted}")
            return found["inputs"]
        dataset = load_dataset(self.data) if self.data else None
        if dataset is not None:
            return dataset.train[:_CALIBRATION_INPUTS]
        return _uniform(CounterRng(f"{encoder.name}/inputs"), "x", (_RANDOM_INPUTS, *encoder.input))

    def quantise(self) -> IntegerNetwork:
        """The integer network."""
        network, inputs = self.float_network(), self.calibration_inputs()
        return quantise_network(network, inputs, self.per_channel, softmax=self.softmax)


def model_path(said: str) -> Path:
    """The file of a model by its name in configs/models, or a path that ends in .yaml."""
    if said.endswith((".yaml", ".yml")):
        return Path(said)
    path = FOLDER / f"{said}.yaml"
    if not path.is_file():
        raise UserError(unknown("model", said, [file.stem for file in FOLDER.glob("*.yaml")]))
    return path


def read_model(path: Path) -> Model:
    """A model file, checked; UserError or GoldenError with one line."""
    text = load_yaml(path)
    validate(text, "model", path)
    encoder = _encoder(path, text)
    return Model(
        path,
        encoder,
        text.get("weights", ""),
        text.get("calibration", ""),
        text.get("data", ""),
        text.get("scales", "channel") == "channel",
        text.get("softmax", "accurate"),
        text.get("test", ""),
    )


def load(said: str) -> IntegerNetwork:
    """The integer network of a model by name or path."""
    return read_model(model_path(said)).quantise()


def _encoder(path: Path, text: Mapping[str, Any]) -> Encoder:
    front = text["front_end"]
    size = tuple(text["input"])
    axes = {"conv1d": 1, "conv2d": 2, "linear": 0}[front["kind"]]
    kernel, stride = tuple(front.get("kernel", ())), tuple(front.get("stride", ()))
    stride = stride or kernel
    if len(kernel) != axes or len(stride) != axes:
        found = f"kernel {list(kernel)}, stride {list(stride)}"
        raise UserError(f"{path}: front_end: found {found}, allowed {axes} numbers for each")
    if len(size) != (axes + 1 if axes else 2):
        wanted = "[tokens, width]" if not axes else f"channels and {axes} lengths"
        raise UserError(f"{path}: input: found {list(size)}, allowed {wanted}")
    for length, window in zip(size[1:], kernel, strict=False):
        if window > length:
            raise UserError(f"{path}: front_end.kernel: found {window}, allowed at most {length}")
    return Encoder(
        name=path.stem,
        input=size,
        front=Front(front["kind"], kernel, stride),
        E=text["embedding"],
        P=text["projection"],
        H=text["heads"],
        F=text["feed_forward"],
        **{name: text[name] for name in ("blocks", "classes")},
        **{
            name: text[name]
            for name in ("attention", "norm", "class_token", "gelu_twice", "features")
            if name in text
        },
    )


def _uniform(rng: CounterRng, label: str, shape: tuple[int, ...]) -> Array:
    """-1..1 in steps of 2**-16."""
    return rng.integers(label, shape, -65536, 65536) / 65536


def _random_tensors(encoder: Encoder) -> Operands:
    """Weights of the usual size: uniform, deviation 1/sqrt of the inputs; norms near 1."""
    rng = CounterRng(f"{encoder.name}/weights")
    tensors: Operands = {}
    for name, shape in encoder.tensors().items():
        values = _uniform(rng, name, shape)
        if "norm" in name:
            tensors[name] = 0.25 * values + (1 if name.endswith("weight") else 0)
        else:
            depth = int(np.prod(shape[1:])) if len(shape) > 1 else 16
            tensors[name] = values * float(np.sqrt(3 / depth))
    return tensors

# SPDX-License-Identifier: Apache-2.0
"""Whole networks: model files, float weights, quantisation, and what is refused in one line."""

from __future__ import annotations

import json
import math
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.case import Array, GoldenError, Operands
from golden.network import checkpoint, models, scales
from golden.network.encoder import Encoder, Front
from golden.network.floating import FloatNetwork, softmax
from golden.network.graph import IntegerNetwork, run
from golden.network.quantiser import integer_inputs, quantise_network
from golden.network.report import layer_noise
from touchstone.errors import UserError

SMALL = Encoder(
    "small", (2, 12), Front("conv1d", (3,), (3,)), E=8, P=4, H=2, F=12, blocks=1, classes=3
)


def made(encoder: Encoder) -> tuple[FloatNetwork, Array]:
    inputs = models._uniform(models.CounterRng("test"), "x", (8, *encoder.input))
    return FloatNetwork(encoder, models._random_tensors(encoder)), inputs


def quantised(
    encoder: Encoder, per_channel: bool = True
) -> tuple[FloatNetwork, IntegerNetwork, Array]:
    network, inputs = made(encoder)
    return network, quantise_network(network, inputs, per_channel), inputs


def test_ecgformer_has_the_published_parameters() -> None:
    encoder = models.read_model(models.model_path("ecgformer")).encoder
    assert (encoder.S, encoder.E, encoder.P, encoder.H) == (66, 16, 2, 8)
    assert encoder.parameters() == 6643


@pytest.mark.parametrize(
    ("name", "shape"), [("eegformer", (81, 32, 32, 8, 128)), ("tr", (4, 32, 32, 8, 128))]
)
def test_published_shapes(name: str, shape: tuple[int, ...]) -> None:
    encoder = models.read_model(models.model_path(name)).encoder
    assert shape == (encoder.S, encoder.E, encoder.P, encoder.H, encoder.F)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"attention": "fwsa"},
        {"norm": "post"},
        {"class_token": True},
        {"gelu_twice": True, "features": 2},
        {"front": Front("linear"), "input": (5, 7)},
        {"front": Front("conv2d", (2, 3), (1, 2)), "input": (2, 4, 7), "blocks": 2},
    ],
)
def test_integers_follow_the_floats(changed: dict[str, object], per_channel: bool) -> None:
    """Every tensor is the float one but for noise; a layer wired wrongly would be far off."""
    network, integer, inputs = quantised(replace(SMALL, **changed), per_channel)
    noise = layer_noise(network, integer, inputs)
    assert {layer.name for layer in integer.layers} <= set(noise)
    for name, decibels in noise.items():
        assert decibels > 12, name


def test_the_authors_softmax_follows_the_floats_too() -> None:
    """Its exponential halves in five uneven steps: the map is coarser, nothing is wired wrong."""
    network, inputs = made(SMALL)
    integer = quantise_network(network, inputs, softmax="authors")
    attention = next(layer for layer in integer.layers if layer.kernel == "mhsa")
    assert attention.params["softmax_max"] == 73
    noise = layer_noise(network, integer, inputs)
    assert noise["blocks.0.attention.map"] > 12 and noise["head"] > 12


def test_quantisation_is_the_same_each_time() -> None:
    one, two = quantised(SMALL)[1], quantised(SMALL)[1]
    for a, b in zip(one.layers, two.layers, strict=True):
        assert a.params == b.params
        assert all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)


def test_the_float_reference_is_attention_as_published() -> None:
    """One head by hand, from the formula."""
    network, inputs = made(replace(SMALL, H=1))
    kept = network.run(inputs[:1])
    x = kept["blocks.0.norm1"][0]
    parts = [
        x @ network.tensors[f"blocks.0.{n}.weight"].T + network.tensors[f"blocks.0.{n}.bias"]
        for n in "qkv"
    ]
    context = softmax(parts[0] @ parts[1].T / math.sqrt(4)) @ parts[2]
    assert np.allclose(kept["blocks.0.attention.context"][0], context)


def test_integer_input_is_checked() -> None:
    _, integer, _ = quantised(SMALL)
    with pytest.raises(GoldenError, match=r"found an input int8 \[4, 5\], allowed int8 \[4, 6\]"):
        run(integer, np.zeros((4, 5), np.int8))


def test_patches_are_the_convolution() -> None:
    """Windows by hand: row-major over the image, then channel and place in the window."""
    encoder = replace(SMALL, input=(2, 4, 5), front=Front("conv2d", (2, 2), (2, 3)))
    x = np.arange(40.0).reshape(1, 2, 4, 5)
    patches = encoder.patches(x)
    assert patches.shape == (1, 4, 8) == (1, encoder.S, encoder.patch)
    assert np.array_equal(patches[0, 3], x[0, :, 2:4, 3:5].reshape(-1))


@pytest.mark.parametrize("gain", [0.0001, 0.37, 1.0, 900.0])
def test_requantisation_is_the_gain(gain: float) -> None:
    found = scales.requantisation("here", np.array([gain, gain / 3]), True)
    assert np.allclose(found.mul / 2.0**found.shift, [gain, gain / 3], rtol=1e-3)


def test_requantisation_refuses_what_overflows() -> None:
    with pytest.raises(
        GoldenError, match=r"^blk: the scales overflow: found a requantisation by 40000"
    ):
        scales.requantisation("blk", np.array([40000.0]), False)
    with pytest.raises(GoldenError, match=r"^blk: the scales overflow: .*allowed at least"):
        scales.requantisation("blk", np.array([1.0, 1e-9]), True)


# What is refused


def npz(folder: Path, tensors: Operands) -> Path:
    path = folder / "weights.npz"
    np.savez(path, **tensors)
    return path


def test_checkpoints_of_both_kinds_are_the_same(tmp_path: Path) -> None:
    tensors = {
        "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.ones(2, np.float32),
    }
    header, data = {}, b""
    for name, tensor in tensors.items():
        place = [len(data), len(data) + tensor.nbytes]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": place}
        data += tensor.tobytes()
    text = json.dumps({"__metadata__": {"x": "y"}, **header}).encode()
    safe = tmp_path / "weights.safetensors"
    safe.write_bytes(struct.pack("<Q", len(text)) + text + data)
    read = [checkpoint.read_checkpoint(path) for path in (npz(tmp_path, tensors), safe)]
    for name, tensor in tensors.items():
        assert all(np.array_equal(found[name], tensor) for found in read)
    safe.write_bytes(safe.read_bytes()[:-1])
    with pytest.raises(GoldenError, match=r"weights.safetensors: b: found bytes 24..32 of 31"):
        checkpoint.read_checkpoint(safe)
    safe.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(GoldenError, match="found no safetensors header"):
        checkpoint.read_checkpoint(safe)


def test_nan_weights_are_named(tmp_path: Path) -> None:
    tensor = np.zeros((2, 3))
    tensor[1, 2] = np.nan
    with pytest.raises(GoldenError, match=r"npz: q: found 1 of 6 values .* the first at \[1, 2\]"):
        checkpoint.read_checkpoint(npz(tmp_path, {"q": tensor}))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "weights.npz"
    np.savez(path, q=np.array([Trap()], dtype=object))
    with pytest.raises(GoldenError, match=r"q.npy: found a pickled object, which is never loaded"):
        checkpoint.read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_a_zip_bomb_is_refused_by_its_headers(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(checkpoint.MAX_BYTES + 1))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(GoldenError, match="found 1 entries of 67108865 bytes"):
        checkpoint.read_checkpoint(path)


def model(folder: Path, **changed: object) -> Path:
    text: dict[str, object] = {
        "input": [2, 12],
        "front_end": {"kind": "conv1d", "kernel": [3]},
        "embedding": 8,
        "projection": 4,
        "heads": 2,
        "feed_forward": 12,
        "blocks": 1,
        "classes": 3,
        "weights": "weights.npz",
        **changed,
    }
    path = folder / "mine.yaml"
    path.write_text(json.dumps(text))
    return path


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    """Ten lines of YAML, float weights and inputs to calibrate on."""
    network, inputs = made(SMALL)
    npz(tmp_path, dict(network.tensors))
    np.savez(tmp_path / "calibration.npz", inputs=inputs)
    path = model(tmp_path, calibration="calibration.npz")
    integer = models.load(str(path))
    x = integer_inputs(network, integer.scales["input"], inputs)
    last = [run(integer, one)["head"].reshape(-1) * integer.scales["head"] for one in x]
    assert np.abs(np.array(last) - network.run(inputs)["head"]).max() < 0.2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"embeding": 8}, r"mine.yaml.*embeding.*did you mean embedding"),
        ({"heads": 0}, r"mine.yaml: heads: found 0"),
        ({"input": [12]}, r"mine.yaml: input"),
        ({"front_end": {"kind": "conv1d"}}, r"front_end: found kernel \[\].*allowed 1 numbers"),
        (
            {"front_end": {"kind": "conv1d", "kernel": [13]}},
            r"kernel: found 13, allowed at most 12",
        ),
        ({"weights": "none.npz"}, r"none.npz: found no readable file"),
        ({"weights": "mine.yaml"}, r"found .yaml, allowed .npz, .safetensors"),
        (
            {"embedding": 16},
            r"weights.npz: embed.weight: found shape \[8, 2, 3\], allowed \[16, 2, 3\]",
        ),
        ({"blocks": 2}, r"weights.npz: found no tensor blocks.1.q.weight"),
        ({"calibration": "weights.npz"}, r"weights.npz: found embed.weight .*allowed inputs"),
    ],
)
def test_bad_models_give_one_line(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    npz(tmp_path, dict(made(SMALL)[0].tensors))
    with pytest.raises((GoldenError, UserError), match=message) as refused:
        models.load(str(model(tmp_path, **changed)))
    assert "\n" not in str(refused.value)


def test_weights_whose_scales_overflow(tmp_path: Path) -> None:
    tensors = dict(made(SMALL)[0].tensors)
    tensors["blocks.0.up.bias"] = np.full(12, 1e30)
    npz(tmp_path, tensors)
    with pytest.raises(GoldenError, match="overflow") as refused:
        models.load(str(model(tmp_path)))
    assert "\n" not in str(refused.value)


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean ecgformer"):
        models.model_path("ecgfomer")

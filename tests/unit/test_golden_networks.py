# SPDX-License-Identifier: Apache-2.0
"""The golden model of whole networks."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from golden import networks
from golden.counter_rng import CounterRng
from golden.network.scales import NARROW_MUL_MIN, matched, requantisation
from touchstone.network.model import find_models
from touchstone.network.source import network_of


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> networks.IntegerNetwork:
    folder = tmp_path_factory.mktemp("cache")
    found: networks.IntegerNetwork = network_of(find_models(ROOT, "ecgformer", folder)[0])
    return found


def test_a_file_gives_the_same_network_back(
    network: networks.IntegerNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(networks.save(network))
    again = networks.load(str(path))
    assert networks.save(again) == networks.save(network)
    assert (networks.weight_bytes(again) == networks.weight_bytes(network)).all()


def test_the_output_is_each_layers_crc_and_the_last_layer(
    network: networks.IntegerNetwork,
) -> None:
    params, operands = networks.make_inputs(network, CounterRng("here"), "extremes")
    output = networks.golden(network, params, operands)["output"]
    offsets, _ = networks.input_offsets(network)
    inputs = {
        name: operands["input"][offsets[name] :][: int(np.prod(shape))].reshape(shape)
        for name, shape in network.inputs.items()
    }
    made = networks.forward(network, inputs)
    count = len(network.layers)
    crcs = output[: 4 * count].view("<u4").tolist()
    assert crcs == [zlib.crc32(tensor.tobytes()) for tensor in made.values()]
    assert output[4 * count :].view(np.int8).tolist() == made["head"].reshape(-1).tolist()


def test_the_timed_case_is_not_traced(network: networks.IntegerNetwork) -> None:
    params, operands = networks.make_inputs(network, CounterRng("here"), "random")
    output = networks.golden(network, params, operands)["output"]
    assert params == {"trace": 0} and not output[: 4 * len(network.layers)].any()


def test_patches_are_windows_channel_by_channel() -> None:
    x = np.arange(2 * 3 * 4, dtype=np.int8).reshape(2, 3, 4)
    params = {"C": 2, "R": 3, "Q": 4, "kernel_rows": 2, "kernel_columns": 2}
    params |= {"stride_rows": 1, "stride_columns": 2, "skip": 1}
    made = networks.patches(x, params, 5)
    assert made[0].tolist() == [0] * 8
    assert made[1].tolist() == [0, 1, 4, 5, 12, 13, 16, 17]
    assert made[4].tolist() == [6, 7, 10, 11, 18, 19, 22, 23]


@pytest.mark.parametrize("reach", [2.0**15, 2.0**18 + 1000, 2.0**20])
@pytest.mark.parametrize("gain", [0.3, 0.0061, 1.7e-5])
def test_multipliers_keep_products_in_32_bits_where_they_can(gain: float, reach: float) -> None:
    made = requantisation("here", np.array([gain, gain / 2]), True, reach)
    assert 2 ** int(made.mul.max()).bit_length() * reach < 2**31
    assert (np.abs(made.mul / 2.0**made.shift * [1 / gain, 2 / gain] - 1) < 0.01).all()


def test_multipliers_are_not_too_coarse() -> None:
    """Where 32 bits would leave too few of them, products are of 64 bits."""
    gains = np.array([0.001])
    finest = requantisation("here", gains, False)
    assert requantisation("here", gains, False, 2.0**27).mul == finest.mul
    assert int(finest.mul[0]) > 128 * NARROW_MUL_MIN


@pytest.mark.parametrize(("gain", "shift"), [(0.3, 16), (0.002, 16), (1e-4, 18)])
def test_one_multiplier_for_all_channels_has_a_shift_that_gap9_is_fast_with(
    gain: float, shift: int
) -> None:
    """Unless the multiplier were too coarse: below 64 of them it is finer instead."""
    made = requantisation("here", np.array([gain]), False, 2.0**14)
    assert made.shift == shift if shift == 16 else made.shift >= shift
    assert abs(int(made.mul[0]) / 2.0**made.shift / gain - 1) < 1 / 128


@pytest.mark.parametrize("gain", [0.00031, 0.0006447, 0.3, 0.99])
def test_a_matched_multiplier_is_the_gain_and_keeps_weights_in_range(gain: float) -> None:
    gains = np.array([gain, gain])
    requant, exact = matched(requantisation("here", gains, False, 2.0**22, 16), gains)
    assert (exact == int(requant.mul[0]) / 2.0**requant.shift).all()
    assert (exact >= gains * (1 - 2e-5)).all() and (exact <= gains * (1 + 1 / 16)).all()

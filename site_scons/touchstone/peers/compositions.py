# SPDX-License-Identifier: Apache-2.0
"""Which libraries are known, and how an attention layer is composed of each.

A composition is an adapter of ours (adapters/) and the files of the user's checkout that it calls.
Nothing of those libraries is in this repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import UserError

ADAPTERS = "site_scons/touchstone/peers/adapters"


@dataclass(frozen=True)
class Composition:
    """One way to compose mhsa. `includes` and `sources` are relative to the checkout.

    `flags`: what the library's users compile it with, instead of the project's -O2. `scratch`:
    bytes that the adapter asks for, in the words of a kernel.yaml.
    """

    name: str
    peer: str
    what: str
    adapter: str
    includes: tuple[str, ...]
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    scratch: str

    @property
    def adapter_source(self) -> str:
        """The adapter's path below the project's root."""
        return f"{ADAPTERS}/{self.adapter}"


@dataclass(frozen=True)
class Peer:
    """A library: the instruction set it is written for and its compositions, the plain one first.

    `rounding`: of the requantisations that are nearest to its own. `map_one`, `map_half_up`: what a
    probability of 1 is in its attention map, and how that is rounded.
    """

    name: str
    isa: str
    compositions: tuple[Composition, ...]
    rounding: str
    map_one: float = 255.0
    map_half_up: bool = False


def _cmsis_nn(
    name: str, what: str, adapter: str, sources: Iterable[str], scratch: str
) -> Composition:
    return Composition(
        name=name,
        peer="cmsis_nn",
        what=what,
        adapter=adapter,
        includes=("Include",),
        sources=tuple(f"Source/{source}" for source in sources),
        flags=("-std=gnu11", "-O3", "-w"),
        scratch=scratch,
    )


_SOFTMAX = (
    "SoftmaxFunctions/arm_softmax_s8.c",
    "SoftmaxFunctions/arm_nn_softmax_common_s8.c",
)
_TRANSPOSE = ("TransposeFunctions/arm_transpose_s8.c",)


# Its sources were written for a GCC 7, which warned of pointers and integers where newer compilers
# refuse, and took vectors of either sign for each other.
_OLD_C = (
    "-Wno-incompatible-pointer-types",
    "-Wno-int-conversion",
    "-flax-vector-conversions",
)


def _pulp_nn(
    name: str, what: str, adapter: str, sources: Iterable[str], scratch: str
) -> Composition:
    return Composition(
        name=name,
        peer="pulp_nn",
        what=what,
        adapter=adapter,
        includes=("XpulpV2/32bit/include",),
        sources=tuple(f"XpulpV2/32bit/src/{source}" for source in sources),
        flags=("-std=gnu11", "-O3", "-w", *_OLD_C),
        scratch=scratch,
    )


_GROUP = "min(H, ceil_div(8, (S + 1)//2))"

PEERS: Mapping[str, Peer] = {
    "cmsis_nn": Peer(
        "cmsis_nn",
        "armv7e-m",
        (
            _cmsis_nn(
                "cmsis_nn.plain",
                "its public functions: fully connected, transpose, batch matmul, softmax",
                "cmsis_nn_plain.c",
                (
                    "FullyConnectedFunctions/arm_fully_connected_s8.c",
                    "FullyConnectedFunctions/arm_batch_matmul_s8.c",
                    "NNSupportFunctions/arm_nn_vec_mat_mult_t_s8.c",
                    *_TRANSPOSE,
                    *_SOFTMAX,
                ),
                "4*align16(S*H*P) + align16(H*S*S)",
            ),
            _cmsis_nn(
                "cmsis_nn.best",
                "the best that can be made of it: 1x1 convolution head by head, blocked products",
                "cmsis_nn_best.c",
                (
                    "ConvolutionFunctions/arm_convolve_1x1_s8_fast.c",
                    "NNSupportFunctions/arm_nn_mat_mult_nt_t_s8.c",
                    *_TRANSPOSE,
                    *_SOFTMAX,
                ),
                "align16(8*max(S, E, P)) + 4*align16(S*P) + align16(S*S) + align16(S*H*P)",
            ),
        ),
        "half_up",
        map_one=256.0,
        map_half_up=True,
    ),
    "pulp_nn": Peer(
        "pulp_nn",
        "xpulpv2",
        (
            _pulp_nn(
                "pulp_nn.plain",
                "a linear layer per row for every product, softmax and reshapes split over cores",
                "pulp_nn_plain.c",
                (
                    "LinearQuant/pulp_nn_linear_i8_i8_i8.c",
                    "LinearQuant/pulp_nn_linear_u8_i8_i8.c",
                ),
                "3*align16(S*H*P) + 2*align16(S*P) + align16(8*S)",
            ),
            _pulp_nn(
                "pulp_nn.best",
                "the best that can be made of it: blocks of 4 channels and 2 rows, pairs of rows "
                "split over cores",
                "pulp_nn_best.c",
                (
                    "MatrixMultiplication/pulp_nn_matmul_i8_i8_i8.c",
                    "MatrixMultiplication/pulp_nn_matmul_u8_i8_i8.c",
                ),
                f"4*align16({_GROUP}*S*P) + align16({_GROUP}*S*S) + align16({_GROUP}*2*S)"
                " + align16(S*H*P)",
            ),
        ),
        "floor",
    ),
}


def check_checkout(peer: Peer, folder: Path) -> None:
    """UserError that names the first file of the peer that is not in `folder`."""
    if not folder.is_dir():
        raise UserError(f"peers: {peer.name}={folder}: found no folder there")
    for composition in peer.compositions:
        for name in (*composition.includes, *composition.sources):
            if not (folder / name).exists():
                raise UserError(
                    f"peers: {peer.name}={folder}: found no {name}, "
                    f"allowed a checkout that {composition.name} can be composed of"
                )

# SPDX-License-Identifier: Apache-2.0
"""Cells: the points of the matrix, with their readable, stable ids."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, replace
from functools import cached_property

from touchstone.manifest import DIMENSIONS, Kernel, Target, Variant
from touchstone.schedule import OWN, Schedule

DEFAULT_SEED = 42
DEFAULT_ROUNDING = "floor"
DEFAULT_SOFTMAX = "authors"
DEFAULT_GELU = "i_gelu"
DEFAULT_DATA = "random"
# The cases of a job; the first is the timed one.
VALUE_CLASSES = ("random", "extremes", "saturating", "constant", "one_hot")


@dataclass(frozen=True, order=True)
class Shape:
    """Sequence length, embedding, projection per head, heads, feed-forward width.

    F is 1 for kernels that have no feed-forward width.
    """

    S: int = 1
    E: int = 1
    P: int = 1
    H: int = 1
    F: int = 1

    def values(self) -> dict[str, int]:
        """The dimensions by name."""
        return {name: getattr(self, name) for name in DIMENSIONS}


@dataclass(frozen=True)
class Numerics:
    """Which of the permitted arithmetics a cell's vectors use (DESIGN: Numbers)."""

    rounding: str = DEFAULT_ROUNDING
    per_channel: bool = False
    softmax: str = DEFAULT_SOFTMAX
    gelu: str = DEFAULT_GELU


@dataclass(frozen=True)
class Cell:
    """One point of the matrix: everything that decides what is built, run and compared."""

    target: Target
    kernel: Kernel
    variant: Variant
    shape: Shape
    cores: int
    seed: int
    numerics: Numerics
    data: str
    toolchain: str
    simulator: str
    cflags: tuple[str, ...]
    settings: tuple[tuple[str, str], ...] = ()
    """The simulator's settings that are not those of target.yaml."""
    command: str | None = None
    """What sim=command runs, None for target.yaml's command."""
    inputs: str | None = None
    """The file of somebody's own vectors as it was said; `data` knows it by its content."""
    inputs_file: str | None = None
    """Where that file is kept (touchstone.own_inputs)."""
    schedule: Schedule = OWN

    @cached_property
    def id(self) -> str:
        """Target / kernel / shape / cores, then whatever is not the default."""
        kernel = self.kernel.name
        if self.variant != self.kernel.default_variant(self.target.isas):
            kernel += f".{self.variant.name}"
        shape = "-".join(
            f"{name}{getattr(self.shape, name)}" for name in id_dimensions(self.kernel)
        )
        parts = [self.target.name, kernel, shape, f"c{self.cores}", *self._extras()]
        return "/".join(parts)

    def _extras(self) -> list[str]:
        extras = [self.data] if self.data != DEFAULT_DATA else []
        extras += numerics_words(self.numerics)
        extras += self.schedule.words()
        if self.seed != DEFAULT_SEED:
            extras.append(f"seed{self.seed}")
        if self.toolchain != self.target.toolchains[0].name:
            extras.append(self.toolchain)
        if self.simulator != self.target.simulators[0]:
            extras.append(self.simulator)
        if self.command is not None:
            extras.append(f"line-{flags_digest((self.command,))}")
        extras += [f"{name}-{value}" for name, value in self.settings]
        if self.cflags:
            extras.append(f"cflags-{flags_digest(self.cflags)}")
        return extras

    @property
    def id_by_memory(self) -> str:
        """The id of the plainest cell that needs and has the same memory: what fits here or does
        not, does so whatever compiles it, and on every simulator with the chip's memory map."""
        simulator, chip = self.simulator, self.target.simulators[0]
        if self.target.memory_map(simulator) == self.target.memory_map(chip):
            simulator = chip
        toolchain = self.target.toolchains[0].name
        plain = replace(self, toolchain=toolchain, cflags=(), simulator=simulator)
        return replace(plain, settings=(), command=None).id

    @property
    def rerun(self) -> str:
        """The command that runs just this cell again, whatever config it came from."""
        flags = f" 'cflags={' '.join(self.cflags)}'" if self.cflags else ""
        command = f" {shlex.quote(f'command={self.command}')}" if self.command else ""
        inputs = f" {shlex.quote(f'inputs={self.inputs}')}" if self.inputs else ""
        program = "scons" if self.kernel.support or self.target.support else "./scons"
        return f"{program} cell={self.id}{flags}{command}{inputs}"


def id_dimensions(kernel: Kernel) -> tuple[str, ...]:
    """The dimensions in a cell's id: always the paper's four, so that cells of one shape read
    alike whatever the kernel; F only where the kernel has it."""
    return (*DIMENSIONS[:4], *(name for name in kernel.dimensions if name not in DIMENSIONS[:4]))


def numerics_words(numerics: Numerics) -> list[str]:
    """The words for what differs from the default settings."""
    words = []
    if numerics.rounding != DEFAULT_ROUNDING:
        words.append(numerics.rounding)
    if numerics.per_channel:
        words.append("per_channel")
    if numerics.softmax != DEFAULT_SOFTMAX:
        words.append(f"softmax_{numerics.softmax}")
    if numerics.gelu != DEFAULT_GELU:
        words.append(f"gelu_{numerics.gelu}")
    return words


def relevant_numerics(kernel: Kernel, numerics: Numerics) -> Numerics:
    """Settings that a kernel does not have are set to their defaults, so that cells do not
    multiply over them."""
    params = {name.rsplit("_", 1)[-1] for name in kernel.params}
    names = {operand.name for operand in kernel.operands}
    per_channel = any(
        "per_channel" in text for operand in kernel.operands for text in operand.shape
    )
    return Numerics(
        rounding=numerics.rounding if "flags" in params else DEFAULT_ROUNDING,
        per_channel=numerics.per_channel and per_channel,
        softmax=numerics.softmax if "softmax_table" in names else DEFAULT_SOFTMAX,
        gelu=numerics.gelu if names & {"table", "gelu_table"} else DEFAULT_GELU,
    )


def flags_digest(flags: tuple[str, ...]) -> str:
    """A short, stable name for a list of flags."""
    return hashlib.sha256("\0".join(flags).encode()).hexdigest()[:8]

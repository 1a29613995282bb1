# SPDX-License-Identifier: Apache-2.0
"""The GAP SDK's own GCC 7.1.1: `toolchain=gap_sdk`. Unverified: written from public sources.

It is a GNU toolchain in all but its age: where GCC 7 lacks a word of the distributions' GCC, the
older one is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.toolchains import gnu
from touchstone.toolchains.commands import Commands

DRIVER = "riscv32-unknown-elf-gcc"
# Not the driver's name alone: a target's `gnu` may well have one of the same name.
PROGRAM = f"gap_sdk/{DRIVER}"
HOME_VARIABLE = "GAP_SDK_HOME"
# The SDK's scripts let this variable say where the compiler is, which is no part of its folder.
TOOLCHAIN_VARIABLE = "GAP_RISCV_GCC_TOOLCHAIN"
DEFAULT_FOLDER = "/usr/lib/gap_riscv_toolchain"
CAVEAT = "unverified: never run by Touchstone's developers"


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """The driver's path; UserError says what to install or to set."""
    home = environment.get(HOME_VARIABLE)
    if not home:
        raise UserError(
            f"toolchain: gap_sdk is not installed: {HOME_VARIABLE} is not set; "
            "install the GAP SDK and set it to its folder, or use toolchain=llvm"
        )
    chosen = environment.get(TOOLCHAIN_VARIABLE)
    folders = [chosen] if chosen else [f"{home}/install/workstation", DEFAULT_FOLDER]
    places = [Path(folder, "bin", DRIVER) for folder in folders]
    for place in places:
        if os.access(place, os.X_OK):
            return place
    raise UserError(
        f"toolchain: gap_sdk is not installed: no {' nor '.join(map(str, places))}; "
        f"set {TOOLCHAIN_VARIABLE} to the compiler's folder, or use toolchain=llvm"
    )


def target_commands(options: Mapping[str, Any], extra: tuple[str, ...]) -> Commands:
    """Compile and link words for a target's `toolchains.gap_sdk` options, without the driver."""
    return replace(gnu.target_commands({**options, "prefix": ""}, extra), program=PROGRAM)


def local_words(root: Path) -> tuple[str, ...]:
    """As gnu.local_words; GCC knows -ffile-prefix-map from its version 8 on."""
    place = f"{root}=."
    return (
        f"-fdebug-prefix-map={place}",
        "-Xassembler",
        "--debug-prefix-map",
        "-Xassembler",
        place,
    )

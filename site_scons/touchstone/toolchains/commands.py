# SPDX-License-Identifier: Apache-2.0
"""What a toolchain says about compiling and linking for a target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Commands:
    """Command lines as lists of words, without the program; the caller adds sources and target."""

    program: str
    compile: tuple[str, ...]
    link: tuple[str, ...]
    link_tail: tuple[str, ...]

# SPDX-License-Identifier: Apache-2.0
"""GNU toolchains as distributions ship them: `toolchain=gnu`, found in PATH by their prefix.

The driver is a small part of a GCC: what really compiles, assembles and links is asked for by
`-print-prog-name` and belongs to the fingerprint, and so does the runtime library. All of them
carry their version, so that the fingerprint needs no other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.toolchains.commands import Commands

COMPILE_FLAGS = (
    "-std=c11",
    "-O2",
    "-g",
    "-ffreestanding",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-ident",
    "-Wall",
    "-Wextra",
    "-Werror",
)
LINK_FLAGS = ("-nostdlib", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--build-id=none")
RUNTIME = ("-lgcc",)
PARTS = ("cc1", "as", "ld", "collect2")
"""The programs behind the driver."""


def program(options: Mapping[str, Any]) -> str:
    """The driver's name for a target's `toolchains.gnu` options."""
    return f"{options['prefix']}gcc"


def find(name: str) -> Path:
    """The driver's path; UserError says what to install."""
    found = shutil.which(name)
    if found is None:
        package = f"gcc-{name.removesuffix('-gcc')}"
        raise UserError(
            f"toolchain: gnu is not installed: no {name} in PATH; "
            f"install your distribution's {package}, or use toolchain=llvm"
        )
    return Path(found)


def target_commands(options: Mapping[str, Any], extra: tuple[str, ...]) -> Commands:
    """Compile and link words for a target's `toolchains.gnu` options, without the driver."""
    flags = tuple(options["cflags"])
    return Commands(
        program=program(options),
        compile=(*flags, *COMPILE_FLAGS, *extra),
        link=(*flags, *LINK_FLAGS, *options["ldflags"]),
        link_tail=RUNTIME,
    )


def local_words(root: Path) -> tuple[str, ...]:
    """Words that keep this checkout's place out of what is made, and so are no part of a stamp.

    GCC has no word for the folder that debug information names, only a mapping of the real one; it
    does not hand it on to the assembler, which has its own.
    """
    place = f"{root}=."
    own = ("-Xassembler", "--debug-prefix-map", "-Xassembler", place)
    return (f"-ffile-prefix-map={place}", *own)


def machine_words(words: Sequence[str]) -> tuple[str, ...]:
    """Those of a command's words that choose among the runtime libraries."""
    return tuple(word for word in words if word.startswith("-m"))


def parts(driver: Path, machine: Sequence[str]) -> list[Path]:
    """The binaries and the runtime library that `driver` really uses for a machine."""
    questions = [f"-print-prog-name={name}" for name in PARTS] + ["-print-libgcc-file-name"]
    answers = [driver]
    for question in questions:
        said = subprocess.run(
            [driver, *machine, question],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        ).stdout.strip()
        path = Path(said if os.sep in said else shutil.which(said) or "")
        if not path.is_file():
            name = question.rpartition("=")[2].removeprefix("-print-")
            raise UserError(f"toolchain: {driver.name} is not whole: found no {name}")
        answers.append(path.resolve())
    return answers


def environment() -> dict[str, str]:
    """The compiler's whole environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}

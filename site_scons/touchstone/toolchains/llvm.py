# SPDX-License-Identifier: Apache-2.0
"""The embedded toolchain: clang and lld as PyPI's `ziglang` package ships them.

The binary in the package is called directly: `python -m ziglang` costs an interpreter a file.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.toolchains.commands import Commands

OVERRIDE = "TOUCHSTONE_ZIG"
PROGRAM = "zig"

# Firmware has no libc and no undefined-behaviour runtime; debug information names paths relative
# to the checkout, so that two checkouts build the same bytes.
COMPILE_FLAGS = (
    "-std=c11",
    "-O2",
    "-g",
    "-ffreestanding",
    "-fdebug-compilation-dir=.",
    "-ffunction-sections",
    "-fdata-sections",
    # Unwind tables would pull the compiler's runtime, and its debug information, into every ELF.
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=all",
    "-fno-ident",
    "-Wall",
    "-Wextra",
    "-Werror",
)
LINK_FLAGS = ("-nostdlib", "-Wl,--gc-sections")
RUNTIME = ("-lcompiler_rt",)
HOST_FLAGS = (
    "-std=c11",
    "-O2",
    "-mcpu=baseline",
    # zig keeps frame pointers, which costs the simulators a tenth of their speed.
    "-fomit-frame-pointer",
    "-fno-sanitize=all",
    "-D_DEFAULT_SOURCE",
    # Symbols and debug information would name the folder that the compiler lies in.
    "-s",
    "-Wl,--build-id=none",
    "-Wall",
    "-Wextra",
    "-Werror",
)
HOST_LIBRARIES = ("-ldl",)


def zig_path() -> Path:
    """The compiler's binary: TOUCHSTONE_ZIG, else the one in the ziglang package."""
    override = os.environ.get(OVERRIDE)
    if override:
        path = Path(override)
        if not os.access(path, os.X_OK):
            raise UserError(f"{OVERRIDE}={override}: found no executable there")
        return path
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise UserError(
            "toolchain llvm: the Python package ziglang is not installed; "
            "use ./scons, or pip install -r requirements.lock"
        )
    return Path(spec.origin).parent / "zig"


def target_commands(options: Mapping[str, Any], extra: tuple[str, ...]) -> Commands:
    """Compile and link words for a target's `toolchains.llvm` options, without the binary."""
    machine = ("-target", str(options["target"]), f"-mcpu={options['cpu']}")
    flags = (*machine, *options.get("cflags", ()))
    return Commands(
        program=PROGRAM,
        compile=("cc", *flags, *COMPILE_FLAGS, *_as_said(extra)),
        link=("cc", *flags, *LINK_FLAGS, *options.get("ldflags", ())),
        link_tail=RUNTIME,
    )


def _as_said(flags: tuple[str, ...]) -> tuple[str, ...]:
    """zig's driver rounds -O1 and -O3 to -O2 and -Oz to -Os; clang itself takes them as said."""
    words: list[str] = []
    for flag in flags:
        words += ["-Xclang", flag] if re.fullmatch("-O[0-3sz]", flag) else [flag]
    return tuple(words)


def host_triple() -> str:
    """The host in zig's words; glibc is held at 2.17 so that one binary serves all hosts."""
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    system = platform.system()
    if system == "Darwin":
        return f"{machine}-macos"
    if system == "Linux":
        return f"{machine}-linux-gnu.2.17" if platform.libc_ver()[0] else f"{machine}-linux-musl"
    raise UserError(f"host: found {system} on {machine}, allowed Linux and macOS")


def host_command() -> tuple[str, ...]:
    """Words that compile and link a host program in one go, for any CPU of the host's kind."""
    return ("cc", "-target", host_triple(), *HOST_FLAGS)


def environment(cache: Path) -> dict[str, str]:
    """The compiler's whole environment: its caches lie in the tree, nothing else leaks in."""
    return {
        "ZIG_GLOBAL_CACHE_DIR": str(cache),
        "ZIG_LOCAL_CACHE_DIR": str(cache),
        "PATH": os.defpath,
        "HOME": str(cache),
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }

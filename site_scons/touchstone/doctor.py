# SPDX-License-Identifier: Apache-2.0
"""Looks at a machine and says what is there, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import UserError
from touchstone.simulators.registry import EMBEDDED, EXTERNAL, PLATFORMS, find_external
from touchstone.simulators.unicorn import unicorn_library
from touchstone.toolchains import gap_sdk, llvm

MINIMUM_PYTHON = (3, 10)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    good: bool
    text: str
    optional: bool = False


def command(root: Path, arguments: Mapping[str, str]) -> int:
    """What is here and what is missing; status 1 if a build could not work."""
    for name in arguments:
        raise UserError(f"doctor: found {name}=, allowed no variables")
    findings = examine(root)
    print(render(findings))
    return 0 if all(finding.good or finding.optional for finding in findings) else 1


def examine(root: Path) -> list[Finding]:
    """Everything a build may need."""
    findings = [_python(), _host()]
    findings += [_package(name) for name in _required_packages(root / "requirements.in")]
    findings.append(_compiler())
    for embedded in EMBEDDED.values():
        needs = embedded.needs_costs and unicorn_library() is None
        text = "its library is missing (package unicorn)" if needs else "embedded"
        findings.append(Finding(f"simulator {embedded.name}", not needs, text))
    platforms = (entry for platforms in PLATFORMS.values() for entry in platforms.values())
    for external in (entry for entry in (*EXTERNAL.values(), *platforms) if entry.program):
        found = find_external(external)
        text = found or f"not installed: {external.advice}"
        text += f" ({external.caveat})" if external.caveat else ""
        findings.append(Finding(f"simulator {external.name}", found is not None, text, True))
    findings.append(_gap_sdk_compiler())
    return findings


def render(findings: list[Finding]) -> str:
    """A table for the terminal."""
    width = max(len(finding.name) for finding in findings)
    words = {(True, True): "ok", (True, False): "ok", (False, True): "-", (False, False): "MISSING"}
    return "\n".join(
        f"{finding.name.ljust(width)}  {words[finding.good, finding.optional].ljust(7)}  "
        f"{finding.text}"
        for finding in findings
    )


def _python() -> Finding:
    version = platform.python_version()
    good = tuple(map(int, platform.python_version_tuple()[:2])) >= MINIMUM_PYTHON
    return Finding("python", good, f"{version}, needed 3.10 or newer")


def _host() -> Finding:
    try:
        return Finding("host", True, llvm.host_triple())
    except UserError as error:
        return Finding("host", False, str(error))


def _required_packages(requirements: Path) -> list[str]:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    names = (re.match(r"[A-Za-z0-9_.-]+", line) for line in lines if not line.startswith("-"))
    return [match[0] for match in names if match]


def _package(name: str) -> Finding:
    try:
        return Finding(f"package {name}", True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(f"package {name}", False, "not installed: use ./scons, or pip install it")


def _compiler() -> Finding:
    try:
        return Finding("toolchain llvm", True, llvm.zig_path().name)
    except UserError as error:
        return Finding("toolchain llvm", False, str(error))


def _gap_sdk_compiler() -> Finding:
    name = "toolchain gap_sdk"
    try:
        return Finding(name, True, f"{gap_sdk.find()} ({gap_sdk.CAVEAT})", True)
    except UserError as error:
        text = str(error).removeprefix("toolchain: gap_sdk is ")
        return Finding(name, False, f"{text} ({gap_sdk.CAVEAT})", True)

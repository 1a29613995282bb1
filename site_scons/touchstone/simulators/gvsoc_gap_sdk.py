# SPDX-License-Identifier: Apache-2.0
"""`sim=gvsoc settings=platform:gap9_evk`: the GVSOC of a GAP SDK, with the real chip as `gap9.evk`.

Unverified: written from public sources that drive the SDK; nobody here has run it. It is given the
image that pulp-open runs; docs/gap9.md says what of a GAP9 that image does not know.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from touchstone.files import read_json, write_json
from touchstone.fingerprint import file_digest
from touchstone.process import ProcessRegistry, run_limited
from touchstone.simulators import gvsoc
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun
from touchstone.simulators.console import split_console
from touchstone.simulators.gvsoc_config import GvsocError
from touchstone.simulators.gvsoc_console import Console
from touchstone.simulators.gvsoc_install import Installation, installed_files, signature

HOME_VARIABLE = "GAP_SDK_HOME"
CONFIG_VARIABLE = "GAP_SDK_CONFIG"
TARGET = "gap9.evk"
GAPY = "gapy"
WORKSTATION = "install/workstation"
MEMORY = "gap_sdk.json"
# Sourcing changes a shell, so a shell has to start the simulator; words stay words on the way.
SOURCE_AND_RUN = 'source "$1" > /dev/null && shift && exec "$@"'


def settings(target: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing of a target.yaml's document: the SDK's chip is as it is."""
    return {}


def fingerprint(program: str, memory: Path) -> str:
    """Hash of the board's script and of all that the SDK has installed for its simulator.

    Remembered beside `memory`: hashed again only after one of the files has changed.
    """
    sdk, chosen = GapSdk.find(os.environ), Path(program)
    parts = [chosen, sdk.script, *installed_files(sdk.workstation)]
    seen = signature(sdk.workstation) + _stamp(chosen) + _stamp(sdk.script)
    known = read_json(memory.with_name(MEMORY))
    if not isinstance(known, dict) or known.get("signature") != seen:
        digest = hashlib.sha256()
        for path in parts:
            digest.update(f"{path.name} {file_digest(path)}\n".encode())
        known = {"signature": seen, "fingerprint": digest.hexdigest()}
        write_json(memory.with_name(MEMORY), known)
    return str(known["fingerprint"])


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> GapSdkSimulator:
    """The simulator whose launcher is files[0]: the SDK's gvsoc, or its gapy."""
    return GapSdkSimulator(name, GapSdk.find(os.environ), files[0].name == GAPY)


def clock(folder: Path) -> str:
    """Whose time the cycles are, with what of the SDK was found."""
    known = read_json(folder / MEMORY)
    files = known["fingerprint"][:12] if isinstance(known, dict) else "unknown"
    return (
        f"UNVERIFIED: GVSOC {TARGET}'s own timing model, GAP SDK of files {files}, which "
        "Touchstone's developers have never run; no silicon"
    )


def _stamp(path: Path) -> str:
    status = path.stat()
    return f" {path}:{status.st_size}:{status.st_mtime_ns}"


@dataclass(frozen=True)
class GapSdkSimulator:
    """A GAP SDK's GVSOC. `by_gapy`: started through gapy, for want of the SDK's gvsoc."""

    name: str
    sdk: GapSdk
    by_gapy: bool

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception.

        Semihosting's records are looked for in the file that GVSOC's semihosting writes, and where
        there are none, in standard output: which of them this GVSOC has, is not known.
        """
        image_path, stdout = directory / "image.elf", directory / "stdout.bin"
        image_path.write_bytes(image)
        sdk = self.sdk
        command = (sdk.gapy_command if self.by_gapy else sdk.gvsoc_command)(image_path, directory)
        try:
            with Console(directory) as console:
                result = run_limited(
                    command, directory, limits.wall_seconds, registry, stdout=stdout
                )
        except OSError as error:
            return SimulatorRun(RunStatus.CRASH, str(error), b"", "", None, None)
        said = stdout.read_bytes()
        if not console.data:
            return gvsoc.interpret(result, said, limits)
        text = split_console(said)[1].decode("utf-8", "replace")
        return gvsoc.interpret(replace(result, output=text + result.output), console.data, limits)


@dataclass(frozen=True)
class GapSdk:
    """A GAP SDK as somebody has installed it. Unverified: its simulator was never run by us.

    `config` is the script below `home`/configs that sets the SDK up for a board.
    """

    home: Path
    config: str

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> GapSdk:
        """By GAP_SDK_HOME; GAP_SDK_CONFIG chooses among the SDK's GAP9 boards."""
        home = environment.get(HOME_VARIABLE)
        if not home:
            raise GvsocError(f"the GAP SDK is not installed: {HOME_VARIABLE} is not set")
        scripts = sorted(path.name for path in Path(home, "configs").glob("gap9*.sh"))
        wanted = environment.get(CONFIG_VARIABLE)
        if wanted is None:
            # An EVK's before any other board's: that is what is simulated.
            scripts.sort(key=lambda name: "evk" not in name)
        if not scripts or (wanted is not None and wanted not in scripts):
            raise GvsocError(f"no {wanted or 'gap9*.sh'} in the folder configs of {home}")
        return cls(Path(home), wanted or scripts[0])

    @property
    def script(self) -> Path:
        """What a shell sources before anything of the SDK runs."""
        return self.home / "configs" / self.config

    @property
    def workstation(self) -> Installation:
        """What the SDK has installed for the host, laid out as GVSOC's own installation."""
        return Installation(self.home / WORKSTATION)

    def gvsoc_command(self, image: Path, directory: Path) -> tuple[str, ...]:
        """Boot image, flash contents and run, through the SDK's own launcher."""
        return self._in_sdk(
            self.workstation.script,
            f"--target={TARGET}",
            "--binary",
            str(image),
            f"--work-dir={directory}",
            "image",
            "flash",
            "run",
        )

    def gapy_command(self, image: Path, directory: Path) -> tuple[str, ...]:
        """The same through gapy, for an SDK without that launcher."""
        return self._in_sdk(
            self.home / "utils/gapy_v2/bin" / GAPY,
            f"--target={TARGET}",
            "--binary",
            str(image),
            f"--work-dir={directory}",
            "--platform=gvsoc",
            "image",
            "flash",
            "run",
        )

    def _in_sdk(self, program: Path, *words: str) -> tuple[str, ...]:
        return ("bash", "-c", SOURCE_AND_RUN, "bash", str(self.script), str(program), *words)

# SPDX-License-Identifier: Apache-2.0
"""Every simulator by name: what its time means, how it is found, what to do where it is not.

`EMBEDDED` ones come with the project and are built or driven without anything installed.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from touchstone.errors import UserError, unknown
from touchstone.simulators.base import Timing

# Whatever a command line of the user's runs (simulators/command.py).
COMMAND = "command"


@dataclass(frozen=True)
class Embedded:
    """An embedded simulator: a host program built from `sources` by the embedded compiler.

    `needs_costs`: it wants the static instruction costs of the firmware (see cortexm_costs).
    """

    name: str
    sources: str
    program: str
    timing: Timing
    clock: str
    needs_costs: bool = False
    adapter: str = "touchstone.simulators.embedded"


@dataclass(frozen=True)
class External:
    """A simulator that somebody installs: its program and the variable that points to it.

    Both are empty where the user's command line has the program. `places` are the files that may
    be the program, below the variable's folder; with them it is looked for nowhere else.

    `adapter` is the module that drives it, None where this version has none. It has
        settings(target) -> dict      what of a target.yaml's document a run depends on
        fingerprint(program, memory) -> str      of what is installed; `memory` is a JSON file
        make(name, settings, files) -> Simulator      the program; the folder that `memory` is in
    and, where its cycles need more words than what they are,
        clock(folder) -> str      whose time it is
    """

    name: str
    program: str
    variable: str
    advice: str
    timing: Timing
    adapter: str | None = None
    places: tuple[str, ...] = ()
    caveat: str = ""
    """What to know of it before believing a figure."""


EMBEDDED: Mapping[str, Embedded] = {
    "xpulp": Embedded(
        "xpulp",
        "xpulp",
        "xpulp_sim",
        Timing.CYCLE_APPROXIMATE,
        "modelled on GVSOC pulp-open's timing; no silicon",
    ),
    "unicorn": Embedded(
        "unicorn",
        "cortexm",
        "cortexm_sim",
        Timing.CYCLE_APPROXIMATE,
        "a model of the Cortex-M pipeline; no silicon",
        needs_costs=True,
    ),
}

EXTERNAL: Mapping[str, External] = {
    "gvsoc": External(
        "gvsoc",
        "gvsoc",
        "GVSOC_HOME",
        "build it from its public repository and set GVSOC_HOME to its install folder",
        Timing.CYCLE_APPROXIMATE,
        adapter="touchstone.simulators.gvsoc",
    ),
    "renode": External(
        "renode",
        "renode",
        "RENODE_HOME",
        "unpack its portable package (1.16.1 or later) and set RENODE_HOME to that folder",
        Timing.INSTRUCTION_COUNT,
        adapter="touchstone.simulators.renode",
    ),
    "qemu": External(
        "qemu",
        "qemu-system-arm",
        "QEMU_HOME",
        "install your distribution's qemu-system-arm, or set QEMU_HOME to its bin folder",
        Timing.INSTRUCTION_COUNT,
        adapter="touchstone.simulators.qemu",
    ),
    COMMAND: External(
        COMMAND,
        "",
        "",
        "say what to run: command='PROGRAM ... {elf} ...'",
        Timing.NONE,
        adapter="touchstone.simulators.command",
    ),
}


# Platforms of a simulator that are another installation: by the simulator, then its setting
# `platform`. They have settings of their own alone: the simulator's others mean nothing there.
PLATFORM = "platform"
PLATFORMS: Mapping[str, Mapping[str, External]] = {
    "gvsoc": {
        "gap9_evk": External(
            "gvsoc of the GAP SDK",
            "gvsoc",
            "GAP_SDK_HOME",
            "install the GAP SDK and set GAP_SDK_HOME to its folder, or leave out "
            "settings=platform:gap9_evk for the open pulp-open",
            Timing.CYCLE_APPROXIMATE,
            adapter="touchstone.simulators.gvsoc_gap_sdk",
            places=("install/workstation/bin/gvsoc", "utils/gapy_v2/bin/gapy"),
            caveat="unverified: never run by Touchstone's developers",
        )
    }
}


# A setting that the image depends on, no simulator: where the job's weights lie.
WEIGHTS, NEAR, FAR = "weights", "near", "far"
FOR_THE_IMAGE = (WEIGHTS,)

_COUNTED: Mapping[str, Timing] = {
    "nothing": Timing.NONE,
    "cycles": Timing.CYCLE_APPROXIMATE,
    "instructions": Timing.INSTRUCTION_COUNT,
}


# What settings may be, the plain one first; adapters judge the others themselves.
_SETTINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    COMMAND: {"counts": tuple(_COUNTED)},
    "xpulp": {
        "l1_bytes": ("131072", "65536", "32768"),
        "barrier_skew": ("0", "2000"),
        WEIGHTS: (NEAR, FAR),
    },
    "gvsoc": {
        PLATFORM: ("pulp_open", *PLATFORMS["gvsoc"]),
        "l1_bytes": ("131072", "65536", "32768", "262144", "524288", "1048576"),
        WEIGHTS: (NEAR, FAR),
    },
    "unicorn": {
        "over_reads": ("allow", "trap"),
        "flash_wait_states": tuple(map(str, range(16))),
        "flash_prefetch": ("on", "off"),
        "flash_line_bytes": ("8", "4", "16", "32", "64", "128", "256"),
    },
}


def external_of(name: str, options: Mapping[str, int | str]) -> External:
    """What has to be installed for simulator `name` with these settings."""
    return PLATFORMS.get(name, {}).get(str(options.get(PLATFORM))) or EXTERNAL[name]


def settings_that_apply(name: str, options: Mapping[str, int | str]) -> dict[str, int | str]:
    """`options` without those that mean nothing on the platform that they choose."""
    if options.get(PLATFORM) in PLATFORMS.get(name, {}):
        return {PLATFORM: options[PLATFORM]}
    return dict(options)


def adapter_of(name: str, options: Mapping[str, int | str] = MappingProxyType({})) -> str:
    """The module that drives a simulator with these settings."""
    adapter = EMBEDDED[name].adapter if name in EMBEDDED else external_of(name, options).adapter
    if adapter is None:
        raise UserError(f"sim: this version has no adapter for {name}")
    return adapter


def timing_of(name: str, settings: Mapping[str, str]) -> Timing:
    """What the cycle column of a simulator holds; a command's settings say what it counts."""
    if name == COMMAND:
        return _COUNTED[settings.get("counts", "nothing")]
    return EMBEDDED[name].timing if name in EMBEDDED else EXTERNAL[name].timing


def check_settings(name: str, settings: Mapping[str, int | str]) -> None:
    """UserError where a setting has a value that means nothing."""
    for setting, allowed in _SETTINGS.get(name, {}).items():
        value = str(settings.get(setting, allowed[0]))
        if value not in allowed:
            raise UserError(unknown(f"settings ({name}): {setting}", value, allowed))


def check_platform(name: str, said: Mapping[str, str]) -> None:
    """UserError where a setting was said that the platform said beside it does not have."""
    idle = said.keys() - settings_that_apply(name, said).keys()
    if idle:
        where = f"settings ({name} on {said[PLATFORM]})"
        raise UserError(f"{where}: found {min(idle)}, allowed {PLATFORM} alone")


def clock_of(
    name: str, folder: Path, options: Mapping[str, int | str] = MappingProxyType({})
) -> str:
    """Whose time it is, in words: what a table says below its cycles.

    `folder` is where adapters remember what they found installed.
    """
    if name in EMBEDDED:
        return EMBEDDED[name].clock
    words = getattr(importlib.import_module(adapter_of(name, options)), "clock", None)
    return EXTERNAL[name].timing.value if words is None else str(words(folder))


def find_external(external: External, environment: Mapping[str, str] = os.environ) -> str | None:
    """The program's path, None where it is not installed."""
    home = environment.get(external.variable)
    if external.places:
        files = (os.path.join(home, place) for place in external.places) if home else ()
        return next((path for path in files if os.access(path, os.X_OK)), None)
    if home:
        folders = (home, os.path.join(home, "bin"), os.path.join(home, "install", "bin"))
        places = os.pathsep.join(folders)
        return shutil.which(external.program, path=places)
    return shutil.which(external.program, path=environment.get("PATH"))


def require(name: str, where: str, options: Mapping[str, int | str] = MappingProxyType({})) -> None:
    """UserError with what to do unless `name` is a simulator that can run cells here."""
    if name in EMBEDDED:
        return
    if name not in EXTERNAL:
        raise UserError(unknown(where, name, (*EMBEDDED, *EXTERNAL)))
    external = external_of(name, options)
    if not external.program:
        return
    found = find_external(external)
    if found is None:
        program = " or ".join(external.places) or external.program
        path = "" if external.places else " nor in PATH"
        raise UserError(
            f"{where}: {external.name} is not installed: no {program} in {external.variable} "
            f"({os.environ.get(external.variable) or 'not set'}){path}; {external.advice}"
        )
    if external.adapter is None:
        raise UserError(f"{where}: found {name}, but this version has no adapter for it")

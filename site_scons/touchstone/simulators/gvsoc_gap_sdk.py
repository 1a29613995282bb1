# SPDX-License-Identifier: Apache-2.0
"""Command lines for the GVSOC of a GAP SDK, which has the real chip as target `gap9.evk`.

Unverified: written from public sources that drive the SDK; nobody here has run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touchstone.simulators.gvsoc_config import GvsocError

HOME_VARIABLE = "GAP_SDK_HOME"
CONFIG_VARIABLE = "GAP_SDK_CONFIG"
TARGET = "gap9.evk"
# Sourcing changes a shell, so a shell has to start the simulator; words stay words on the way.
SOURCE_AND_RUN = 'source "$1" > /dev/null && shift && exec "$@"'


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

    def gvsoc_command(self, image: Path, directory: Path) -> tuple[str, ...]:
        """Boot image, flash contents and run, through the SDK's own launcher."""
        return self._in_sdk(
            self.home / "install/workstation/bin/gvsoc",
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
            self.home / "utils/gapy_v2/bin/gapy",
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
        script = self.home / "configs" / self.config
        return ("bash", "-c", SOURCE_AND_RUN, "bash", str(script), str(program), *words)

# SPDX-License-Identifier: Apache-2.0
"""Command lines for a GAP SDK's GVSOC: what they say, since nobody here can run them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from touchstone.simulators.gvsoc_config import GvsocError
from touchstone.simulators.gvsoc_gap_sdk import GapSdk


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    for name in ("gap9_a.sh", "gap9_evk_audio.sh", "gapuino.sh"):
        write(tmp_path / "sdk" / "configs" / name, "")
    return tmp_path / "sdk"


def test_gap_sdk_commands(sdk: Path) -> None:
    found = GapSdk.find({"GAP_SDK_HOME": str(sdk)})
    command = found.gvsoc_command(Path("/x/a b.elf"), Path("/w"))
    assert command[:4] == ("bash", "-c", 'source "$1" > /dev/null && shift && exec "$@"', "bash")
    assert command[4:6] == (
        f"{sdk}/configs/gap9_evk_audio.sh",
        f"{sdk}/install/workstation/bin/gvsoc",
    )
    words = ("--target=gap9.evk", "--binary", "/x/a b.elf", "--work-dir=/w")
    assert command[6:] == (*words, "image", "flash", "run")
    gapy = found.gapy_command(Path("/x/a b.elf"), Path("/w"))
    assert gapy[5] == f"{sdk}/utils/gapy_v2/bin/gapy"
    assert gapy[6:] == (*words, "--platform=gvsoc", "image", "flash", "run")


def test_gap_sdk_sources_the_board_and_keeps_words_whole(sdk: Path) -> None:
    (sdk / "configs" / "gap9_a.sh").write_text("export BOARD=chosen\n")
    program = sdk / "install" / "workstation" / "bin" / "gvsoc"
    write(program, '#!/bin/sh\nprintf "%s|" "$BOARD" "$@"\n', 0o755)
    found = GapSdk.find({"GAP_SDK_HOME": str(sdk), "GAP_SDK_CONFIG": "gap9_a.sh"})
    command = found.gvsoc_command(Path("/x/a b.elf"), Path("/w"))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("chosen|--target=gap9.evk|--binary|/x/a b.elf|")


def test_gap_sdk_absent_or_without_the_board(sdk: Path) -> None:
    with pytest.raises(GvsocError, match="GAP_SDK_HOME is not set"):
        GapSdk.find({})
    with pytest.raises(GvsocError, match=r"no board\.sh in the folder configs"):
        GapSdk.find({"GAP_SDK_HOME": str(sdk), "GAP_SDK_CONFIG": "board.sh"})

# SPDX-License-Identifier: Apache-2.0
"""A GAP SDK's GVSOC and compiler: what is said to them, and what comes of a script in their place.

Nobody here can run the real ones.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.simulators import gvsoc_gap_sdk
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun
from touchstone.simulators.gvsoc_config import GvsocError
from touchstone.simulators.gvsoc_gap_sdk import GapSdk
from touchstone.simulators.registry import (
    check_platform,
    external_of,
    find_external,
    require,
    settings_that_apply,
)
from touchstone.toolchains import gap_sdk
from touchstone.toolchains.registry import target_commands

FAKE = Path(__file__).parents[1] / "data" / "fake_gap_sdk.py"
EVK = {"platform": "gap9_evk"}
STREAM = struct.pack("<4s5I", b"TSRC", 2, 0, 0, 3, 0) + bytes(16) + b"abc"


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


# --- the adapter, with scripts standing in


@pytest.fixture
def installed(sdk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GAP SDK whose launcher is a script."""
    (sdk / "configs" / "gap9_evk_audio.sh").write_text("export BOARD=evk\necho noise\n")
    fake = f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n'
    write(sdk / "install" / "workstation" / "bin" / "gvsoc", fake, 0o755)
    write(sdk / "install" / "workstation" / "models" / "core.so", "model")
    monkeypatch.setenv("GAP_SDK_HOME", str(sdk))
    monkeypatch.delenv("GAP_SDK_CONFIG", raising=False)
    return sdk


def run(tmp_path: Path, image: str, seconds: float = 20.0) -> SimulatorRun:
    folder = tmp_path / "run"
    folder.mkdir()
    program = find_external(external_of("gvsoc", EVK))
    assert program is not None
    simulator = gvsoc_gap_sdk.make("gvsoc", {"options": EVK}, [Path(program), tmp_path])
    return simulator.run(image.encode(), Limits(1000, seconds), folder, ProcessRegistry())


@pytest.mark.parametrize("where", ["file", "stdout"])
def test_records_come_by_file_or_standard_output(
    installed: Path, tmp_path: Path, where: str
) -> None:
    ran = run(tmp_path, f"{where} {(b'a log' + STREAM).hex()}")
    assert (ran.status, ran.reason, ran.stream) == (RunStatus.COMPLETED, "", STREAM)
    assert "a log" in ran.log
    assert "a word of the launcher's" in ran.log
    assert "noise" not in ran.log


def test_gapy_where_the_launcher_is_missing(installed: Path, tmp_path: Path) -> None:
    (installed / "utils" / "gapy_v2" / "bin").mkdir(parents=True)
    launcher = installed / "install" / "workstation" / "bin" / "gvsoc"
    launcher.rename(installed / "utils" / "gapy_v2" / "bin" / "gapy")
    found = find_external(external_of("gvsoc", EVK))
    assert found == f"{installed}/utils/gapy_v2/bin/gapy"
    assert run(tmp_path, f"stdout {STREAM.hex()}").stream == STREAM


def test_a_hang_ends_at_the_wall_limit(installed: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    ran = run(tmp_path, "hang", 1.0)
    assert ran.status is RunStatus.TIMEOUT
    assert "wall limit of 1 s" in ran.reason
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("image", "status", "reason"),
    [
        ("garbage", RunStatus.NO_OUTPUT, "the firmware ended without a result"),
        ("silence", RunStatus.NO_OUTPUT, "the firmware ended without a result"),
        ("status 3", RunStatus.CRASH, "the firmware exited with 3"),
        ("trap", RunStatus.CRASH, "trap on core 3, pc 0x1c010084 (mcause 0x2)"),
    ],
)
def test_every_other_end(
    installed: Path, tmp_path: Path, image: str, status: RunStatus, reason: str
) -> None:
    ran = run(tmp_path, image)
    assert (ran.status, ran.reason, ran.stream) == (status, reason, b"")


def test_a_board_script_that_fails(installed: Path, tmp_path: Path) -> None:
    (installed / "configs" / "gap9_evk_audio.sh").write_text("false\n")
    ran = run(tmp_path, "silence")
    assert ran.status is RunStatus.CRASH


def test_the_fingerprint_follows_board_launcher_and_models(installed: Path, tmp_path: Path) -> None:
    program, memory = str(find_external(external_of("gvsoc", EVK))), tmp_path / "digests.json"
    seen = [gvsoc_gap_sdk.fingerprint(program, memory)]
    assert gvsoc_gap_sdk.fingerprint(program, memory) == seen[0]
    for name in ("configs/gap9_evk_audio.sh", "install/workstation/models/core.so"):
        write(installed / name, "export BOARD=another\n")
        seen.append(gvsoc_gap_sdk.fingerprint(program, memory))
    assert len(set(seen)) == 3
    clock = gvsoc_gap_sdk.clock(tmp_path)
    assert clock.startswith("UNVERIFIED: GVSOC gap9.evk")
    assert seen[-1][:12] in clock


def test_an_open_gvsoc_is_no_gap_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "bin" / "gvsoc", "", 0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("GAP_SDK_HOME", raising=False)
    with pytest.raises(UserError, match=r"gvsoc of the GAP SDK is not installed: .*\(not set\);"):
        require("gvsoc", "sim", EVK)
    monkeypatch.setenv("GAP_SDK_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"in GAP_SDK_HOME \(.+\);"):
        require("gvsoc", "sim", EVK)


def test_settings_of_the_platform_alone() -> None:
    options = {"platform": "gap9_evk", "bank_conflicts": "on", "l1_bytes": 131072}
    assert settings_that_apply("gvsoc", options) == EVK
    plain = {**options, "platform": "pulp_open"}
    assert settings_that_apply("gvsoc", plain) == plain
    with pytest.raises(UserError, match="found bank_conflicts, allowed platform alone"):
        check_platform("gvsoc", {"platform": "gap9_evk", "bank_conflicts": "off"})


# --- the compiler


def test_compiler_is_found_through_the_sdk(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gap_sdk is not installed: GAP_SDK_HOME is not set"):
        gap_sdk.find({})
    home = {"GAP_SDK_HOME": str(tmp_path / "sdk")}
    chosen = {**home, "GAP_RISCV_GCC_TOOLCHAIN": str(tmp_path / "compiler")}
    with pytest.raises(UserError, match=r"no .*/compiler/bin/riscv32-unknown-elf-gcc; set GAP_"):
        gap_sdk.find(chosen)
    write(tmp_path / "compiler" / "bin" / gap_sdk.DRIVER, "", 0o755)
    assert gap_sdk.find(chosen) == tmp_path / "compiler" / "bin" / gap_sdk.DRIVER
    write(tmp_path / "sdk" / "install" / "workstation" / "bin" / gap_sdk.DRIVER, "", 0o755)
    assert gap_sdk.find(home).is_relative_to(tmp_path / "sdk")


def test_compiler_words() -> None:
    said = target_commands("gap_sdk", {"cflags": ["-march=rv32imcxgap9"], "ldflags": []}, ("-O3",))
    assert said.program == gap_sdk.PROGRAM
    assert said.compile[0] == "-march=rv32imcxgap9"
    assert said.compile[-1] == "-O3"
    words = gap_sdk.local_words(Path("/checkout"))
    assert "-fdebug-prefix-map=/checkout=." in words
    assert not any("file-prefix-map" in word for word in words), "GCC 7 does not know it"

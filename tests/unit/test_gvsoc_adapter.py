# SPDX-License-Identifier: Apache-2.0
"""The GVSOC adapter against a fake installation whose launcher runs the image as a script."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry, ProcessResult
from touchstone.simulators import gvsoc
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun
from touchstone.simulators.console import split_console
from touchstone.simulators.gvsoc import GvsocSimulator, interpret
from touchstone.simulators.gvsoc_config import GvsocError, GvsocSettings, configure
from touchstone.simulators.gvsoc_install import (
    Installation,
    Prepared,
    find_installation,
    load_configuration,
    prepare,
)

SETTINGS = GvsocSettings(l1_bytes=0x20000, conflicts="off")
LIMITS = Limits(instructions=1000, wall_seconds=20)
OPEN = "import os\nstream = os.open(':tt', os.O_WRONLY | os.O_CREAT | os.O_TRUNC)\n"
OPEN += "log = os.open(':tt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"

FAKE_LAUNCHER = """#!{python}
import json, sys
config = json.load(open(sys.argv[1].split("=", 1)[1]))
exec(open(config["target"]["chip"]["soc"]["loader"]["binary"][0]).read())
"""
FAKE_SCRIPT = """#!{python}
import pathlib, sys
home = pathlib.Path(sys.argv[0]).resolve().parents[1]
folder = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--work-dir="))
with open(home / "calls", "a") as calls:
    calls.write("prepare\\n")
text = (home / "template.json").read_text().replace("HOME", str(home))
(pathlib.Path(folder) / "gvsoc_config.json").write_text(text)
"""


def frame(payload: bytes, kind: int = 2) -> bytes:
    return struct.pack("<4s5I", b"TSRC", kind, 0, 0, len(payload), 0) + bytes(16) + payload


def document(banks: int = 4) -> dict[str, Any]:
    """What the adapter knows of a configuration of pulp-open."""
    mapping = {"l1": {"base": "0x10000000", "size": "0x00010000"}}
    both = {**mapping, "l1_alias": {"base": "0x0", "size": "0x00010000"}, "dma": {"size": "0x400"}}
    l1: dict[str, Any] = {
        f"bank{index}": {"size": 0x10000 // banks, "width_bits": -1, "vp_component": "mem.ory"}
        for index in range(banks)
    }
    l1["interleaver"] = {"nb_slaves": banks}
    l1["pe0_ico"] = {"mappings": json.loads(json.dumps(both))}
    cluster = {"l1": l1, "cluster_ico": {"mappings": mapping}}
    soc = {"loader": {"binary": ["/image.elf"], "rom": "HOME/rom"}}
    return {"target": {"chip": {"cluster": cluster, "soc": soc}}}


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    home = tmp_path / "gvsoc" / "install"
    write(home / "bin" / "gvsoc", FAKE_SCRIPT.format(python=sys.executable), 0o755)
    write(home / "bin" / "gvsoc_launcher", FAKE_LAUNCHER.format(python=sys.executable), 0o755)
    write(home / "lib" / "libpulpvp.so", "engine")
    write(home / "models" / "mem" / "ory.so", "memory")
    write(home / "models" / "unused.so", "unused")
    write(home / "generators" / "pulp-open.py", "target")
    write(home / "template.json", json.dumps(document()))
    return Installation(home)


def prepared(installation: Installation) -> Prepared:
    folder = installation.home.parent / "prepared"
    return prepare(installation, folder, ProcessRegistry(), os.environ)


def run(installation: Installation, image: str, limits: Limits = LIMITS) -> SimulatorRun:
    folder = installation.home.parent / "run"
    folder.mkdir()
    simulator = GvsocSimulator("gvsoc", installation, SETTINGS, folder.with_name("prepared"))
    return simulator.run(image.encode(), limits, folder, ProcessRegistry())


# --- finding it


def test_found_by_home_or_the_checkout_around_it(installation: Installation) -> None:
    assert find_installation({"GVSOC_HOME": str(installation.home)}) == installation
    assert find_installation({"GVSOC_HOME": str(installation.home.parent)}) == installation


def test_found_by_path(installation: Installation) -> None:
    assert find_installation({"PATH": str(installation.home / "bin")}) == installation


def test_a_home_that_is_wrong_does_not_fall_back_to_path(installation: Installation) -> None:
    environment = {"GVSOC_HOME": "/nowhere", "PATH": str(installation.home / "bin")}
    with pytest.raises(GvsocError, match=r"GVSOC_HOME \(/nowhere\); build its public repository"):
        find_installation(environment)


def test_absence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="GVSOC_HOME is not set; build its public repository"):
        find_installation({"PATH": ""})
    with pytest.raises(UserError, match="no GVSOC is installed here"):
        gvsoc.fingerprint(str(tmp_path / "bin" / "gvsoc"), tmp_path / "digests.json")


def test_built_for_another_target(installation: Installation) -> None:
    (installation.home / "generators" / "pulp-open.py").unlink()
    with pytest.raises(GvsocError, match="built without pulp-open"):
        find_installation({"GVSOC_HOME": str(installation.home)})


# --- preparing it


def test_prepared_once_until_a_file_changes(installation: Installation) -> None:
    first, second = prepared(installation), prepared(installation)
    assert first == second
    assert (installation.home / "calls").read_text() == "prepare\n"
    write(installation.home / "models" / "mem" / "ory.so", "another memory")
    assert prepared(installation).fingerprint != first.fingerprint
    assert (installation.home / "calls").read_text() == "prepare\n" * 2


def test_a_damaged_configuration_is_prepared_again(installation: Installation) -> None:
    before = prepared(installation).configuration.read_bytes()
    prepared(installation).configuration.write_text("{}")
    assert prepared(installation).configuration.read_bytes() == before


def test_a_model_that_is_not_used_does_not_count(installation: Installation) -> None:
    before = prepared(installation).fingerprint
    write(installation.home / "models" / "unused.so", "rebuilt")
    assert prepared(installation).fingerprint == before


def test_the_place_of_the_installation_does_not_count(installation: Installation) -> None:
    before = prepared(installation)
    assert str(installation.home) not in before.configuration.read_text()
    rom = load_configuration(before)["target"]["chip"]["soc"]["loader"]["rom"]
    assert rom == f"{installation.home}/rom"
    moved = Installation(installation.home.rename(installation.home.with_name("elsewhere")))
    assert prepared(moved).fingerprint == before.fingerprint


def test_version_is_the_commit_of_the_checkout_else_the_fingerprint(
    installation: Installation,
) -> None:
    ready = prepared(installation)
    assert ready.version == f"files {ready.fingerprint[:12]}"


def test_a_missing_model_is_named(installation: Installation) -> None:
    (installation.home / "models" / "mem" / "ory.so").unlink()
    with pytest.raises(GvsocError, match=r"ory\.so: pulp-open needs this file"):
        prepared(installation)


def test_a_script_that_fails_is_quoted(installation: Installation, tmp_path: Path) -> None:
    text = f"#!{sys.executable}\nimport missing_package\n"
    write(installation.home / "bin" / "gvsoc", text, 0o755)
    expected = r"No module named 'missing_package' \(GVSOC's Python packages"
    with pytest.raises(GvsocError, match=expected):
        gvsoc.fingerprint(str(installation.script), tmp_path / "digests.json")


def test_gvsocs_own_interpreter_comes_first_in_path(installation: Installation) -> None:
    text = "#!/bin/sh\necho $PATH >&2\nexit 1\n"
    write(installation.home / "bin" / "gvsoc", text, 0o755)
    environment = {"PATH": "/usr/bin:/bin", "GVSOC_PYTHON": "/own/bin/python"}
    with pytest.raises(GvsocError, match="/own/bin:/usr/bin"):
        prepare(installation, installation.home.parent / "p", ProcessRegistry(), environment)


# --- configuring it


@pytest.mark.parametrize(("conflicts", "width"), [("off", -1), ("on", 2)])
def test_configuration_of_a_run(conflicts: str, width: int) -> None:
    original = document()
    settings = GvsocSettings(0x20000, conflicts)
    chip = configure(original, settings, Path("/a/b.elf"))["target"]["chip"]
    assert chip["soc"]["loader"]["binary"] == ["/a/b.elf"]
    banks = [chip["cluster"]["l1"][f"bank{index}"] for index in range(4)]
    assert [(bank["size"], bank["width_bits"]) for bank in banks] == [(0x8000, width)] * 4
    mappings = chip["cluster"]["l1"]["pe0_ico"]["mappings"]
    assert (mappings["l1"]["size"], mappings["l1_alias"]["size"]) == ("0x20000", "0x20000")
    assert mappings["dma"]["size"] == "0x400"
    assert chip["cluster"]["cluster_ico"]["mappings"]["l1"]["size"] == "0x20000"
    assert original == document()


def test_addresses_behind_l1_lead_nowhere() -> None:
    def behind(l1_bytes: int) -> list[tuple[str, str]]:
        settings = GvsocSettings(l1_bytes, "off")
        chip = configure(document(), settings, Path("/a"))["target"]["chip"]
        mappings = chip["cluster"]["cluster_ico"]["mappings"]
        found = [value for name, value in mappings.items() if name.startswith("behind")]
        return [(mapping["base"], mapping["size"]) for mapping in found]

    assert behind(0x20000) == [("0x10020000", "0xe0000"), ("0x10120000", "0xe0000")]
    assert behind(0x100000) == []


@pytest.mark.parametrize(
    "path",
    [
        ("cluster", "l1", "bank2"),
        ("cluster", "l1", "bank2", "width_bits"),
        ("cluster", "l1", "pe0_ico", "mappings", "l1"),
        ("cluster", "cluster_ico"),
        ("soc", "loader"),
    ],
)
def test_an_unknown_configuration_is_refused(path: tuple[str, ...]) -> None:
    strange = document()
    at = strange["target"]["chip"]
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    with pytest.raises(GvsocError, match="configuration of pulp-open is unknown"):
        configure(strange, SETTINGS, Path("/a"))


def test_settings() -> None:
    settings = GvsocSettings.from_options({"l1_bytes": 131072, "bank_conflicts": "on"})
    assert str(settings) == "pulp-open, L1 128 KB, bank conflicts on"
    assert GvsocSettings.from_options({}, l1_used=0x1C000) == GvsocSettings(0x20000, "off")
    smaller = GvsocSettings.from_options({"l1_bytes": "65536"}, l1_used=0x1C000)
    assert smaller == GvsocSettings(0x10000, "off")  # cells that do not fit are not planned
    with pytest.raises(GvsocError, match=r"'bank_conflict'.*bank_conflicts"):
        GvsocSettings.from_options({"bank_conflict": "on"})
    with pytest.raises(GvsocError, match="bank_conflicts: found 'maybe', allowed on, off"):
        GvsocSettings(131072, "maybe")
    with pytest.raises(
        GvsocError, match="l1_bytes: found 100000, allowed a power of two up to 1048576"
    ):
        GvsocSettings(100000, "on")


# --- the console


def test_console_is_split_into_records_and_log() -> None:
    frames = [frame(b"abc"), frame(b"TSRC inside"), frame(b"")]
    text = [b"", b"one\n", b"two\n", b"three\n"]
    mixed = b"".join(word + part for word, part in zip(text, [*frames, b""], strict=True))
    assert split_console(mixed) == (b"".join(frames), b"one\ntwo\nthree\n")


@pytest.mark.parametrize("kept", [3, 17, 39, 41])
def test_a_record_that_is_cut_short_stays_in_the_stream(kept: int) -> None:
    cut = frame(b"abc")[:kept]
    expected = (cut, b"hello") if kept >= 4 else (b"", b"hello" + cut)
    assert split_console(b"hello" + cut) == expected


def test_an_empty_console() -> None:
    assert split_console(b"") == (b"", b"")


# --- running it


def test_a_run_that_completes(installation: Installation) -> None:
    records = [frame(b"x" * 100_000), frame(b"end", 4)]
    image = OPEN + f"os.write(log, b'note\\n')\nos.write(stream, {records[0]!r})\n"
    image += f"os.write(log, b'more\\n')\nos.write(stream, {records[1]!r})\nprint('from gvsoc')"
    ran = run(installation, image)
    assert (ran.status, ran.reason) == (RunStatus.COMPLETED, "")
    assert ran.stream == b"".join(records)
    assert ran.log == "note\nmore\nfrom gvsoc\n"
    assert (ran.counter_reads, ran.instructions) == (None, None)


def test_the_launcher_sees_its_libraries_and_the_settings(installation: Installation) -> None:
    image = OPEN + "import os\nassert os.environ['LD_LIBRARY_PATH'].endswith('install/lib')\n"
    image += "assert config['target']['chip']['cluster']['l1']['bank0']['size'] == 0x8000\n"
    ran = run(installation, image + "os.write(stream, b'TSRC')")
    assert ran.status is RunStatus.COMPLETED, ran.log


@pytest.mark.parametrize(("image", "log"), [(OPEN + "os.write(log, b'note')", "note"), ("", "")])
def test_nothing_written_is_no_output(installation: Installation, image: str, log: str) -> None:
    ran = run(installation, image)
    assert (ran.status, ran.log) == (RunStatus.NO_OUTPUT, log)


def test_a_hang_is_killed_with_all_its_children(installation: Installation) -> None:
    alive = installation.home.parent / "alive"
    image = f"import subprocess, time\nsubprocess.Popen(['sh', '-c', 'sleep 3; touch {alive}'])\n"
    began = time.monotonic()
    ran = run(installation, OPEN + image + "time.sleep(60)", Limits(1000, 0.5))
    assert ran.status is RunStatus.TIMEOUT
    assert "wall limit of 0.5 s reached" in ran.reason
    assert time.monotonic() - began < 3
    time.sleep(max(0.0, began + 4 - time.monotonic()))
    assert not alive.exists()


def test_a_signal_and_an_exit_code(installation: Installation) -> None:
    ran = run(installation, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert (ran.status, ran.reason) == (RunStatus.CRASH, "the simulator was killed by signal 11")
    result = ProcessResult(102, False, False, "")
    assert interpret(result, b"", LIMITS).reason == "the firmware exited with 102"


def test_an_installation_that_changed_for_the_worse_is_a_crash(
    installation: Installation,
) -> None:
    (installation.home / "models" / "mem" / "ory.so").unlink()
    ran = run(installation, "")
    assert ran.status is RunStatus.CRASH
    assert "ory.so: pulp-open needs this file" in ran.reason


# --- as the graph uses it


def test_settings_of_a_target() -> None:
    regions = {"code": (0x1C010000, 0x40000), "data": (0x10000000, 0x4800)}
    regions["arena"] = (0x10004800, 0x10000)
    memory = {name: {"origin": at, "bytes": size} for name, (at, size) in regions.items()}
    target = {"name": "gap9", "memory": memory}
    assert gvsoc.settings(target) == {"l1_used": 0x14800}
    del memory["data"], memory["arena"]
    with pytest.raises(UserError, match="target gap9 has no memory in L1"):
        gvsoc.settings(target)


def test_made_from_its_program(installation: Installation) -> None:
    settings = {"options": {"l1_bytes": 0x20000, "bank_conflicts": "off"}, "l1_used": 0x14800}
    made = gvsoc.make("gvsoc", settings, [installation.script, Path("build")])
    assert made == GvsocSimulator("gvsoc", installation, SETTINGS, Path("build/gvsoc"))


def test_fingerprint_is_prepared_once(installation: Installation, tmp_path: Path) -> None:
    memory = tmp_path / "digests.json"
    assert gvsoc.clock(tmp_path).endswith("version unknown; no silicon")
    found = {gvsoc.fingerprint(str(installation.script), memory) for _ in range(2)}
    assert f"version files {found.copy().pop()[:12]};" in gvsoc.clock(tmp_path)
    assert found == {prepared(installation).fingerprint}
    assert (installation.home / "calls").read_text() == "prepare\n" * 2


# --- what GVSOC says when something is wrong


def complaint(component: str, text: str) -> SimulatorRun:
    line = f"3115686: 224: [\x1b[31m{component}      \x1b[0m] {text}\n"
    return interpret(ProcessResult(1, False, False, "before\n" + line), b"", LIMITS)


def test_a_bad_access_is_a_fault_with_core_pc_and_address() -> None:
    text = "Invalid access (pc: 0x1c010070, offset: 0x30000000, size: 0x4, is_write: 0)"
    ran = complaint("/chip/cluster/pe3/lsu", text)
    assert (ran.status, ran.reason) == (RunStatus.CRASH, f"/chip/cluster/pe3/lsu: {text}")
    assert ran.fault is not None
    assert (ran.fault.kind, ran.fault.core) == ("memory-access", 3)
    assert (ran.fault.pc, ran.fault.address) == (0x1C010070, 0x30000000)


def test_a_bad_fetch_is_a_fault() -> None:
    ran = complaint("/chip/soc/fc/prefetcher", "Invalid fetch request (addr: 0x40, size: 0x10)")
    assert ran.fault is not None
    assert (ran.fault.kind, ran.fault.core, ran.fault.pc) == ("instruction-fetch", 8, 0x40)


def test_any_other_complaint_is_quoted() -> None:
    ran = complaint("/chip/cluster/pe0/syscalls", "Unknown ebreak call (id: 32)")
    assert ran.reason == "/chip/cluster/pe0/syscalls: Unknown ebreak call (id: 32)"
    assert ran.fault is None


def test_a_trap_that_the_firmware_reports_is_a_fault() -> None:
    log = b"trap: hart 0x00000005, mcause 0x0000000b, pc 0x1c01006c\n"
    ran = interpret(ProcessResult(101, False, False, ""), frame(b"") + log, LIMITS)
    assert ran.reason == "trap on core 5, pc 0x1c01006c (mcause 0xb)"
    assert ran.fault is not None
    assert (ran.fault.kind, ran.fault.core, ran.fault.pc) == ("trap", 5, 0x1C01006C)


def test_an_interrupt_wins() -> None:
    ran = interpret(ProcessResult(0, False, True, ""), frame(b""), LIMITS)
    assert (ran.status, ran.reason) == (RunStatus.CRASH, "interrupted")

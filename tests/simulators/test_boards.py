# SPDX-License-Identifier: Apache-2.0
"""The boards of a machine, on scripts that stand for them: each does one run at a time."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from installed import CONFIG, QEMU, needs
from test_command import BOARD, CELLS, STREAM, say

from tests.e2e.project import Project
from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.simulators import boards, command
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun

LINE = "{{name: {}, target: stm32l4, words: {{probe: '{}'}}}}"
# Fails where it is run a second time before it has ended: two runs on one board.
SCRIPT = """#!{python}
import os, sys, time
own = os.path.join({folder!r}, sys.argv[1])
os.mkdir(own)
time.sleep(0.2)
os.rmdir(own)
with open(own + ".runs", "a") as file:
    file.write("x")
{ending}
"""


def write_map(folder: Path, *lines: str) -> Path:
    path = folder / "boards.yaml"
    path.write_text("schema: 1\nboards:\n" + "".join(f"  - {line}\n" for line in lines))
    return path


def simulator(folder: Path, ending: str = "") -> command.CommandSimulator:
    script = folder / "board"
    script.write_text(
        SCRIPT.format(python=sys.executable, folder=str(folder), ending=ending or say(STREAM))
    )
    script.chmod(0o755)
    line = f"'{script}' {{probe}} {{elf}} {{other}}"
    settings = {"line": line, "target": "stm32l4", "options": {}}
    return command.make("command", settings, [])


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two boards of stm32l4, and one of another target."""
    names = [LINE.format(name, f"{tmp_path.name}-{name}") for name in ("left", "right")]
    names.append(LINE.format("third", f"{tmp_path.name}-third").replace("stm32l4", "stm32h7"))
    monkeypatch.setenv(boards.VARIABLE, str(write_map(tmp_path, *names)))
    return tmp_path


def test_a_board_does_one_run_at_a_time(two: Path) -> None:
    driver = simulator(two)
    runs: list[SimulatorRun] = []

    def run(number: int) -> None:
        folder = two / f"run{number}"
        folder.mkdir()
        # The wall limit is of the run, not of waiting for a board.
        limits = Limits(1_000_000, wall_seconds=3)
        runs.append(driver.run(b"image", limits, folder, ProcessRegistry()))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ran.status for ran in runs] == [RunStatus.COMPLETED] * 8, runs
    assert {ran.log for ran in runs} == {""}
    used = [len((two / f"{two.name}-{name}.runs").read_text()) for name in ("left", "right")]
    assert sum(used) == 8
    assert min(used) > 0
    assert not (two / f"{two.name}-third.runs").exists()


def test_which_board_it_was_is_said_where_a_run_fails(two: Path) -> None:
    (two / "run").mkdir()
    driver = simulator(two, "sys.exit(3)")
    ran = driver.run(b"image", Limits(1, 10), two / "run", ProcessRegistry())
    assert (ran.status, ran.reason) == (RunStatus.CRASH, "the command ended with status 3")
    assert ran.log == "board left\n"


def test_an_interrupt_ends_the_waiting(two: Path) -> None:
    found = boards.boards_of("stm32l4")
    registry = ProcessRegistry()
    with (
        boards.free_board(found, registry) as first,
        boards.free_board(found, registry) as second,
    ):
        assert first is not None and second is not None
        assert {first.name, second.name} == {"left", "right"}
        registry.interrupt()
        with boards.free_board(found, registry) as third:
            assert third is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((LINE.format("a", "1"), LINE.format("a", "2")), "boards[1]: found 'a' with the name or"),
        ((LINE.format("a", "1"), LINE.format("b", "1")), "boards[1]: found 'b' with the name or"),
        (
            (LINE.format("a", "1"), LINE.format("b", "2").replace("probe", "uid")),
            "boards[1].words: found uid, allowed those of 'a': probe",
        ),
        ((LINE.format("a", "1").replace("probe", "elf"),), "boards[0].words"),
        ((LINE.format("a", "1").replace("target", "targets"),), "did you mean target?"),
        ((LINE.format("a", "1").replace("l4", "h7"),), "found no board of stm32l4, allowed one"),
    ],
)
def test_wrong_maps_are_one_line(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    environment = {boards.VARIABLE: str(write_map(tmp_path, *lines))}
    with pytest.raises(UserError) as caught:
        boards.boards_of("stm32l4", environment)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_and_no_word(two: Path) -> None:
    with pytest.raises(UserError, match="no/such/file"):
        boards.boards_of("stm32l4", {boards.VARIABLE: "no/such/file"})
    with pytest.raises(UserError, match=r"word in braces: found 'prob', .* did you mean probe"):
        command.settings({"name": "stm32l4", "command": "run {elf} {prob}"})


@needs(QEMU)
def test_cells_run_on_the_boards(checkout: Project, two: Path) -> None:
    """The whole command; a name stands for what would be a probe's number."""
    line = BOARD.replace("-kernel", "-name {probe} -kernel")
    variables = {boards.VARIABLE: str(two / "boards.yaml")}
    ended = checkout.run("-j3", "sim=command", line, *CELLS, config=CONFIG, **variables)
    assert ended.status == 0, ended.output + ended.error
    assert set(ended.statuses.values()) == {"PASS"}
    wrong = checkout.run(
        "sim=command", line.replace("probe", "prob"), *CELLS, config=CONFIG, **variables
    )
    assert wrong.status == 2
    assert wrong.error.count("\n") == 1
    assert "did you mean probe?" in wrong.error

# SPDX-License-Identifier: Apache-2.0
"""The workflow file does what it says: its commands are run here, job by job, on a tiny matrix.

What GitHub's own actions do is stood in for: artifacts are folders, outputs are files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from project import CELLS, CONFIG, ROOT, SECONDS, Project, environment_of

from touchstone.ci.costs import START_WORK
from touchstone.runfile import read_run

WORKFLOW = ROOT / ".github" / "workflows" / "touchstone.yml"
SELECTION = f"config={CONFIG}"


@pytest.fixture(scope="module")
def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


class Runner:
    """Runs the steps of jobs in a project, whose `./scons` is SCons as the tests have it."""

    def __init__(self, workflow: Any, project: Project) -> None:
        self.jobs = workflow["jobs"]
        self.project = project
        self.artifacts = project.path("shards")
        self.output = project.folder.parent / "output.txt"
        self.summary = project.folder.parent / "summary.md"
        script = f'#!/bin/sh\nexec "{sys.executable}" -m SCons -Q "$@"\n'
        project.path("scons").write_text(script)
        project.path("scons").chmod(0o755)
        self.environment = environment_of(
            {
                **{name: str(value) for name, value in workflow["env"].items()},
                "SELECTION": SELECTION,
                "SHARDS": "2",
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
            }
        )

    def job(self, name: str, values: Mapping[str, str]) -> int:
        """All steps as GitHub runs them: after a failure only those that say always()."""
        status = 0
        for step in self.jobs[name]["steps"]:
            if status and step.get("if") != "always()":
                continue
            if "run" in step:
                status = status or self._run(_filled(step["run"], values))
            elif step["uses"].startswith("actions/upload-artifact@"):
                self._upload(_filled(step["with"]["name"], values), step["with"]["path"])
        return status

    def _run(self, script: str) -> int:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        ended = subprocess.run(
            command, cwd=self.project.folder, env=self.environment, timeout=SECONDS
        )
        return ended.returncode

    def _upload(self, name: str, path: str) -> None:
        shutil.copytree(self.project.path(path), self.artifacts / name, dirs_exist_ok=True)

    def matrix(self) -> list[dict[str, str]]:
        """What the plan's output makes of `strategy.matrix`."""
        assert self.job("plan", {}) == 0
        name, _, value = self.output.read_text().strip().partition("=")
        assert name == "matrix"
        entries: list[dict[str, str]] = json.loads(value)["include"]
        return entries


def _filled(text: str, values: Mapping[str, str]) -> str:
    filled = re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda match: values[match[1]], text)
    assert "${{" not in filled
    return filled


def values_of(entry: Mapping[str, str]) -> dict[str, str]:
    return {"matrix.shard": entry["shard"], "matrix.name": entry["name"]}


TESTED = {"needs.tests.result": "success"}


@pytest.fixture
def runner(workflow: Any, project: Project) -> Runner:
    return Runner(workflow, project)


def test_one_job_answers_for_all(workflow: Any) -> None:
    jobs = workflow["jobs"]
    assert set(jobs["verdict"]["needs"]) == set(jobs) - {"verdict"}
    assert jobs["verdict"]["if"] == "always()"
    assert jobs["cells"]["strategy"]["fail-fast"] is False
    assert all("timeout-minutes" in job for job in jobs.values())


def test_all_shards_pass(runner: Runner) -> None:
    entries = runner.matrix()
    assert [entry["shard"] for entry in entries] == ["1/2", "2/2"]
    for entry in entries:
        assert runner.job("cells", values_of(entry)) == 0
    assert sorted(os.listdir(runner.artifacts)) == ["shard-1-of-2", "shard-2-of-2"]
    assert runner.job("verdict", TESTED) == 0
    document = json.loads((runner.artifacts / "report" / "results.json").read_text())
    assert {row["id"]: row["status"] for row in document["cells"]} == dict.fromkeys(CELLS, "PASS")
    titles = [line for line in runner.summary.read_text().splitlines() if line.startswith("## ")]
    assert titles == [
        "## Touchstone shard 1/2: passed",
        "## Touchstone shard 2/2: passed",
        "## Touchstone: passed",
    ]


def test_a_shard_that_never_came(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    first, _ = runner.matrix()
    assert runner.job("cells", values_of(first)) == 0
    assert runner.job("verdict", TESTED) != 0
    assert "merge: found 1 of 2 shards; missing: 2/2" in capfd.readouterr().err


def test_a_shard_that_failed_still_delivers(runner: Runner) -> None:
    runner.project.replace("kernels/gelu/portable.c", "[i] = ", "[i] = 1 + ")
    statuses = {runner.job("cells", values_of(entry)) == 0 for entry in runner.matrix()}
    assert False in statuses
    assert runner.job("verdict", TESTED) != 0
    document = json.loads((runner.artifacts / "report" / "results.json").read_text())
    assert document["summary"]["FAIL"] == 2


def test_tests_that_failed_fail_the_verdict(runner: Runner) -> None:
    for entry in runner.matrix():
        assert runner.job("cells", values_of(entry)) == 0
    assert runner.job("verdict", {"needs.tests.result": "failure"}) != 0


def test_costs_are_recorded_by_a_command(project: Project) -> None:
    """Instructions of the cells' runs, beside what was recorded before; the same each time."""
    record = project.path("configs/costs.json")
    before = json.loads(record.read_text())["instructions"]
    ended = project.run("costs", "kernel=gelu")
    assert ended.status == 0, ended.output + ended.error
    assert "configs/costs.json: 2 of 2 cells recorded" in ended.output
    first = record.read_bytes()
    after = json.loads(first)["instructions"]
    gelus = {cell for cell in CELLS if "/gelu/" in cell}
    assert after.keys() == before.keys() | gelus
    for cell in gelus:
        assert after[cell] == read_run(project.cell(cell, "cell.run")).instructions_total > 0
    assert project.run("costs", "kernel=gelu").status == 0
    assert record.read_bytes() == first
    listed = json.loads(project.run("list", "format=json", "kernel=gelu").output)
    assert {c["id"]: c["cost"] for c in listed["cells"]} == {
        c: after[c] + START_WORK for c in gelus
    }

# SPDX-License-Identifier: Apache-2.0
"""What the README tells a newcomer to do, done as it says: its files, its commands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from project import ROOT, Project

README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = re.compile(r"^`(?P<name>[^`\n]+)`:\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text of one section."""
    start = README.index(f"\n## {title}\n")
    end = README.find("\n## ", start + 1)
    return README[start:end]


def test_the_kernel_of_the_readme_passes_everywhere(project: Project) -> None:
    files = dict(FILES.findall(section("Add a kernel")))
    assert set(files) == {
        "kernels/relu/kernel.yaml",
        "kernels/relu/relu.h",
        "kernels/relu/job.c",
        "kernels/relu/portable.c",
        "golden/relu.py",
    }
    for name, text in files.items():
        project.path(name).parent.mkdir(exist_ok=True)
        project.path(name).write_text(text, encoding="utf-8")
    ended = project.run("kernel=relu", "S=4,7", "E=5", "P=3", "H=2", config=None)
    assert ended.status == 0, ended.output + ended.error
    assert {name.split("/")[0] for name in ended.cells} == {"gap9", "stm32l4", "stm32h7"}
    assert set(ended.statuses.values()) == {"PASS"} and len(ended.cells) == 6


def test_the_target_of_the_readme_builds_and_says_what_does_not_fit(project: Project) -> None:
    script = re.search(r"```sh\n(.*?)```", section("Add a target"), re.DOTALL)
    assert script is not None
    *steps, command = script[1].strip().splitlines()
    assert command == "./scons target=stm32g4 kernel=fwsa"
    subprocess.run(["sh", "-e"], input="\n".join(steps), text=True, cwd=project.folder, check=True)
    ended = project.run("target=stm32g4", "kernel=fwsa", "S=4", config=None)
    assert ended.status == 0, ended.output + ended.error
    assert set(ended.statuses.values()) == {"PASS"}
    too_big = project.run("target=stm32g4", "kernel=fwsa", "S=128", "E=64", "H=16", config=None)
    (row,) = too_big.cells.values()
    assert too_big.status != 0 and row["status"] == "SKIP"
    assert re.search(r"arena memory of stm32g4 has 114688 bytes, needed \d+", row["reason"])


def test_files_and_folders_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"`((?:configs|site_scons|tests|build/env|docs)/[\w./-]+)`", README))
    assert len(named) >= 5
    missing = [name for name in named if not name.startswith("build/") and not exists(name)]
    assert missing == []


def exists(name: str) -> bool:
    """Whether the checkout has it."""
    return Path(ROOT, name).exists()

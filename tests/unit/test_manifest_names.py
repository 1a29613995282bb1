# SPDX-License-Identifier: Apache-2.0
"""A name in a kernel.yaml that stands for nothing is one line, whatever would have become of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.manifest import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "kernels/fwsa/kernel.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What manifests name: kernels, targets and golden models of this checkout."""
    project = tmp_path_factory.mktemp("names")
    for folder in ("kernels", "targets", "golden"):
        shutil.copytree(ROOT / folder, project / folder)
    return project


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("header: fwsa.h", "header: fws.h", "header: found 'fws.h', .* did you mean fwsa.h"),
        ("glue: job.c", "glue: jobb.c", "glue: found 'jobb.c', .* did you mean job.c"),
        ("check: check.c", "check: chek.c", "check: found 'chek.c', .* did you mean check.c"),
        ("golden: fwsa", "golden: fwsaa", "golden: found 'fwsaa', .* did you mean fwsa"),
        ("{weight: panels4,", "{wight: panels4,", "layouts.panels4: found 'wight', .* mean weight"),
        (": reversed_bytes", ": eversed_bytes", "softmax_table: .*did you mean reversed_bytes"),
        ("[cortexm7.c]", "[cortexm8.c]", r"variants.cortexm7.sources: .*did you mean cortexm7.c"),
        ("softmax_exact]", "sftmax_exact]", "variants.xpulp.generated: .*mean xpulp_softmax_exact"),
        ("softmax.cortexm4]", "sotmax.cortexm4]", "cortexm4.uses: .*did you mean softmax"),
        ("softmax.cortexm4]", "softmax.cortexm5]", "cortexm4.uses: .*allowed softmax.armv7em"),
    ],
)
def test_one_line(project: Path, before: str, after: str, message: str) -> None:
    manifest = project / MANIFEST
    text = (ROOT / MANIFEST).read_text(encoding="utf-8")
    assert text.count(before) == 1
    manifest.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(UserError, match=f"^{MANIFEST}: .*{message}"):
        load_catalogue(project, project / "build/cache")


def test_names_that_exist(project: Path) -> None:
    shutil.copy(ROOT / MANIFEST, project / MANIFEST)
    assert "fwsa" in load_catalogue(project, project / "build/cache").kernels

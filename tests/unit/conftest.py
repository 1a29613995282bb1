# SPDX-License-Identifier: Apache-2.0
"""This checkout's manifests and its default matrix, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.config import Matrix, load_matrix
from touchstone.graph import COMMON_SOURCES, CellPlan, plan_graph
from touchstone.manifest import Catalogue, load_catalogue
from touchstone.plan import PlannedCell, plan_cells
from touchstone.request import parse_request

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load_catalogue(ROOT, tmp_path_factory.mktemp("yaml"))


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return load_matrix(ROOT / "configs" / "default.yaml", tmp_path_factory.mktemp("yaml"))


@pytest.fixture(scope="session")
def default_cells(catalogue: Catalogue, matrix: Matrix) -> list[PlannedCell]:
    """The default matrix."""
    return plan_cells(catalogue, matrix, parse_request({}))


@pytest.fixture(scope="session")
def default_plans(catalogue: Catalogue, default_cells: list[PlannedCell]) -> list[CellPlan]:
    """Its graph."""
    return plan_graph(catalogue, default_cells, (f"{COMMON_SOURCES}/main.c",))

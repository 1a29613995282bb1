# SPDX-License-Identifier: Apache-2.0
"""The words of the command line, checked before anything is planned."""

from __future__ import annotations

import pytest

from touchstone.errors import UserError
from touchstone.request import VARIABLES, Request, help_text, parse_request


def test_nothing_said() -> None:
    assert parse_request({}) == Request()


def test_everything_said() -> None:
    request = parse_request(
        {
            "target": "gap9, stm32l4",
            "kernel": "linear_*",
            "variant": "all",
            "S": "16,32,16",
            "H": "8",
            "cores": "1,8",
            "config": "a b.yaml",
            "seed": "0",
            "sim": "xpulp",
            "toolchain": "llvm",
            "cflags": "-O1  -DX=1",
            "dump": "1",
            "verbose": "0",
        }
    )
    assert request.target == ("gap9", "stm32l4")
    assert request.kernel == ("linear_*",)
    assert request.variant == ("all",)
    assert request.dimensions == {"S": (16, 32), "H": (8,)}
    assert request.cores == (1, 8)
    assert request.config == "a b.yaml"
    assert request.seed == 0
    assert (request.sim, request.toolchain) == ("xpulp", "llvm")
    assert request.cflags == ("-O1", "-DX=1")
    assert (request.dump, request.verbose) == (True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("S", "0"),
        ("S", "65536"),
        ("E", "1_000"),
        ("P", " "),
        ("H", "-1"),
        ("F", "+3"),
        ("S", "0x10"),
        ("S", "٣"),
        ("S", "³"),
        ("S", "1" * 5000),
        ("cores", "1025"),
        ("seed", "-1"),
        ("seed", str(2**63)),
        ("seed", "1,2"),
        ("target", ",gap9"),
        ("kernel", ""),
        ("config", " "),
        ("sim", ""),
        ("dump", "2"),
        ("verbose", "true"),
    ],
)
def test_bad_values(name: str, value: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_request({name: value})
    text = str(caught.value)
    assert text.startswith(f"{name}=")
    assert "allowed" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("slip", "meant"), [("kernal", "kernel"), ("targets", "target"), ("core", "cores"), ("s", "S")]
)
def test_unknown_variable(slip: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"did you mean {meant}\\?"):
        parse_request({slip: "1"})


def test_bounds_themselves() -> None:
    assert parse_request({"S": "1,65535"}).dimensions == {"S": (1, 65535)}
    assert parse_request({"seed": str(2**63 - 1)}).seed == 2**63 - 1


def test_help_names_every_variable() -> None:
    lines = [line.split() for line in help_text().splitlines()]
    assert set(VARIABLES) <= {words[0] for words in lines if words}

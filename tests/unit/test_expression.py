# SPDX-License-Identifier: Apache-2.0
"""Whole-number expressions of the manifests."""

import pytest

from touchstone.errors import UserError
from touchstone.expression import MAX_LENGTH, evaluate, names_in

VALUES = {"S": 81, "E": 32, "P": 3, "H": 8, "F": 128, "cores": 4, "per_channel": 0}
WHERE = "kernel.yaml: macs"
ALLOWED = (
    "allowed an expression of whole numbers, names, + - * // %, comparisons, "
    "'a if c else b' and functions"
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (7, 7),
        ("0", 0),
        ("S*E*P*H", 81 * 32 * 3 * 8),
        ("4*S*E*P*H+2*H*S*S*P", 4 * 81 * 32 * 3 * 8 + 2 * 8 * 81 * 81 * 3),
        ("H*P if per_channel else 1", 1),
        ("1 if not per_channel and P < 4 <= H else 2", 1),
        ("align4(P) + align16(S)", 4 + 96),
        ("align4(8) + align16(16) + align4(0)", 24),
        ("ceil_div(S, 4)", 21),
        ("min(H, cores, 6) + max(S, E)", 85),
        ("-(S - 100) % 7 // 2", 2),
        ("S > 80", 1),
    ],
)
def test_values(text: str | int, value: int) -> None:
    result = evaluate(text, VALUES, WHERE)
    assert result == value
    assert type(result) is int


def test_values_follow_the_variables() -> None:
    assert evaluate("H*P if per_channel else 1", {**VALUES, "per_channel": 1}, WHERE) == 24
    assert evaluate("H*P if per_channel else 1", VALUES, WHERE) == 1


def test_names() -> None:
    assert names_in("min(S, align4(P)) if per_channel else 3") == {"S", "P", "per_channel"}
    assert names_in(5) == frozenset()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("S*", f"found 'S*', {ALLOWED}"),
        ("", f"found '', {ALLOWED}"),
        ("S; E", f"found 'S; E', {ALLOWED}"),
        ("S**E", f"found Pow in 'S**E', {ALLOWED.replace('an expression of ', '')}"),
        ("1 << S", f"found LShift in '1 << S', {ALLOWED.replace('an expression of ', '')}"),
        ("S/2", f"found Div in 'S/2', {ALLOWED.replace('an expression of ', '')}"),
        ("[S]", f"found List in '[S]', {ALLOWED.replace('an expression of ', '')}"),
        ("1.5*S", "found 1.5 in '1.5*S', allowed whole numbers"),
        ("True", "found True in 'True', allowed whole numbers"),
        ("'a'*S", "found 'a' in \"'a'*S\", allowed whole numbers"),
        (
            "core*S",
            "name in 'core*S': found 'core', allowed E, F, H, P, S, cores, heads, order, "
            "per_channel, tile; did you mean cores?",
        ),
        (
            "aling4(S)",
            "function in 'aling4(S)': found 'aling4', allowed align16, align4, ceil_div, max, min; "
            "did you mean align4?",
        ),
        (
            "S.bit_length()",
            "function in 'S.bit_length()': found 'S.bit_length', allowed align16, align4, "
            "ceil_div, max, min",
        ),
        ("min(S)", "found 'min(S)', allowed 2 to 8 arguments"),
        ("ceil_div(S)", "found 'ceil_div(S)', allowed 2 arguments"),
        ("min(S, E, key=P)", None),
        ("S//(P-3)", "found a division by zero in 'S//(P-3)'"),
        ("S%0", "found a division by zero in 'S%0'"),
        ("P-S", "found the value -78 of 'P-S', allowed 0 to 9007199254740991"),
        (
            "999999*999999*999999",
            "found the value 999997000002999999 of '999999*999999*999999', "
            "allowed 0 to 9007199254740991",
        ),
        ("S+" * MAX_LENGTH + "1", f"found {2 * MAX_LENGTH + 1} characters, allowed at most 400"),
        ("(" * 300 + "S" + ")" * 90, None),
        ("-" * 399 + "1", None),
    ],
)
def test_bad_expressions_are_one_line(text: str, problem: str | None) -> None:
    with pytest.raises(UserError) as caught:
        evaluate(text, VALUES, WHERE)
    line = str(caught.value)
    assert line.startswith(f"{WHERE}: ")
    assert "\n" not in line
    if problem is not None:
        assert line == f"{WHERE}: {problem}"


def test_a_name_without_a_value() -> None:
    with pytest.raises(UserError) as caught:
        evaluate("S*F", {"S": 1}, WHERE)
    assert str(caught.value) == f"{WHERE}: found 'F' without a value in 'S*F'"

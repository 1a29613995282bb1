# SPDX-License-Identifier: Apache-2.0
"""Whole-number expressions of the manifests, such as `H*P if per_channel else 1`.

Python's syntax cut down to numbers, names, + - * // %, comparisons, and/or/not,
`a if c else b` and the functions of `FUNCTIONS`. There are no powers and no shifts, so a
value is never longer than the text that made it allows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import CodeType

from touchstone.errors import UserError, unknown

VARIABLES = ("S", "E", "P", "H", "F", "cores", "per_channel", "tile", "heads", "order")
MAX_LENGTH = 400
MAX_VALUE = (1 << 53) - 1
"""The largest value that a result may have: what JSON readers hold exactly."""


def align(value: int, multiple: int) -> int:
    """`value` rounded up to a multiple."""
    return -(-value // multiple) * multiple


def ceil_div(dividend: int, divisor: int) -> int:
    """The quotient rounded up."""
    return -(-dividend // divisor)


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "min": min,
    "max": max,
    "align4": lambda value: align(value, 4),
    "align16": lambda value: align(value, 16),
    "ceil_div": ceil_div,
}
_ARGUMENTS = {"min": (2, 8), "max": (2, 8), "align4": (1, 1), "align16": (1, 1), "ceil_div": (2, 2)}
_NODES = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.BoolOp),
    *(ast.IfExp, ast.Compare, ast.Call, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod),
    *(ast.USub, ast.Not, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_ALLOWED = "whole numbers, names, + - * // %, comparisons, 'a if c else b' and functions"


class _RefusedError(Exception):
    """What is wrong with an expression, without the place where it stands."""


def evaluate(text: str | int, variables: Mapping[str, int], where: str) -> int:
    """The value of an expression, from 0 to `MAX_VALUE`.

    `where` is file and key, for messages. Besides `VARIABLES` the text may use what else has a
    value in `variables`. UserError where the text is no expression, where a name has no value,
    at a division by zero, and where the value is out of range.
    """
    code, _ = _compiled_at(text, where, _further(variables))
    try:
        value = int(eval(code, {"__builtins__": {}, **FUNCTIONS}, dict(variables)))
    except ZeroDivisionError:
        raise UserError(f"{where}: found a division by zero in {str(text)!r}") from None
    except NameError as error:
        raise UserError(f"{where}: found {error.name!r} without a value in {text!r}") from None
    if not 0 <= value <= MAX_VALUE:
        raise UserError(
            f"{where}: found the value {value} of {str(text)!r}, allowed 0 to {MAX_VALUE}"
        )
    return value


def evaluate_with_terms(
    text: str | int, terms: Mapping[str, str | int], variables: Mapping[str, int], where: str
) -> int:
    """The value of an expression that may use `terms`: named expressions, each of which may use
    those before it."""
    values = dict(variables)
    for name, term in terms.items():
        values[name] = evaluate(term, values, f"{where}.terms.{name}")
    return evaluate(text, values, where)


def names_in(
    text: str | int, where: str = "expression", terms: Iterable[str] = ()
) -> frozenset[str]:
    """The names whose values an expression may ask for, of `VARIABLES` and `terms`; UserError
    where it is none."""
    return _compiled_at(text, where, _further(terms))[1]


def _further(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in VARIABLES)


def _compiled_at(
    text: str | int, where: str, terms: tuple[str, ...]
) -> tuple[CodeType, frozenset[str]]:
    try:
        return _compiled(str(text), terms)
    except _RefusedError as problem:
        raise UserError(f"{where}: {problem}") from None


@lru_cache(maxsize=4096)
def _compiled(text: str, terms: tuple[str, ...]) -> tuple[CodeType, frozenset[str]]:
    if len(text) > MAX_LENGTH:
        raise _RefusedError(f"found {len(text)} characters, allowed at most {MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        names = _checked_names(tree, text, (*VARIABLES, *terms))
        return compile(tree, "<expression>", "eval"), names
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _RefusedError(f"found {text!r}, allowed an expression of {_ALLOWED}") from None


def _checked_names(tree: ast.Expression, text: str, known: tuple[str, ...]) -> frozenset[str]:
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise _RefusedError(f"found {type(node).__name__} in {text!r}, allowed {_ALLOWED}")
        if isinstance(node, ast.Constant) and type(node.value) is not int:
            raise _RefusedError(f"found {node.value!r} in {text!r}, allowed whole numbers")
        if isinstance(node, ast.Call):
            _check_call(node, text)
        if isinstance(node, ast.Name) and id(node) not in functions:
            if node.id not in known:
                raise _RefusedError(unknown(f"name in {text!r}", node.id, known))
            names.add(node.id)
    return frozenset(names)


def _check_call(call: ast.Call, text: str) -> None:
    name = call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)
    if name not in FUNCTIONS:
        raise _RefusedError(unknown(f"function in {text!r}", name, FUNCTIONS))
    low, high = _ARGUMENTS[name]
    if call.keywords or not low <= len(call.args) <= high:
        count = str(low) if low == high else f"{low} to {high}"
        raise _RefusedError(f"found {ast.unparse(call)!r}, allowed {count} arguments")

# SPDX-License-Identifier: Apache-2.0
"""Operators on the golden models' syntax trees.

Only what computes is changed: the argument checks (`if ...: raise`, `check_...`, `param`, `take`)
and the makers of inputs have tests of their own (tests/unit/test_golden_operations.py).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.RShift: ast.LShift,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
}
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
OPERATORS = ("arithmetic", "comparison", "constant", "sign", "arguments")
# Two axes to exchange; a value and a lower limit.
_COMMUTE = ("swapaxes", "clip")
_CHECKS = ("param", "take", "check_int32", "requant_of", "GoldenError")
_MAKERS = ("make_", "calibrate", "draw")


@dataclass(frozen=True)
class Edit:
    """One change of a module: which node of its tree (in the order of a walk), and how it reads."""

    module: str
    function: str
    node: int
    operator: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"golden/{self.module}.py {self.function}: {self.before} -> {self.after}"


def edits(module: str, source: str) -> list[Edit]:
    """Every change of the module, in the order of its source."""
    tree = ast.parse(source)
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    found = []
    for function in _functions(tree):
        for node in _computing(function):
            for operator, changed in _changes(node):
                before, after = ast.unparse(node), ast.unparse(changed)
                number = numbers[id(node)]
                found.append(Edit(module, function.name, number, operator, before, after))
    return found


def apply(edit: Edit, source: str) -> ast.Module:
    """The module's tree with the edit made."""
    tree = ast.parse(source)
    target = next(node for number, node in enumerate(ast.walk(tree)) if number == edit.node)
    changed = next(new for operator, new in _changes(target) if operator == edit.operator)

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.copy_location(changed, node) if node is target else self.generic_visit(node)

    Replace().visit(tree)
    return ast.fix_missing_locations(tree)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.lstrip("_").startswith(_MAKERS):
            yield node


def _computing(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's statements but for its checks, types and docstring."""
    todo: list[ast.AST] = list(reversed(function.body))
    while todo:
        node = todo.pop()
        if _checks(node):
            continue
        yield node
        skipped = {"annotation", "returns"}
        children = [
            child
            for name, value in ast.iter_fields(node)
            if name not in skipped
            for child in (value if isinstance(value, list) else [value])
            if isinstance(child, ast.AST)
        ]
        todo += reversed(children)


def _checks(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return any(isinstance(inner, ast.Raise) for inner in node.body)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        # What is checked is computed; its limits and name are not.
        return node.func.id in _CHECKS and node.func.id != "check_int32"
    return isinstance(node, ast.FunctionDef)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The changes of one node by operator."""
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        yield "arithmetic", _with(node, "op", _BINARY[type(node.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        yield "comparison", _with(node, "ops", [_COMPARED[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "constant", _with(node, "value", node.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node, ast.Call) and len(node.args) >= 2 and not _commutes(node):
        yield "arguments", _with(node, "args", [node.args[1], node.args[0], *node.args[2:]])


def _commutes(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _COMMUTE


def _with(node: ast.AST, name: str, value: object) -> ast.AST:
    changed = copy.copy(node)
    setattr(changed, name, value)
    return changed

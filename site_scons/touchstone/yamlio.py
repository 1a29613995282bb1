# SPDX-License-Identifier: Apache-2.0
"""YAML for files that people write: safe, strict, every error one line with file and line.

The scalars are those of YAML 1.2's core schema, so that `no` is a word and `010` is ten:
null, true and false, decimal and hexadecimal integers, decimal fractions; the rest is text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from touchstone.errors import UserError
from touchstone.textfile import read_text, shown

_SCALARS = (
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)


class _Loader(yaml.SafeLoader):
    """Text to plain values; what could surprise a reader is an error."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few lines of them can stand for gigabytes of values."""
        if self.check_event(yaml.AliasEvent):
            mark = self.get_mark()
            problem = "found an alias (*), allowed plain values only"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are text and occur once."""
        lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                problem = f"found the key {key!r}, allowed keys that are words"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            if key in lines:
                problem = f"found the key {key!r} again, allowed once (first in line {lines[key]})"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            lines[key] = line
        return super().construct_mapping(node, deep)

    def construct_decimal(self, node: yaml.ScalarNode) -> int:
        """An integer; a leading zero does not make it octal."""
        text = str(self.construct_scalar(node))
        return int(text, 16) if text.startswith("0x") else int(text)


# SafeLoader's own resolvers are YAML 1.1's; these take their place.
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(_pattern), ["" if c == "\0" else c for c in _first]
    )
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_decimal)


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file of at most 1 MiB."""
    return parse_yaml(read_text(path), shown(path))


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping in `text`; `name` is how messages call the file."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise UserError(_one_line(error, name)) from None
    except RecursionError:
        raise UserError(f"{name}: found values nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{name}: found {error}") from None
    if not isinstance(document, dict):
        found = "nothing" if document is None else type(document).__name__
        raise UserError(f"{name}: found {found}, allowed a mapping of keys to values")
    return document


def _one_line(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "broken YAML"
    if "'\\t'" in problem:
        problem = "found a tab, allowed spaces as indentation"
    elif "could not determine a constructor" in problem:
        problem = "found a tag (!), allowed plain values only"
    elif not problem.startswith("found"):
        problem = f"found broken YAML: {problem}"
    return f"{where}: {' '.join(problem.split())}"

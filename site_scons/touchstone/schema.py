# SPDX-License-Identifier: Apache-2.0
"""Documents checked against their JSON schema, and remembered once they are known to be right.

A schema's `description` is what a message offers as allowed, so it is written for the user.
A text with `format: expression` is an expression of `touchstone.expression`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically
from touchstone.textfile import read_text, shown

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

SCHEMAS = Path(__file__).resolve().parent / "schemas"
_TYPE_NAMES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def load_validated(path: Path, schema_name: str, cache: Path) -> dict[str, Any]:
    """The YAML mapping in `path`, valid by `schemas/<schema_name>.schema.json`.

    UserError with one line otherwise. `cache` is a folder: a document found valid before is
    read from there, by its content, without YAML or jsonschema being imported.
    """
    text = read_text(path)
    key = hashlib.sha256(f"{schema_name}\0{_rules_digest(schema_name)}\0{text}".encode())
    remembered = cache / f"{key.hexdigest()[:40]}.json"
    document = _recall(remembered)
    if document is None:
        # Imported here: most runs find every document remembered and need no YAML.
        from touchstone.yamlio import parse_yaml

        document = parse_yaml(text, shown(path))
        validate(document, schema_name, path)
        _remember(remembered, document)
    return document


def validate(document: Mapping[str, Any], schema_name: str, path: Path) -> None:
    """UserError with one line where `document`, read from `path`, is not what the schema wants."""
    errors = sorted(_validator(schema_name).iter_errors(document), key=_importance)
    if errors:
        raise UserError(_message(_most_telling(errors[0]), shown(path)))


def _importance(error: ValidationError) -> tuple[int, int, list[str]]:
    # What is misspelt explains what is missing: it comes first, and the outermost first.
    misspelt = error.validator in ("additionalProperties", "propertyNames")
    return (0 if misspelt else 1, len(error.absolute_path), [str(p) for p in error.absolute_path])


def _most_telling(error: ValidationError) -> ValidationError:
    """Of the branches of an anyOf, the error in the one that takes values of the found type."""
    if error.validator != "anyOf" or not error.context:
        return error
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    telling = [
        branch
        for branch in branches.values()
        if not any(e.validator == "type" and not e.relative_path for e in branch)
    ]
    inner = min(telling[0], key=_importance) if len(telling) == 1 else error
    # One of several words says less than what the anyOf allows as a whole.
    return error if inner is error or inner.validator == "enum" else _most_telling(inner)


def _message(error: ValidationError, file: str) -> str:
    where = f"{file}: {key_path(error.absolute_path) or 'top level'}"
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        extra = next(str(key) for key in instance if key not in known)
        return unknown(f"{where}: key", extra, known)
    if error.validator == "required":
        missing = next(key for key in schema["required"] if key not in instance)
        found = ", ".join(repr(key) for key in instance) or "none"
        return f"{where}: found keys {found}; {missing!r} is missing"
    if error.validator == "enum" and isinstance(instance, str):
        return unknown(where, instance, [str(value) for value in schema["enum"]])
    if error.validator == "format":
        return f"{where}: {error.cause or error.message}"
    return f"{where}: found {_found(instance)}, allowed {_allowed(schema)}"


def key_path(keys: Any) -> str:
    """How messages name a place in a document: `cells[0].shapes`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _allowed(schema: Mapping[str, Any]) -> str:
    if "description" in schema:
        return str(schema["description"])
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    types = schema.get("type", [])
    words = " or ".join(_TYPE_NAMES[t] for t in ([types] if isinstance(types, str) else types))
    return " ".join([words or "another value", *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    names = {"minimum": "of at least {}", "maximum": "of at most {}", "pattern": "matching {}"}
    names |= {"minItems": "of at least {} entries", "maxItems": "of at most {} entries"}
    names |= {"uniqueItems": "without repetition", "exclusiveMinimum": "above {}"}
    names |= {"minProperties": "of at least {} keys"}
    words = [text.format(schema[key]) for key, text in names.items() if key in schema]
    yield from [words[0], *(f"and {word}" for word in words[1:])] if words else []


@lru_cache(maxsize=16)
def _validator(schema_name: str) -> Validator:
    # Imported here: see load_validated.
    from jsonschema import Draft202012Validator, FormatChecker, validators

    from touchstone.expression import names_in

    def is_integer(_: Any, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def is_expression(value: object) -> bool:
        if isinstance(value, str):
            try:
                names_in(value, "")
            except UserError as error:
                raise ValueError(str(error).removeprefix(": ")) from None
        return True

    checker = FormatChecker(formats=())
    checker.checks("expression", raises=ValueError)(is_expression)
    # 4.0 is an integer to JSON schema; it is none to anybody who counts heads.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    strict: Any = validators.extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]
    schema = json.loads((SCHEMAS / f"{schema_name}.schema.json").read_bytes())
    validator: Validator = strict(schema, format_checker=checker)
    return validator


@lru_cache(maxsize=16)
def _rules_digest(schema_name: str) -> str:
    """Changes with everything that decides whether a document is valid and what it says."""
    here = Path(__file__).resolve().parent
    rules = [here / name for name in ("schema.py", "yamlio.py", "expression.py")]
    digest = hashlib.sha256()
    for path in [SCHEMAS / f"{schema_name}.schema.json", *rules]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _recall(path: Path) -> dict[str, Any] | None:
    """A remembered document; a damaged file counts as none."""
    try:
        digest, _, payload = path.read_text(encoding="ascii").partition("\n")
        if hashlib.sha256(payload.encode("ascii")).hexdigest() != digest:
            return None
        document = json.loads(payload)
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _remember(path: Path, document: Mapping[str, Any]) -> None:
    # The order of keys says something: the first toolchain of a target is the preferred one.
    payload = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(payload.encode("ascii")).hexdigest()
    try:
        write_atomically(path, f"{digest}\n{payload}".encode("ascii"))
    except OSError:
        # A read-only checkout only loses the shortcut.
        return

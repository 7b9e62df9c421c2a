"""Whether tests that papers name exist; nothing is run for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.shared_data import REPOSITORY


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests in a file, those of classes as ``Class::test``; nothing is run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(_named(tree.body, ""))


def _named(body: list[ast.stmt], inside: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield f"{inside}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _named(node.body, f"{node.name}::")


def missing(names: list[str]) -> list[str]:
    """Return those of some names, each ``path::test``, that are of no test."""
    found: list[str] = []
    for name in names:
        path, _, test = name.partition("::")
        file = REPOSITORY / path
        if not file.is_file() or test not in names_in(file):
            found.append(name)
    return found

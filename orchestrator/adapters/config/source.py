"""YAML files with the line of every value, and complaints that name file and line.

A duplicate key is refused: YAML would silently keep the last one, and a door or a waypoint would be gone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from orchestrator.domain.errors import WardporterError

try:  # libyaml reads a clinic in a third of the time; a PyYAML built without it reads the same
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - depends on how PyYAML was built
    from yaml import SafeLoader as _Loader

Key = str | int
Place = tuple[Key, ...]

NODES_MAX = 500_000
DEPTH_MAX = 50
FILE_BYTES_MAX = 50_000_000


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong in a file, with its line (from 1), and what to do about it."""

    line: int
    sentence: str
    remedy: str = ""

    def as_text(self, path: Path) -> str:
        """Return ``file:line: sentence remedy`` as editors and people read it."""
        return f"{path}:{self.line}: {self.sentence}{' ' + self.remedy if self.remedy else ''}"


class ConfigFileError(WardporterError):
    """A configuration file was refused; every complaint names its line.

    Parameters
    ----------
    path : Path
        The file.
    complaints : sequence of Complaint
        At least one.
    """

    code = "config_file_refused"

    def __init__(self, path: Path, complaints: Sequence[Complaint]) -> None:
        self.path = path
        self.complaints = tuple(complaints)
        super().__init__(
            "\n".join(complaint.as_text(path) for complaint in self.complaints),
            detail={"file": path.name, "lines": [complaint.line for complaint in self.complaints]},
        )


@dataclass(frozen=True, slots=True)
class Source:
    """What a YAML file says, and where it says it."""

    path: Path
    data: object
    lines: dict[Place, int]

    def line_of(self, where: Sequence[Key]) -> int:
        """Return the line (from 1) of the value at ``where``, or of the nearest thing around it that has one."""
        place = tuple(where)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_source(path: Path) -> Source:
    """Read a YAML file into plain values with line numbers.

    Raises
    ------
    ConfigFileError
        The file is not there, is not UTF-8 text, is not YAML, is far too large, or repeats a key.
    """
    return parse_source(_text_of(path), path)


def parse_source(text: str, path: Path) -> Source:
    """Return the values of YAML ``text`` as if it were the content of ``path``; see `read_source`."""
    try:
        _refuse_deep(text, path)
        root = cast("yaml.Node | None", yaml.compose(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        sentence = f"This is not YAML: {error.problem or error.context or 'cannot be read'}."
        raise ConfigFileError(path, [Complaint(mark.line + 1 if mark else 1, sentence, "Correct the line.")]) from error
    except yaml.YAMLError as error:
        sentence = f"This is not YAML: {str(error).splitlines()[0]}."
        raise ConfigFileError(path, [Complaint(1, sentence, "Write plain UTF-8 text.")]) from error
    if root is None:
        raise ConfigFileError(path, [Complaint(1, "The file is empty.", "See fleet_config/ for an example.")])
    reading = _Reading(path)
    data = reading.value_of(root, ())
    if reading.complaints:
        raise ConfigFileError(path, reading.complaints)
    return Source(path, data, reading.lines)


def _refuse_deep(text: str, path: Path) -> None:
    """Refuse what is nested deeper than any configuration: libyaml composes by recursion and ends the process on it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MAX:
                line = event.start_mark.line + 1
                sentence = f"The file is nested over {DEPTH_MAX} deep."
                raise ConfigFileError(path, [Complaint(line, sentence, "Unfold it.")])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        sentence = f"The file cannot be read: {error.strerror or error}."
        raise ConfigFileError(path, [Complaint(1, sentence, "Check the path and its permissions.")]) from error
    if len(content) > FILE_BYTES_MAX:
        sentence = f"The file has {len(content)} bytes; at most {FILE_BYTES_MAX} were expected."
        raise ConfigFileError(path, [Complaint(1, sentence, "Name the configuration file itself.")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigFileError(path, [Complaint(line, "The file is not UTF-8 text.", "Save it as UTF-8.")]) from error


class _Reading:
    """Turns composed nodes into plain values, noting the line of each; keys are always text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Place, int] = {}
        self.complaints: list[Complaint] = []
        self._open: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def value_of(self, node: yaml.Node, where: Place) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(where, line)
        if len(self.lines) > NODES_MAX:
            raise ConfigFileError(self.path, [Complaint(line, f"The file holds over {NODES_MAX} values.", "Split it.")])
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._open:
            raise ConfigFileError(self.path, [Complaint(line, "A value contains itself.", "Write it out.")])
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, where)
            children = cast("list[yaml.Node]", node.value)
            return [self.value_of(child, (*where, index)) for index, child in enumerate(children)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, where: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, child in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                self.complaints.append(Complaint(line, "A key is not a plain word.", "Write it out as one word."))
                continue
            key = str(key_node.value)
            if key in found:
                first = self.lines[*where, key]
                self.complaints.append(
                    Complaint(line, f"Key {key!r} stands here again; it is already on line {first}.", "Keep one.")
                )
                continue
            found[key] = self.value_of(child, (*where, key))
            self.lines[*where, key] = line
        return found

    def _scalar(self, node: yaml.ScalarNode, line: int) -> object:
        is_exponent = not node.style and _EXPONENT.fullmatch(node.value) is not None
        if node.tag not in _SCALAR_TAGS and not is_exponent:
            return str(node.value)
        try:
            value = float(node.value) if is_exponent else cast("object", self._scalars.construct_object(node))
        except (ValueError, KeyError, yaml.YAMLError):
            self.complaints.append(Complaint(line, f"{node.value!r} cannot be read as a value.", "Put it in quotes."))
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self.complaints.append(Complaint(line, f"{node.value!r} is not a finite number.", "Write a number."))
        return value


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]{1,3}")
"""A number such as 5e-05, which YAML 1.1 takes for text and everybody else, the traffic editor too, for a number."""

_SCALAR_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null"))
"""Everything else, dates too, stays the text that is written: a level may be called 2024-01-01."""

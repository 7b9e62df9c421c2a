"""Catalogues of medicines: ``*.medicines.yaml``, or a table as ``*.csv`` with the same words as headings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from orchestrator.adapters.config.checked import FileModel, checked
from orchestrator.adapters.config.site_form import Id
from orchestrator.adapters.config.source import FILE_BYTES_MAX, Complaint, ConfigFileError, read_source
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.check_digits import is_dmd_code_whole
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import (
    OUT_OF_FRIDGE_MAX_MIN,
    PACK_SIZE_MAX,
    TEXT_LENGTH_MAX,
    Medicine,
    MedicineCode,
    NeverByRobot,
    Storage,
    StorageKind,
    check_medicine,
)
from orchestrator.domain.medicine.schedule import Schedule

Words = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]
Code = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{5,17}$", description="dm+d code in quotes: a number would be rounded")
]
Gtin = Annotated[str, Field(pattern=r"^[0-9]{14}$")]

COMPLAINTS_MAX = 20
"""How many wrong entries are told at once; a table with wrong headings would fill pages."""

_NUMBER_DIGITS_MAX = 18


class MedicineEntry(FileModel):
    """One medicine; see `Medicine` for what each means. A missing ``category`` means: handled as controlled."""

    code: Code
    name: Words
    form: Words
    strength: Words
    unit: Words
    drug_class: Words
    category: Annotated[Schedule, Field(strict=False)] | None = None
    pack_size: Annotated[int, Field(ge=1, le=PACK_SIZE_MAX)] | None = None
    handle_as: Annotated[HandlingClass, Field(strict=False)] | None = None
    storage: Annotated[StorageKind, Field(strict=False)] = StorageKind.ROOM
    out_of_fridge_min: Annotated[int, Field(ge=1, le=OUT_OF_FRIDGE_MAX_MIN)] | None = None
    never_by_robot: Annotated[NeverByRobot, Field(strict=False)] | None = None
    is_cytotoxic: bool = False
    gtins: list[Gtin] = Field(default_factory=list[Gtin])


class CatalogueFile(FileModel):
    """A catalogue. Cytotoxics ride only where ``cytotoxics_by_robot`` says that the place has decided so."""

    catalogue: Id
    is_test_data: bool = False
    cytotoxics_by_robot: bool = False
    medicines: Annotated[list[MedicineEntry], Field(min_length=1)]


def load_catalogue(path: Path) -> Sequence[Medicine]:
    """Return the medicines of a file, ``*.csv`` or YAML.

    Raises
    ------
    ConfigFileError
        The file is malformed, or an entry cannot be meant; each complaint names its line.
    """
    if path.suffix.lower() == ".csv":
        return _from_table(path)
    source = read_source(path)
    catalogue = checked(source, CatalogueFile)
    lines = [source.line_of(("medicines", number)) for number in range(len(catalogue.medicines))]
    return _medicines(
        source.path,
        list(zip(lines, catalogue.medicines, strict=True)),
        is_test_data=catalogue.is_test_data,
        cytotoxics_by_robot=catalogue.cytotoxics_by_robot,
    )


def _from_table(path: Path) -> Sequence[Medicine]:
    """Return the medicines of a table; an empty cell is left out, trade item numbers stand apart by spaces."""
    rows = csv.DictReader(io.StringIO(_text_of(path)), strict=True)
    entries: list[tuple[int, MedicineEntry]] = []
    complaints: list[Complaint] = []
    try:
        complaints += _twice(rows.fieldnames or ())
        for row in rows if not complaints else ():
            cells = {name: text for name, text in row.items() if name is not None and text}
            if None in row or None in row.values():
                complaints.append(Complaint(rows.line_num, "The row is not as long as the headings.", "Correct it."))
                continue
            try:
                entries.append((rows.line_num, _entry_of(cells)))
            except ValidationError as error:
                complaints += _complaints(rows.line_num, error)
    except csv.Error as error:
        complaints.append(Complaint(rows.line_num, f"This is not a table: {error}.", "Export it again as CSV."))
    if not entries and not complaints:
        complaints.append(Complaint(1, "The table holds no medicine.", "Give it one row for each."))
    if complaints:
        raise ConfigFileError(path, complaints[:COMPLAINTS_MAX])
    return _medicines(path, entries, is_test_data=False, cytotoxics_by_robot=False)


def _twice(headings: Sequence[str]) -> Iterator[Complaint]:
    """Complain of headings that stand there twice: the last column would silently count."""
    for name in sorted({name for name in headings if name and headings.count(name) > 1}):
        yield Complaint(1, f"The heading {name} stands there twice.", "Keep the column that is right.")


def _entry_of(cells: dict[str, str]) -> MedicineEntry:
    values: dict[str, object] = dict(cells)
    for number in ("pack_size", "out_of_fridge_min"):
        text = cells.get(number, "")
        if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX:
            values[number] = int(text)
    if "gtins" in cells:
        values["gtins"] = cells["gtins"].split()
    if cells.get("is_cytotoxic") in ("true", "false"):
        values["is_cytotoxic"] = cells["is_cytotoxic"] == "true"
    return MedicineEntry.model_validate(values)


def _complaints(line: int, error: ValidationError) -> Iterator[Complaint]:
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"])
        yield Complaint(line, f"{where}: {item['msg'][0].lower()}{item['msg'][1:]}.", "Correct the cell.")


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > FILE_BYTES_MAX:
            raise ConfigFileError(path, [Complaint(1, "The file is far too large.", "Split it.")])
        return content.decode("utf-8-sig")
    except OSError as error:
        sentence = f"The file cannot be read: {error.strerror or error}."
        raise ConfigFileError(path, [Complaint(1, sentence, "Check the path and its permissions.")]) from error
    except UnicodeDecodeError as error:
        raise ConfigFileError(path, [Complaint(1, "The file is not UTF-8 text.", "Save it as UTF-8.")]) from error


def _medicines(
    path: Path, entries: Sequence[tuple[int, MedicineEntry]], *, is_test_data: bool, cytotoxics_by_robot: bool
) -> Sequence[Medicine]:
    medicines: list[Medicine] = []
    complaints: list[Complaint] = []
    lines_of_codes: dict[str, int] = {}
    lines_of_gtins: dict[str, int] = {}
    for line, entry in entries:
        medicine = _medicine(entry, is_test_data=is_test_data, cytotoxics_by_robot=cytotoxics_by_robot)
        try:
            check_medicine(medicine)
        except InvalidInputError as error:
            complaints.append(Complaint(line, error.message))
        if not is_dmd_code_whole(entry.code):
            sentence = f"The check digit of code {entry.code} is wrong, as after a spreadsheet has rounded it."
            complaints.append(Complaint(line, sentence, "Copy the code as text."))
        complaints += _seconds(line, [entry.code], lines_of_codes, "Code")
        complaints += _seconds(line, entry.gtins, lines_of_gtins, "Trade item number")
        medicines.append(medicine)
    if complaints:
        raise ConfigFileError(path, complaints[:COMPLAINTS_MAX])
    return medicines


def _seconds(line: int, values: Sequence[str], lines: dict[str, int], what: str) -> Iterator[Complaint]:
    for value in values:
        first = lines.setdefault(value, line)
        if first != line:
            yield Complaint(line, f"{what} {value} stands on line {first} already.", "Keep the entry that is right.")


def _medicine(entry: MedicineEntry, *, is_test_data: bool, cytotoxics_by_robot: bool) -> Medicine:
    never = entry.never_by_robot
    if never is None and entry.is_cytotoxic and not cytotoxics_by_robot:
        never = NeverByRobot.CYTOTOXIC
    return Medicine(
        code=MedicineCode(entry.code),
        name=entry.name,
        form=entry.form,
        strength=entry.strength,
        unit=entry.unit,
        drug_class=entry.drug_class,
        schedule=entry.category,
        pack_size=entry.pack_size,
        handle_as=entry.handle_as,
        storage=Storage(entry.storage, entry.out_of_fridge_min),
        never_by_robot=never,
        gtins=tuple(sorted(entry.gtins)),
        is_test_data=is_test_data,
    )

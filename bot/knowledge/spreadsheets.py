"""Spreadsheets that staff keep: CSV and XLSX, the first row with the names of the columns."""

import csv
import datetime
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.knowledge import files
from bot.knowledge.problems import Problem, marked, problem

SPREADSHEETS = (".csv", ".xlsx")
LARGEST = 20_000_000  # bytes; a table of words is far smaller, and so is what is unpacked from it
_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, and its `number`; in a YAML file `where` is the way to it in `text` instead."""

    path: Path
    values: dict[str, Any]
    number: int = 0
    text: str = ""
    where: tuple[str | int, ...] = ()

    def problem(self, column: str, message: str, **values: object) -> Problem:
        """A fault in a column of this row: at its line in a YAML file, otherwise the row with the column's name."""
        if self.where:
            line = 1 + files.line_of(self.text, (*self.where, column))
            return problem(self.path, line, message, fault=True, **values)
        return replace(problem(self.path, self.number, message, fault=True, **values), column=column)


def read_spreadsheet(path: Path) -> list[Row]:
    """The rows that hold anything; raises `Broken` for a file that is no spreadsheet."""
    rows = _read_csv(path) if path.suffix.lower() == ".csv" else _read_xlsx(path)
    numbered = [(number, [_as_text(cell) for cell in row]) for number, row in enumerate(rows, start=1)]
    filled = [(number, row) for number, row in numbered if any(row)]
    if not filled:
        return []
    (_, header), *others = filled
    columns = [name.casefold() for name in header]
    return [
        Row(path, {name: cell for name, cell in zip(columns, row, strict=False) if name and cell}, number)
        for number, row in others
    ]


def _read_csv(path: Path) -> Iterable[Sequence[Any]]:
    text = files.read(path)
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
    try:
        return list(rows)
    except csv.Error:
        missing = marked("a quote is missing in this line or just above it")
        raise files.Broken(problem(path, rows.line_num, missing, fault=True)) from None


def _read_xlsx(path: Path) -> Iterable[Sequence[Any]]:
    from openpyxl import load_workbook  # a fifth of a second, which only those with such a file wait for

    unreadable = problem(path, 1, marked("this spreadsheet cannot be read; save it again as XLSX or CSV"), fault=True)
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > LARGEST:
                raise files.Broken(problem(path, 1, marked("this spreadsheet is too large"), fault=True))
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            return list(book.worksheets[0].iter_rows(max_row=_MOST_ROWS, values_only=True))
        finally:
            book.close()
    except files.Broken:
        raise
    except Exception as error:  # the library raises what it meets: of zip, of XML, of its own
        raise files.Broken(unreadable) from error


def _as_text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime.datetime():
            return cell.date().isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell).strip()

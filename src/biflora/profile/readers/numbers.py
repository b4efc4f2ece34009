"""Numbers and delimited rows as laboratories write them, read row by row so that a wide table fits in memory."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from biflora.errors import LaboratoryMust

MOST_COLUMNS = 500_000
"""More columns than any table of one study; a line that is longer is refused before it is split."""
MOST_CELLS = 20_000_000
"""Cells that `grid` keeps as texts at once."""
LOOKED_AT = 200
"""Rows that are read to see how numbers are written."""
DECIMAL_COMMA = re.compile(r"\d+,\d+")
SURE_DECIMAL_COMMA = re.compile(r"0,\d+|\d+,(?:\d{1,2}|\d{4,})")
DECIMAL_POINT = re.compile(r"\d*\.\d+(?:[eE][+-]?\d+)?")
NO_READS = ("", "NA", "na", "-")


def number(text: str, file_name: str, line: int, column: str) -> float:
    """The number in one cell (empty and NA are zero reads); LaboratoryMust naming line and column otherwise."""
    text = text.strip()
    if text in NO_READS:
        return 0.0
    try:
        if "_" in text:  # Python reads 5_200 as a number; no laboratory writes one so
            raise ValueError
        value = float(text)
    except ValueError:
        raise LaboratoryMust(
            f"{file_name}, line {line}, column '{plain(column)}': a number is expected; mend the cell (decimal "
            "point, no thousands separator) and send the file again."
        ) from None
    if not math.isfinite(value) or value < 0:
        what = "negative" if math.isfinite(value) else "not finite"
        raise LaboratoryMust(
            f"{file_name}, line {line}, column '{plain(column)}': the value is {what}; send the table of raw "
            "counts or shares, before any transformation."
        )
    return value


def whole_number(text: str) -> int | None:
    """An NCBI number, or None for anything else (Unicode's superscript digits are no digits here)."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def plain(name: str) -> str:
    """A name from a file, cut and without control characters, for a sentence."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "?", name)[:60]


def delimiter_of(line: str) -> str:
    """Tab, semicolon or comma: whichever divides the line into most cells (tab first).

    Semicolons inside lineages (`k__Bacteria;p__Firmicutes`) divide nothing where tabs or commas stand too.
    """
    counts = {mark: line.count(mark) for mark in "\t;,"}
    if "__" in line and (counts["\t"] or counts[","]):
        counts[";"] = 0
    return max("\t;,", key=lambda mark: (counts[mark], mark == "\t"))


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """(line number from 1, line) without copying the whole text."""
    if "\n" not in text and "\r" in text:
        text = text.replace("\r", "\n")
    start, count = 0, 1
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield count, text[start:end].rstrip("\r")
        start, count = end + 1, count + 1


class Delimited:
    """A delimited text: its header, and its rows one at a time, each as long as the header.

    Comment lines are left out. A header that is one cell shorter than its rows (R's write.table) gets an empty
    first cell. A leading `#` of the header is taken off. Raises LaboratoryMust for a row of another length.
    """

    def __init__(self, text: str, file_name: str) -> None:
        self.file_name = file_name
        self._text = text
        first = next((line for _, line in lines_of(text) if line.strip() and not _comment(line)), "")
        if not first:
            raise LaboratoryMust(f"{file_name}: the file holds no rows; export the table again.")
        self.mark = delimiter_of(first)
        top = list(islice(self._cells(), LOOKED_AT + 1))
        header = top[0][1]
        self._lead = len(top) > 1 and len(header) == len(top[1][1]) - 1
        if self._lead:
            header = ["", *header]
        self.header = [header[0].lstrip("#").strip(), *(cell.strip() for cell in header[1:])]
        self.top = [cells for _, cells in top[1:]]
        self.decimal_comma = self.mark != "," and _has_decimal_commas(cell for row in self.top for cell in row[1:])

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        place = 0

        def kept() -> Iterator[str]:
            nonlocal place
            for line_number, line in lines_of(self._text):
                if not line.strip() or _comment(line):
                    continue
                if line.count(self.mark) >= MOST_COLUMNS:
                    raise LaboratoryMust(
                        f"{self.file_name}, line {line_number}: more than {MOST_COLUMNS} cells; send the one "
                        "patient's samples only."
                    )
                place = line_number
                yield line

        try:
            for cells in csv.reader(kept(), delimiter=self.mark):
                yield place, cells
        except csv.Error:
            raise LaboratoryMust(
                f"{self.file_name}: a cell is longer than 100,000 characters; a quotation mark may be open. "
                "Export it anew."
            ) from None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, cells) under the header."""
        width = len(self.header)
        for line, cells in islice(self._cells(), 1, None):
            if len(cells) != width:
                raise LaboratoryMust(
                    f"{self.file_name}, line {line}: {len(cells)} cells where the header has {width}; the file is "
                    "cut off or a cell holds the separator. Send it again."
                )
            yield line, cells

    def numbers(self, cells: Sequence[str], at: Sequence[int], line: int) -> list[float]:
        """The numbers in these columns; negative and infinite ones are left to the check of the whole table."""
        texts = [cells[i] for i in at]
        if self.decimal_comma:
            texts = [text.replace(",", ".") for text in texts]
        try:
            if any("_" in text for text in texts):
                raise ValueError
            return [float(text or 0) for text in texts]
        except ValueError:
            return [number(text, self.file_name, line, self.header[i]) for text, i in zip(texts, at, strict=True)]

    @property
    def comma_words(self) -> str:
        """What to say beside the format where decimal commas were read."""
        return "; decimal commas were read as decimal points" if self.decimal_comma else ""


def grid(text: str, file_name: str) -> list[list[str]]:
    """All rows of a small delimited text with its header, as `Delimited` gives them one by one."""
    table = Delimited(text, file_name)
    rows, cells = [table.header], 0
    for _, row in table.rows():
        cells += len(row)
        if cells > MOST_CELLS:
            raise LaboratoryMust(
                f"{file_name}: more than {MOST_CELLS} cells; send the one patient's samples only."
            )
        rows.append(row)
    return rows


def _has_decimal_commas(cells: Iterable[str]) -> bool:
    """True when commas can only be decimal ones: `1,234` alone could be a thousand and is refused as no number."""
    sure = False
    for cell in cells:
        cell = cell.strip()
        if DECIMAL_POINT.fullmatch(cell):
            return False
        sure = sure or bool(SURE_DECIMAL_COMMA.fullmatch(cell))
    return sure


def _comment(line: str) -> bool:
    """A leading `# words` line; `#OTU ID<tab>...` and `#OTU ID;...` are headers, not comments."""
    divided = "\t" in line or "," in line or (";" in line and not line.startswith("# "))
    return line.startswith("#") and not divided


def is_number(cell: str) -> bool:
    """True for a number with a decimal point or comma."""
    try:
        float(cell)
    except ValueError:
        return bool(DECIMAL_COMMA.fullmatch(cell.strip()))
    return True


def share_of_numbers(cells: Sequence[str]) -> float:
    """Which part of the cells are numbers."""
    return sum(is_number(cell) for cell in cells) / len(cells) if cells else 0.0

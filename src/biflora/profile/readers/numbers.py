"""Numbers and delimited rows as laboratories write them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from biflora.errors import LaboratoryMust


def number(text: str, file_name: str, line: int, column: str) -> float:
    """The number in one cell (empty and NA are zero reads); LaboratoryMust naming line and column otherwise."""
    text = text.strip()
    if text in ("", "NA", "na", "-"):
        return 0.0
    try:
        if "_" in text:  # Python reads 5_200 as a number; no laboratory writes one so
            raise ValueError
        value = float(text)
    except ValueError:
        raise LaboratoryMust(
            f"{file_name}, line {line}, column '{column[:60]}': a number is expected; mend the cell (decimal "
            "point, no "
            "thousands separator) and send the file again."
        ) from None
    if not math.isfinite(value) or value < 0:
        what = "negative" if math.isfinite(value) else "not finite"
        raise LaboratoryMust(
            f"{file_name}, line {line}, column '{column[:60]}': the value is {what}; send the table of raw "
            "counts or "
            "shares, before any transformation."
        )
    return value


def delimiter_of(line: str) -> str:
    """Tab, semicolon or comma: whichever divides the line into most cells (tab first)."""
    return max("\t;,", key=lambda mark: (line.count(mark), mark == "\t"))


def grid(text: str, file_name: str) -> list[list[str]]:
    """All rows of a delimited text without comment lines, each as long as the longest; cut-off rows are an error.

    A header that is one cell shorter than its rows (R's write.table) gets an empty first cell. A leading `#` of
    the header is taken off.
    """
    lines = text.splitlines()
    kept = [(i, line) for i, line in enumerate(lines, start=1) if line.strip() and not _comment(line)]
    if not kept:
        raise LaboratoryMust(f"{file_name}: the file holds no rows; export the table again.")
    mark = delimiter_of(kept[0][1])
    try:
        rows = list(csv.reader(io.StringIO("\n".join(line for _, line in kept)), delimiter=mark))
    except csv.Error:
        raise LaboratoryMust(
            f"{file_name}: a cell is longer than 100,000 characters; a quotation mark may be open. Export it anew."
        ) from None
    if len(rows) > 1 and len(rows[0]) == len(rows[1]) - 1:
        rows[0] = ["", *rows[0]]
    rows[0] = [rows[0][0].lstrip("#").strip(), *(cell.strip() for cell in rows[0][1:])]
    width = len(rows[0])
    for (line, _), row in zip(kept, rows, strict=False):
        if len(row) != width:
            raise LaboratoryMust(
                f"{file_name}, line {line}: {len(row)} cells where the header has {width}; the file is cut "
                "off or a cell "
                "holds the separator. Send it again."
            )
    return rows


def _comment(line: str) -> bool:
    """A leading `# words` line; `#OTU ID<tab>...` is the header, not a comment."""
    return line.startswith("#") and "\t" not in line and "," not in line


def share_of_numbers(cells: Sequence[str]) -> float:
    """Which part of the cells are numbers."""
    if not cells:
        return 0.0
    count = 0
    for cell in cells:
        try:
            float(cell)
        except ValueError:
            continue
        count += 1
    return count / len(cells)

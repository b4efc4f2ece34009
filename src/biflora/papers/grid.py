"""A plain table as one value, for screen, paper and terminal alike."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A plain table: columns, rows, the first cell names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    """Columns of numbers, printed flush right."""


def csv_text(grid: Grid) -> str:
    """The table as CSV with its header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(grid.columns)
    writer.writerows(grid.rows)
    return out.getvalue()

"""The table beside a table: what is known of each sample (person, arm, visit, site), read as texts and numbers."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile.readers.numbers import grid
from biflora.profile.table import listed, repeated

LARGEST = 50_000_000
MISSING = frozenset({"", "na", "nan", "n/a", "null", "missing", "not applicable", "not collected", "nd"})
SAMPLE_COLUMNS = (
    "sample", "sampleid", "sample-id", "sample_id", "sample id", "sample_name", "sample name", "#sampleid", "id",
    "libraryid", "library_id", "library id",
)  # fmt: skip


@dataclass(frozen=True)
class Metadata:
    """Rows of samples; each column is kept as written, with empty texts for what is missing."""

    file_name: str
    samples: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]

    def texts(self, column: str) -> tuple[str, ...]:
        """The column as texts. Raises NameAnother with the nearest names when there is none of that name."""
        if column in self.columns:
            return self.columns[column]
        near = difflib.get_close_matches(column, list(self.columns), n=4, cutoff=0.4) or list(self.columns)
        raise NameAnother(f"{self.file_name}: there is no column '{column[:60]}'; the nearest are {listed(near)}.")

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The column as numbers, NaN where missing. Raises LaboratoryMust naming the row that holds no number."""
        found = []
        for line, text in enumerate(self.texts(column), start=2):
            try:
                value = float(text) if text else math.nan
            except ValueError:
                value = math.inf
            if math.isinf(value):
                raise LaboratoryMust(
                    f"{self.file_name}, line {line}, column '{column[:60]}': a number is expected; mend the cell, "
                    "or treat the column as groups."
                )
            found.append(value)
        return np.array(found, dtype=np.float64)

    def is_numeric(self, column: str) -> bool:
        """True when every cell that is not missing is a number, and there is one."""
        filled = [text for text in self.texts(column) if text]
        return bool(filled) and all(_is_number(text) for text in filled)

    def of(self, samples: Sequence[str]) -> Metadata:
        """The rows of these samples in this order. Raises NameAnother for one that has no row."""
        place = {name: number for number, name in enumerate(self.samples)}
        absent = [name for name in samples if name not in place]
        if absent:
            raise NameAnother(f"{self.file_name}: no row for the samples {listed(absent)}; add them, send again.")
        rows = [place[name] for name in samples]
        columns = {name: tuple(cells[i] for i in rows) for name, cells in self.columns.items()}
        return Metadata(self.file_name, tuple(samples), columns)


def read_metadata(path: Path, *, wanted: Sequence[str] = (), sample_column: str | None = None) -> Metadata:
    """A CSV or TSV with one row for each sample.

    `wanted`: the samples of the table it belongs to; they tell which column names the samples where
    `sample_column` does not. Raises LaboratoryMust or NameAnother naming file, line or column.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise LaboratoryMust(
                f"{path.name}: larger than 50 MB, so these are no sample descriptions; name others."
            )
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise NameAnother(f"{path.name}: there is no such file; mend the path.") from None
    except OSError as problem:
        raise NameAnother(f"{path.name[:100]}: the file cannot be read ({problem.strerror}).") from None
    if "\x00" in text[:100_000]:
        raise LaboratoryMust(f"{path.name}: this is no text table; save the sample descriptions as CSV or TSV.")
    rows = [row for row in grid(text, path.name) if not row[0].startswith("#q2:types")]
    header = [
        name.strip() or (f"(column {place + 1})" if place else "(row)") for place, name in enumerate(rows[0])
    ]
    twice = repeated(header)
    if twice:
        raise LaboratoryMust(f"{path.name}: the column '{twice[:60]}' stands twice; rename one.")
    cells = [[_filled(cell) for cell in row] for row in rows[1:]]
    if not cells:
        raise LaboratoryMust(f"{path.name}: a header without rows; send the sample descriptions with their rows.")
    at = _sample_place(header, cells, wanted, sample_column, path.name)
    samples = tuple(row[at] for row in cells)
    if "" in samples:
        raise LaboratoryMust(f"{path.name}, line {samples.index('') + 2}: the sample's name is missing; add it.")
    again = repeated(samples)
    if again:
        raise LaboratoryMust(
            f"{path.name}: the sample '{again[:60]}' has two rows; keep one, or name the column that tells "
            "samples apart."
        )
    columns = {name: tuple(row[place] for row in cells) for place, name in enumerate(header)}
    return Metadata(path.name, samples, columns)


def _sample_place(
    header: Sequence[str], cells: Sequence[Sequence[str]], wanted: Sequence[str], named: str | None, file_name: str
) -> int:
    if named is not None:
        if named in header:
            return header.index(named)
        raise NameAnother(f"{file_name}: there is no column '{named[:60]}'; the columns are {listed(header)}.")
    if wanted:
        known = set(wanted)
        hits = [sum(row[place] in known for row in cells) for place in range(len(header))]
        if max(hits) > 0:
            return hits.index(max(hits))
        raise NameAnother(
            f"{file_name}: no column holds the samples of the table ({listed(wanted[:3])} ...); name the "
            "descriptions that belong to it."
        )
    low = [name.lower() for name in header]
    places = [low.index(name) for name in SAMPLE_COLUMNS if name in low]
    return next((place for place in places if not repeated([row[place] for row in cells])), 0)


def _filled(cell: str) -> str:
    text = cell.strip().strip('"').strip()
    return "" if text.lower() in MISSING else text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

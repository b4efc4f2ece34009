"""Dated, sourced rows: how a knowledge table is read.

A table is `tables/<name>.csv` with one row per fact. Every row names its source, how far that was verified
and since when it holds. A cell with several entries separates them with `;`. An empty cell means "not known".
"""

from __future__ import annotations

import csv
import typing
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import Field

from biflora.errors import OperatorMust
from biflora.values import Value, parse


class Row(Value):
    """What every row of every table carries."""

    key: str = Field(min_length=1)
    source: str = Field(min_length=1)
    """A key of sources.yaml, or the citation itself."""
    verification: str = Field(min_length=1)
    """Taken over from the research as it stands: page_read, abstract_read, secondary, memory, assumed, IID ..."""
    valid_from: date

    @property
    def only_remembered(self) -> bool:
        """True when nobody has read the source: the reader must be told."""
        return self.verification.startswith(("memory", "assumed", "inference"))


R = TypeVar("R", bound=Row)


@cache
def release() -> str:
    """Number of the knowledge release that this installation holds, e.g. `2026.1`."""
    return (resources.files(__package__) / "RELEASE").read_text().strip()


@cache
def read_table(name: str, row_type: type[R]) -> Mapping[str, R]:
    """All rows of `tables/<name>.csv` by key, in file order. Raises OperatorMust naming table and line."""
    path = resources.files(__package__) / "tables" / f"{name}.csv"
    rows: dict[str, R] = {}
    lists = {field for field, info in row_type.model_fields.items() if is_tuple(info.annotation)}
    for number, record in enumerate(csv.DictReader(path.read_text(encoding="utf-8").splitlines()), start=2):
        where = f"knowledge table {name}.csv, line {number}"
        if None in record:
            raise OperatorMust(f"{where}: more cells than columns; put a cell that holds a comma into quotes.")
        row = parse(row_type, cells_of(record, lists), where=where, error=OperatorMust)
        if row.key in rows:
            raise OperatorMust(f"{where}: the key '{row.key}' stands twice; rename or merge one of them.")
        rows[row.key] = row
    return MappingProxyType(rows)


def cells_of(record: Mapping[str, str | None], lists: set[str]) -> dict[str, Any]:
    """One line's cells by column; empty ones are left out, those of `lists` are split at `;`."""
    cells: dict[str, Any] = {}
    for field, text in record.items():
        text = (text or "").strip()
        if not text:
            continue
        cells[field] = tuple(part.strip() for part in text.split(";") if part.strip()) if field in lists else text
    return cells


def is_tuple(annotation: Any) -> bool:
    """Whether a field holds several entries."""
    return annotation is tuple or typing.get_origin(annotation) is tuple

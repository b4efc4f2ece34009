"""What a finding in a sample can mean for a clinician, in one plain sentence each, with its source."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table
from biflora.values import State


class Meaning(Row):
    """One sentence. It holds for its subject in its state and, where limits are given, for values within them."""

    site: str
    subject: str
    """Key of a guild or of a quantity."""
    state: State
    at_least: float | None = None
    below: float | None = None
    assays: tuple[str, ...] = ()
    """Kinds of assay its limits were seen with, e.g. `shotgun`; empty: any."""
    conditions: tuple[str, ...] = ()
    """Conditions it is told in; empty: all."""
    text: str


def meanings() -> Mapping[str, Meaning]:
    return read_table("meanings", Meaning)


def holds(row: Meaning, *, state: State, value: float | None) -> bool:
    """Whether the row speaks for a subject in that state and of that value (None where it has none)."""
    if row.state is not state:
        return False
    if row.at_least is None and row.below is None:
        return True
    return (
        value is not None
        and (row.at_least is None or value >= row.at_least)
        and (row.below is None or value < row.below)
    )


TABLES: dict[str, type[Row]] = {"meanings": Meaning}

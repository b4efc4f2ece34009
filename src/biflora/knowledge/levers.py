"""The reference dose of each lever of the twin: what a dose of 1 stands for."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class LeverDose(Row):
    """One reference dose, or one strength relative to it."""

    value: float
    unit: str
    note: str = ""


def lever_doses() -> Mapping[str, LeverDose]:
    return read_table("levers", LeverDose)


def lever_dose(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    return lever_doses()[key].value


TABLES: dict[str, type[Row]] = {"levers": LeverDose}

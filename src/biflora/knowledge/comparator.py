"""Structural alternatives to the twin: the rates of another group's model, and how it is told beside ours."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class MiyanoRate(Row):
    """One log-normal parameter of Miyano, Irvine and Tanaka 2022, in the order of the authors' table."""

    symbol: str
    meaning: str
    unit: str
    ln_mu: float
    """Mean of the natural logarithm."""
    ln_sigma: float
    """Standard deviation of the natural logarithm between virtual patients."""


class ComparatorSetting(Row):
    """One number of an arm of that model, or of how its patients are read as ours."""

    value: float
    unit: str
    note: str = ""


def miyano_rates() -> Mapping[str, MiyanoRate]:
    return read_table("miyano_rates", MiyanoRate)


def comparator_setting(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, ComparatorSetting] = read_table("comparator_settings", ComparatorSetting)
    return rows[key].value


TABLES: dict[str, type[Row]] = {"miyano_rates": MiyanoRate, "comparator_settings": ComparatorSetting}

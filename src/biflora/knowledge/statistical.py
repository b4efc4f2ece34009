"""What the statistical forecasts assume: the two models without a mechanism that the twin is measured against."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class StatisticalSetting(Row):
    """One number of the statistical forecasts. Where the unit begins with `ln`, it holds for ln(score + 1)."""

    value: float
    unit: str
    note: str = ""


def statistical_settings() -> Mapping[str, StatisticalSetting]:
    return read_table("statistical_forecasts", StatisticalSetting)


def statistical_setting(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    return statistical_settings()[key].value


TABLES: dict[str, type[Row]] = {"statistical_forecasts": StatisticalSetting}

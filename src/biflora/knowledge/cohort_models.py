"""What the models of cohorts are run with unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class CohortModelSetting(Row):
    """One number that a cohort model needs."""

    label: str
    value: float
    unit: str
    note: str = ""


def cohort_model_settings() -> Mapping[str, CohortModelSetting]:
    return read_table("cohort_model_settings", CohortModelSetting)


def model_setting(key: str) -> float:
    """Value of one setting."""
    return cohort_model_settings()[key].value


TABLES: dict[str, type[Row]] = {"cohort_model_settings": CohortModelSetting}

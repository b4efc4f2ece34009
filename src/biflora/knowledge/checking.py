"""What the formula's checker and the check of the knowledge itself measure against: precedent, limits, names."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class IidRow(Row):
    """One line of the FDA's inactive ingredient database for topical products: a precedent, never a ceiling."""

    name: str
    """As the FDA writes it."""
    ingredient: str | None = None
    """Our ingredient's key, where it is one of ours."""
    dosage_form: str
    unii: str | None = None
    max_percent: float | None = None
    percent_unit: str | None = None
    """%w/w, %w/v or %v/v."""
    max_daily_mg: float | None = None
    """Maximum daily exposure, mg."""


class DosageForm(Row):
    """Which of the FDA's dosage forms stand for one of ours (the key)."""

    fda_forms: tuple[str, ...]


class CheckerLimit(Row):
    """One number that the checker measures against."""

    value: float
    unit: str
    note: str = ""


class EffectName(Row):
    """The name of an effect that a topical can be wanted for, as the plan room spells it."""

    label: str


class ConditionName(Row):
    """The name of a condition, as the patient's intake spells it."""

    label: str


def fda_iid() -> Mapping[str, IidRow]:
    return read_table("fda_iid_topical", IidRow)


def dosage_forms() -> Mapping[str, DosageForm]:
    return read_table("iid_dosage_forms", DosageForm)


def checker_limits() -> Mapping[str, CheckerLimit]:
    return read_table("checker_limits", CheckerLimit)


def effects() -> Mapping[str, EffectName]:
    return read_table("effects", EffectName)


def conditions() -> Mapping[str, ConditionName]:
    return read_table("conditions", ConditionName)


def checker_limit(key: str) -> float:
    """Value of one of the checker's limits; a missing one is a programming error and raises KeyError."""
    return checker_limits()[key].value


TABLES: dict[str, type[Row]] = {
    "fda_iid_topical": IidRow,
    "iid_dosage_forms": DosageForm,
    "checker_limits": CheckerLimit,
    "effects": EffectName,
    "conditions": ConditionName,
}

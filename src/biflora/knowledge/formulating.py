"""What the formula's optimiser weighs: settings, one-of-a-kind families, what must stand beside what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class FormulationSetting(Row):
    """One number that the optimiser uses."""

    value: float
    unit: str
    note: str = ""


class OneOfAKind(Row):
    """A family of ingredients of which one formula holds at most one."""

    label: str
    members: tuple[str, ...]
    """Ingredient keys."""
    least_gain: float = 0.0
    """What a member must add in benefit (weight x strength), beyond what any ingredient must, to enter."""


class NeededBeside(Row):
    """What must stand in the jar for a vehicle to exist or for an ingredient to work."""

    for_vehicles: tuple[str, ...] = ()
    """Vehicle keys or `kind:<kind>`; empty: the row is about ingredients."""
    for_ingredients: tuple[str, ...] = ()
    """Ingredient keys; the need holds when any of them is chosen."""
    only_water: Literal["any", "present", "absent"] = "any"
    any_of: tuple[str, ...]
    """Ingredient keys that fill the need together."""
    min_total_percent: float
    max_total_percent: float | None = None
    function: str
    """What it does there, as a pharmacist says it."""
    severity: Literal["block", "warn", "note"] = "block"
    """What it is where it is missing in a formula that somebody wrote; the optimiser always keeps it."""


class AmountRatio(Row):
    """How much of some ingredients may stand beside others: counts when both sides are in the jar."""

    a: tuple[str, ...]
    """Ingredient keys whose grams are added up: the side that is divided by."""
    b: tuple[str, ...]
    """Ingredient keys of the other side, added up too."""
    low: float = Field(ge=0)
    """Least grams of `b` per gram of `a`."""
    high: float = Field(gt=0)
    """Most grams of `b` per gram of `a`."""
    severity: Literal["block", "warn"]
    mechanism: str


def settings() -> Mapping[str, FormulationSetting]:
    return read_table("formulation_settings", FormulationSetting)


def families() -> Mapping[str, OneOfAKind]:
    return read_table("one_of_a_kind", OneOfAKind)


def needed_beside() -> Mapping[str, NeededBeside]:
    return read_table("needed_beside", NeededBeside)


def amount_ratios() -> Mapping[str, AmountRatio]:
    return read_table("amount_ratios", AmountRatio)


TABLES: dict[str, type[Row]] = {
    "formulation_settings": FormulationSetting,
    "one_of_a_kind": OneOfAKind,
    "needed_beside": NeededBeside,
    "amount_ratios": AmountRatio,
}

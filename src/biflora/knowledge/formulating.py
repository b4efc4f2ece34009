"""What the formula's optimiser weighs: settings, one-of-a-kind families, what must stand beside what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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


def settings() -> Mapping[str, FormulationSetting]:
    return read_table("formulation_settings", FormulationSetting)


def families() -> Mapping[str, OneOfAKind]:
    return read_table("one_of_a_kind", OneOfAKind)


def needed_beside() -> Mapping[str, NeededBeside]:
    return read_table("needed_beside", NeededBeside)


TABLES: dict[str, type[Row]] = {
    "formulation_settings": FormulationSetting,
    "one_of_a_kind": OneOfAKind,
    "needed_beside": NeededBeside,
}

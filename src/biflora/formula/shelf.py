"""All knowledge that one design uses, gathered in one value, so that a test can hand in a small one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from biflora.knowledge import formulating, pharmacy

BanOf = Callable[[str], frozenset[str]]
"""Ingredient keys that an allergy forbids, cross-reactors included."""


@dataclass(frozen=True)
class Shelf:
    """The pharmacy's knowledge as the optimiser reads it."""

    ingredients: Mapping[str, pharmacy.Ingredient]
    effects: Mapping[str, pharmacy.IngredientEffect]
    vehicles: Mapping[str, pharmacy.Vehicle]
    systems: Mapping[str, pharmacy.PreservativeSystem]
    parts: Mapping[str, pharmacy.PreservativePart]
    clashes: Mapping[str, pharmacy.Incompatibility]
    strength_limits: Mapping[str, pharmacy.StrengthLimit]
    site_limits: Mapping[str, pharmacy.SiteLimit]
    beyond_use: Mapping[str, pharmacy.BeyondUseRule]
    families: Mapping[str, formulating.OneOfAKind]
    needed_beside: Mapping[str, formulating.NeededBeside]
    settings: Mapping[str, float]
    forbidden_by: BanOf

    def water(self) -> str | None:
        """Key of the water that fills an aqueous form to 100 %."""
        return next(
            (key for key, row in self.ingredients.items() if row.inci.casefold() in ("aqua", "water")), None
        )

    def parts_of(self, system: str) -> tuple[pharmacy.PreservativePart, ...]:
        return tuple(part for part in self.parts.values() if part.system == system)


@cache
def todays_shelf() -> Shelf:
    """The shelf of the installed knowledge release."""
    from biflora.knowledge import lookup

    return Shelf(
        ingredients=pharmacy.ingredients(),
        effects=pharmacy.ingredient_effects(),
        vehicles=pharmacy.vehicles(),
        systems=pharmacy.preservative_systems(),
        parts=pharmacy.preservative_parts(),
        clashes=pharmacy.incompatibilities(),
        strength_limits=pharmacy.strength_limits(),
        site_limits=pharmacy.site_limits(),
        beyond_use=pharmacy.beyond_use_rules(),
        families=formulating.families(),
        needed_beside=formulating.needed_beside(),
        settings={key: row.value for key, row in formulating.settings().items()},
        forbidden_by=lambda allergy: frozenset(lookup.banned_by(allergy)),
    )

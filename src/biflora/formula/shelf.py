"""All knowledge that one design uses, gathered in one value, so that a test can hand in a small one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property

from biflora.knowledge import checking, formulating, keeping, pharmacy

BanOf = Callable[[str], frozenset[str]]
"""Ingredient keys that an allergy forbids, cross-reactors included."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """The most of an inactive ingredient in an approved topical of one dosage form (FDA); a flag, no ceiling."""

    percent: float | None = None
    daily_mg: float | None = None
    """Milligrams a day; goes before `percent`, as the FDA replaces the one by the other."""

    def percent_at(self, grams_per_day: float) -> float | None:
        """The precedent as % w/w when `grams_per_day` are used."""
        return self.percent if self.daily_mg is None else self.daily_mg / (grams_per_day * 10)


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
    ratios: Mapping[str, formulating.AmountRatio]
    gel_strengths: Mapping[str, keeping.GelStrength]
    solubilities: Mapping[str, keeping.Solubility]
    precedents: Mapping[tuple[str, str], Precedent]
    """What approved products hold at most, by ingredient and our dosage form."""
    settings: Mapping[str, float]
    forbidden_by: BanOf

    def __post_init__(self) -> None:
        """Sort every table, so that its order in the file never decides between equally good formulas."""
        for field in fields(self):
            table = getattr(self, field.name)
            if isinstance(table, Mapping):
                object.__setattr__(self, field.name, dict(sorted(table.items())))

    @cached_property
    def water(self) -> str | None:
        """Key of the water that fills an aqueous form to 100 %."""
        return next(
            (key for key, row in self.ingredients.items() if row.inci.casefold() in ("aqua", "water")), None
        )

    @cached_property
    def _parts_by_system(self) -> Mapping[str, tuple[pharmacy.PreservativePart, ...]]:
        found: dict[str, list[pharmacy.PreservativePart]] = {}
        for part in self.parts.values():
            found.setdefault(part.system, []).append(part)
        return {system: tuple(parts) for system, parts in found.items()}

    def parts_of(self, system: str) -> tuple[pharmacy.PreservativePart, ...]:
        return self._parts_by_system.get(system, ())

    @cached_property
    def effects_by_ingredient(self) -> Mapping[str, tuple[pharmacy.IngredientEffect, ...]]:
        found: dict[str, list[pharmacy.IngredientEffect]] = {}
        for effect in self.effects.values():
            found.setdefault(effect.ingredient, []).append(effect)
        return {key: tuple(rows) for key, rows in found.items()}

    @cached_property
    def blocking_limits(self) -> Mapping[str, tuple[pharmacy.StrengthLimit, ...]]:
        """Strength limits that block, by ingredient key, whether they name it, its class or its family."""
        blocking = [limit for limit in self.strength_limits.values() if limit.severity == "block"]
        return {
            key: tuple(limit for limit in blocking if self._names(limit.ingredient, row))
            for key, row in self.ingredients.items()
        }

    def _names(self, name: str, row: pharmacy.Ingredient) -> bool:
        kind, _, value = name.partition(":")
        if not value:
            return name == row.key
        if kind == "class":
            return row.klass == value
        return value in self.families and row.key in self.families[value].members


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
        ratios=formulating.amount_ratios(),
        gel_strengths=keeping.gel_strengths(),
        solubilities=keeping.solubilities(),
        precedents=_precedents(),
        settings={key: row.value for key, row in formulating.settings().items()},
        forbidden_by=lambda allergy: frozenset(lookup.banned_by(allergy)),
    )


def _precedents() -> Mapping[tuple[str, str], Precedent]:
    found: dict[tuple[str, str], Precedent] = {}
    for form in checking.dosage_forms().values():
        for row in checking.fda_iid().values():
            if row.ingredient is None or row.dosage_form not in form.fda_forms:
                continue
            known = found.get((row.ingredient, form.key), Precedent())
            found[row.ingredient, form.key] = Precedent(
                max((p for p in (known.percent, row.max_percent) if p is not None), default=None),
                max((mg for mg in (known.daily_mg, row.max_daily_mg) if mg is not None), default=None),
            )
    return found

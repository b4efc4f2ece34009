"""A pharmacy shelf small enough to check by hand: two vehicles, nine substances, two preservative systems."""

from __future__ import annotations

from datetime import date
from typing import Any

from biflora.formula.shelf import Shelf
from biflora.knowledge.formulating import settings
from biflora.knowledge.pharmacy import (
    Incompatibility,
    Ingredient,
    IngredientEffect,
    PreservativePart,
    PreservativeSystem,
    SiteLimit,
    StrengthLimit,
    Vehicle,
)

FACT: dict[str, Any] = {
    "source": "made up for this test",
    "verification": "assumed",
    "valid_from": date(2026, 11, 23),
}


def ingredient(key: str, klass: str, low: float, high: float, phase: Any, **more: Any) -> Ingredient:
    fields: dict[str, Any] = {"pregnancy": "ok", "us_route": "EXC", "inci": key, "name": key} | more
    return Ingredient(key=key, klass=klass, min_percent=low, max_percent=high, phase=phase, **fields, **FACT)


INGREDIENTS = {
    row.key: row
    for row in (
        ingredient("water", "solvent", 0, 99, "W", inci="Aqua"),
        ingredient("gum", "gelling", 0.5, 2, "W", ph_min=3, ph_max=9),
        ingredient("acid", "buffer", 0.1, 0.1, "W", ph_min=3, ph_max=7),
        ingredient("paraben", "preservative", 0.2, 0.2, "W", ph_min=4, ph_max=8),
        ingredient("sorbate", "preservative", 0.3, 0.3, "W", ph_min=3, ph_max=6, pka=4.76),
        ingredient("steroid", "conventional_drug", 1, 1, "W", strengths_percent=(1.0,), us_route="RX-503A"),
        ingredient("retinoid", "conventional_drug", 0.1, 0.1, "W", strengths_percent=(0.1,), pregnancy="avoid"),
        ingredient("oat", "prebiotic", 1, 1, "W"),
        ingredient("grease", "emollient", 5, 100, "O", usd_per_gram=0.01),
    )
}
EFFECTS = {
    f"{who}_{effect}": IngredientEffect(
        key=f"{who}_{effect}", ingredient=who, effect=effect, strength=strength, **FACT
    )
    for who, effect, strength in (
        ("steroid", "anti_inflammatory", 0.8),
        ("retinoid", "comedolysis", 0.9),
        ("oat", "anti_inflammatory", 0.4),
        ("oat", "anti_itch", 0.5),
        ("grease", "barrier_repair", 0.6),
    )
}
VEHICLES = {
    "gel": Vehicle(
        key="gel",
        label="gel",
        dosage_form="gel",
        kind="aqueous_gel",
        water_min_percent=80,
        water_max_percent=99,
        aqueous=True,
        ph_min=4,
        ph_max=7,
        phases=("W",),
        gelling=("gum",),
        bud_rule_preserved="preserved",
        bud_rule_unpreserved="unpreserved",
        **FACT,
    ),
    "ointment": Vehicle(
        key="ointment",
        label="ointment",
        dosage_form="ointment",
        kind="anhydrous",
        aqueous=False,
        phases=("O", "A"),
        oil_min_percent=90,
        oil_max_percent=100,
        bud_rule_preserved="dry",
        **FACT,
    ),
}


def system(key: str, germs: Any, **more: Any) -> PreservativeSystem:
    return PreservativeSystem(
        key=key,
        label=key,
        bacteria_gram_positive=germs,
        bacteria_gram_negative=germs,
        yeast=germs,
        mould=germs,
        kills_live=germs == "yes",
        **more,
        **FACT,
    )


SYSTEMS = {
    "parabens": system("parabens", "yes", ph_min=4, ph_max=8),
    "sorbates": system("sorbates", "yes", ph_min=3, ph_max=6.5),
    "none_refrigerated": system("none_refrigerated", "no", refrigerate=True),
    "none_anhydrous": system("none_anhydrous", "n/a"),
}
PARTS = {
    "a": PreservativePart(key="a", system="parabens", ingredient="paraben", percent=0.2, **FACT),
    "b": PreservativePart(key="b", system="sorbates", ingredient="sorbate", percent=0.3, **FACT),
}


def small_shelf(**changes: Any) -> Shelf:
    """The small shelf; `changes` replace whole tables."""
    tables: dict[str, Any] = {
        "ingredients": INGREDIENTS,
        "effects": EFFECTS,
        "vehicles": VEHICLES,
        "systems": SYSTEMS,
        "parts": PARTS,
        "clashes": {},
        "strength_limits": {},
        "site_limits": {
            "arms": SiteLimit(
                key="arms", site="arms", ph_min=4.5, ph_max=6.5, max_irritancy=5, max_sensitisers=6, **FACT
            )
        },
        "beyond_use": {},
        "families": {},
        "needed_beside": {},
        "ratios": {},
        "gel_strengths": {},
        "solubilities": {},
        "precedents": {},
        "settings": {key: row.value for key, row in settings().items()},
        "forbidden_by": lambda name: frozenset({name}) & INGREDIENTS.keys(),
    }
    return Shelf(**(tables | changes))


def clash(a: str, b: str, **more: Any) -> dict[str, Incompatibility]:
    return {
        "clash": Incompatibility(
            key="clash", a=(a,), b=(b,), severity="block", mechanism="for the test", **more, **FACT
        )
    }


def not_at_all(key: str, **when: Any) -> dict[str, StrengthLimit]:
    return {
        "limit": StrengthLimit(
            key="limit", ingredient=key, max_percent=0, severity="block", message=f"no {key}", **when, **FACT
        )
    }

"""Needs drawn at random: every condition, odd sites, allergies, pregnancy, stock, limits, forced ones."""

from __future__ import annotations

import random

from biflora.knowledge.pharmacy import allergens, ingredients, vehicles
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs


def random_needs(seed: int) -> Needs:
    """One draw; the same seed gives the same needs."""
    draw = random.Random(seed)
    effects = draw.sample(list(Effect), draw.randint(1, 6))
    keys = list(ingredients())
    age = draw.choice([0.2, 1.5, 6, 11, 16, 25, 40, 70])
    stock = None
    if draw.random() < 0.2:
        stock = tuple(sorted({"purified_water", *draw.sample(keys, draw.randint(20, 150))}))
    return Needs(
        condition=draw.choice(list(Condition)),
        needs=tuple(
            Need(
                effect=effect,
                weight=round(draw.random(), 2),
                confidence=round(draw.uniform(0.3, 1), 2),
                because="drawn",
            )
            for effect in effects
        ),
        age_years=age,
        sites=tuple(draw.sample(list(BodySite), draw.choice([1, 1, 1, 2, 2, 3]))),
        grams_per_day=draw.choice([2.0, 10.0, 30.0, 60.0]),
        allergies=tuple(draw.sample(list(allergens()), draw.choice([0, 0, 0, 1, 2, 4, 12]))),
        avoid_ingredients=tuple(draw.sample(keys, draw.choice([0, 0, 0, 1, 3]))),
        vehicles=tuple(draw.sample(list(vehicles()), draw.choice([0, 0, 0, 0, 1, 2]))),
        pregnancy=draw.choice(["no", "no", "pregnant", "trying", "breastfeeding", "unknown"]),
        immune_status=draw.choice(["normal", "normal", "immunosuppressed", "unknown"]),
        skin_integrity=draw.choice(["intact", "intact", "excoriated", "open_wounds"]),
        prescription_actives_ok=draw.random() < 0.7,
        research_authorisation=draw.choice([None, None, None, None, "TRIAL-1"]),
        must_include=tuple(draw.sample(keys, draw.choice([0, 0, 0, 0, 1, 2]))),
        in_stock=stock,
        max_cost_usd_per_100g=draw.choice([None, None, None, 5.0, 20.0]),
        max_ingredients=draw.choice([6, 12, 18, 18, 18]),
    )

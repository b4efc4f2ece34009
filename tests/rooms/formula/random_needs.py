"""Needs drawn at random: every condition, odd sites, allergies, pregnancy, stock, lots, limits, forced ones."""

from __future__ import annotations

import os
import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from biflora.knowledge.pharmacy import allergens, ingredients, vehicles
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs, StockLot

SEEDS = st.integers(min_value=0, max_value=10**6)


def examples(usual: int) -> Any:
    """Hypothesis' settings: the same draws every time, and more of them where BIFLORA_EXAMPLES says so."""
    return settings(
        max_examples=int(os.environ.get("BIFLORA_EXAMPLES", usual)),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def random_needs(seed: int) -> Needs:
    """One draw; the same seed gives the same needs."""
    draw = random.Random(seed)
    effects = draw.sample(list(Effect), draw.randint(1, 6))
    keys = list(ingredients())
    age = draw.choice([0.2, 1.5, 6, 11, 16, 25, 40, 70])
    stock = None
    if draw.random() < 0.2:
        stock = tuple(sorted({"purified_water", *draw.sample(keys, draw.randint(20, 150))}))
    drawn = Needs(
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
    # Drawn last, so that a seed keeps all that it gave before lots were known.
    lots = draw_lots(draw) if draw.random() < 0.3 else None
    return drawn.model_copy(
        update={"batch_grams": draw.choice([30.0, 50.0, 100.0, 100.0, 103.0, 250.0, 1000.0]), "stock": lots}
    )


def draw_lots(draw: random.Random) -> tuple[StockLot, ...]:
    """Lots of most ingredients: some scarce, some expired or about to be, some with a price of their own."""
    rows = list(ingredients().values())
    lots = []
    for row in draw.sample(rows, draw.randint(len(rows) // 2, len(rows))):
        for number in range(draw.choice([1, 1, 1, 2, 3])):
            dearer = draw.choice([None, None, 0.5, 1.0, 3.0])
            lots.append(
                StockLot(
                    ingredient=row.key,
                    lot=f"L{len(lots)}-{number}",
                    grams=round(10 ** draw.uniform(-1.5, 4), 2),
                    expires_in_days=draw.choice([-30, 0, 27, 28, 60, 365, 365, 365, 730]),
                    usd_per_gram=None if dearer is None else round(dearer * row.usd_per_gram, 4),
                )
            )
    return tuple(lots)


def easy_needs(seed: int) -> Needs:
    """The same draw without what mostly makes a formula impossible: a grown-up, whole skin, nothing demanded."""
    drawn = random_needs(seed)
    return drawn.model_copy(
        update={
            "age_years": max(drawn.age_years, 16.0),
            "allergies": drawn.allergies[:1],
            "avoid_ingredients": drawn.avoid_ingredients[:1],
            "vehicles": (),
            "pregnancy": "no",
            "immune_status": "normal",
            "skin_integrity": "intact",
            "prescription_actives_ok": True,
            "must_include": (),
            "in_stock": None,
            "stock": None,
            "max_cost_usd_per_100g": None,
            "max_ingredients": 18,
        }
    )


def either_needs(seed: int) -> Needs:
    """Easy needs from even seeds, which mostly give a formula; any needs from odd ones."""
    return random_needs(seed) if seed % 2 else easy_needs(seed)


def changed(needs: Needs, **fields: Any) -> Needs:
    """The needs with other fields, validated anew."""
    return Needs.model_validate(needs.model_dump() | fields)


def with_lots(needs: Needs) -> Needs:
    """The same needs where the pharmacy has one lot of everything, as much as the whole batch."""
    lots = [{"ingredient": key, "grams": needs.batch_grams, "expires_in_days": 365} for key in ingredients()]
    return changed(needs, stock=lots)

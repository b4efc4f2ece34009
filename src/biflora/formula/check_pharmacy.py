"""The pharmacy's side: what is in stock, lots that suffice and last, the cost of materials."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, WATER, Jar, Portion, finding
from biflora.formula.keeping import storage_of
from biflora.knowledge.checking import checker_limits
from biflora.plan.plan import Needs, StockLot
from biflora.values import Finding


def check_pharmacy(jar: Jar) -> Iterator[Finding]:
    needs = jar.needs
    if needs is not None:
        for portion in jar.portions:
            if portion.row.key != WATER:
                yield from _stock(portion, needs, jar)
    yield from _cost(jar)


def _stock(portion: Portion, needs: Needs, jar: Jar) -> Iterator[Finding]:
    name, key = portion.name, portion.row.key
    if needs.in_stock is not None and key not in needs.in_stock:
        yield finding("stop", "stock", name, f"{name} is not in stock.")
    elif needs.stock is not None:
        lots = [lot for lot in needs.stock if lot.ingredient == key]
        if lots:
            yield from _lots(portion, lots, needs, jar)
        else:
            yield finding("stop", "stock", name, f"{name} is not in stock: there is no lot of it.")


def _lots(portion: Portion, lots: list[StockLot], needs: Needs, jar: Jar) -> Iterator[Finding]:
    """The longest-lasting lots are taken first; the last one that is needed gives the day."""
    name, least = portion.name, checker_limits()["lot_least_days"]
    lasting = sorted(
        (lot for lot in lots if lot.expires_in_days >= least.value), key=lambda lot: -lot.expires_in_days
    )
    if not lasting:
        longest = max(lot.expires_in_days for lot in lots)
        words = f"No lot of {name} lasts {least.value:g} days; the longest-lasting one has {longest}."
        yield finding("stop", "lot_expiry", name, words, source=least)
        return
    wanted = portion.percent / 100 * needs.batch_grams
    taken, day = 0.0, lasting[0].expires_in_days
    for lot in lasting:
        if taken >= wanted - GRAIN:
            break
        taken, day = taken + lot.grams, lot.expires_in_days
    if taken < wanted - GRAIN:
        words = f"{wanted:g} g {name} are needed for {needs.batch_grams:g} g; the lots that last hold {taken:g} g."
        yield finding("stop", "lot_amount", name, words)
    elif day < _default_days(jar):
        words = f"The lots of {name} that suffice last {day} days: the beyond-use date shortens to day {day}."
        yield finding("warn", "lot_expiry", name, words)


def _default_days(jar: Jar) -> int:
    """Days of the default beyond-use date; 0 where no rule gives one."""
    storage = storage_of(jar)
    return 0 if storage is None else storage.days or 0


def _cost(jar: Jar) -> Iterator[Finding]:
    parts = {p.name: p.percent * _price(p, jar) for p in jar.portions}
    cost, dear = sum(parts.values()), max(parts, key=lambda name: parts[name], default="")
    wanted = None if jar.needs is None else jar.needs.max_cost_usd_per_100g
    limit = checker_limits()["ingredient_cost_warn_usd"]
    about = f"Materials cost about {cost:.2f} USD per 100 g, most of it {dear}"
    if wanted is not None and cost > wanted + GRAIN:
        yield finding(
            "warn", "cost", dear, f"{about}; at most {wanted:g} was wanted (prices assumed).", source=limit
        )
    elif cost > limit.value + GRAIN:
        yield finding("warn", "cost", dear, f"{about} (prices assumed).", source=limit)


def _price(portion: Portion, jar: Jar) -> float:
    """USD per gram: the dearest of the pharmacy's usable lots, or the assumed price."""
    stock = () if jar.needs is None else jar.needs.stock or ()
    least = checker_limits()["lot_least_days"].value
    usable = [lot for lot in stock if lot.ingredient == portion.row.key and lot.expires_in_days >= least]
    told = [lot.usd_per_gram for lot in usable if lot.usd_per_gram is not None]
    return max(told, default=portion.row.usd_per_gram)

"""Company: what must stand beside an ingredient, in what ratio, and of what a formula holds only one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from biflora.formula.jar import GRAIN, Jar, finding
from biflora.knowledge.checking import checker_limits
from biflora.knowledge.formulating import AmountRatio, NeededBeside, amount_ratios, families, needed_beside
from biflora.values import Finding, Level

LEVEL: Mapping[str, Level] = {"block": "stop", "warn": "warn", "note": "note"}


def check_company(jar: Jar) -> Iterator[Finding]:
    for need in needed_beside().values():
        yield from _beside(need, jar)
    for ratio in amount_ratios().values():
        yield from _ratio(ratio, jar)
    for family in families().values():
        members = jar.named(family.members)
        if len(members) > 1:
            names = " + ".join(p.name for p in members)
            words = f"{names}: one {family.label} is enough in one jar; two add harm before they add effect."
            yield finding("warn", "one_of_a_kind", names, words, source=family)
    yield from _few(jar)


def _beside(need: NeededBeside, jar: Jar) -> Iterator[Finding]:
    """The partners of a row add up to what the vehicle or the ingredient needs."""
    if need.only_water == ("absent" if jar.vehicle.aqueous else "present"):
        return
    for_vehicle = {jar.vehicle.key, f"kind:{jar.vehicle.kind}"} & set(need.for_vehicles)
    who = [jar.vehicle.label] if for_vehicle else [p.name for p in jar.named(need.for_ingredients)]
    total = sum(p.percent for p in jar.named(need.any_of))
    most = need.max_total_percent
    if not who or (total >= need.min_total_percent - GRAIN and (most is None or total <= most + GRAIN)):
        return
    top = "" if most is None else f" to {most:g}"
    words = (
        f"{' and '.join(who)} needs {need.min_total_percent:g}{top} % {need.function} "
        f"({', '.join(need.any_of)}); the formula holds {total:g} %."
    )
    yield finding(LEVEL[need.severity], "needed_beside", " + ".join(who), words, source=need)


def _ratio(ratio: AmountRatio, jar: Jar) -> Iterator[Finding]:
    """Grams of the second side for each gram of the first, where both are in the jar."""
    firsts, seconds = jar.named(ratio.a), jar.named(ratio.b)
    first, second = (sum(p.percent for p in side) for side in (firsts, seconds))
    within = ratio.low * first - GRAIN <= second <= ratio.high * first + GRAIN
    if not firsts or not seconds or within:
        return
    names = [" and ".join(p.name for p in side) for side in (firsts, seconds)]
    words = (
        f"{second / first:.2f} g {names[1]} for each g {names[0]}; it is to be {ratio.low:g} to {ratio.high:g} g: "
        f"{ratio.mechanism}."
    )
    yield finding(
        LEVEL[ratio.severity], "amount_ratio", " + ".join(p.name for p in (*firsts, *seconds)), words, source=ratio
    )


def _few(jar: Jar) -> Iterator[Finding]:
    limits = checker_limits()
    # the skin's own lipids come in threes and irritate nobody
    actives = [p for p in jar.actives() if p.row.klass != "lipid"]
    most = limits["max_actives"]
    asked = 0 if jar.needs is None else len(jar.needs.ordered)
    if len(actives) > max(most.value, asked):
        names = ", ".join(p.name for p in actives)
        words = f"{len(actives)} actives ({names}): when the skin reacts nobody can tell which one did it."
        yield finding("warn", "max_actives", "all actives", words, source=most)
    count, wanted = len(jar.portions), limits["max_ingredients"]
    if jar.needs is not None and count > jar.needs.max_ingredients:
        words = f"{count} ingredients; at most {jar.needs.max_ingredients} were wanted."
        yield finding("warn", "max_ingredients", "all lines", words)
    elif jar.needs is None and count > wanted.value:
        words = f"{count} ingredients: hard to make, and hard to blame one when the skin reacts."
        yield finding("warn", "max_ingredients", "all lines", words, source=wanted)

"""How a formula keeps, in plain arithmetic: loss of actives, death of live cells, what dissolves and protects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from biflora.formula.formula import Formula
from biflora.formula.jar import LIVE, WATER, Jar, Portion, portions_of
from biflora.knowledge.checking import checker_limit
from biflora.knowledge.keeping import (
    ContainerKind,
    Feature,
    LiveDecay,
    ProtectionNeed,
    Solubility,
    StabilityRate,
    container_kinds,
    live_decay,
    protection_needs,
    solubilities,
    stability_rates,
    storage_temperatures,
    water_binders,
)
from biflora.knowledge.pharmacy import (
    BeyondUseRule,
    beyond_use_rules,
    ingredients,
    preservative_parts,
    preservative_systems,
    vehicles,
)
from biflora.plan.plan import Needs

GAS_CONSTANT = 8.314462618
"""J/(mol K), exact by the definition of the mole and the kelvin."""
KELVIN = 273.15
REFERENCE_C = 25.0
"""The temperature that the tables' rates are given for (`k25_per_day`, `d25_days`)."""
WATER_MOLAR_MASS = 18.015
"""g/mol."""
DRUGS = ("conventional_drug", "keratolytic", "hair")
"""Ingredient classes whose strength the label promises: an unknown rate of loss is told."""


class Spread(NamedTuple):
    """A figure with the ends of its interval."""

    likely: float
    low: float
    high: float


class Days(NamedTuple):
    """A number of days with the ends of its interval."""

    likely: float
    soonest: float
    latest: float | None
    """None: nothing shows that the day ever comes."""


class Storage(NamedTuple):
    """What the default beyond-use rule says about this formula."""

    rule: BeyondUseRule
    days: int | None
    """None: the rule gives no number."""
    where: str
    """Key of storage_temperatures: `fridge` or `room`."""


class Capacity(NamedTuple):
    """What the solvents of a jar can dissolve of one ingredient, % w/w of the formula."""

    percent: Spread
    unknown: tuple[str, ...]
    """Names of solvents in the jar for which no figure is known; they count as dissolving nothing."""
    rows: tuple[Solubility, ...]


def jar_of(formula: Formula, needs: Needs | None = None) -> Jar | None:
    """The formula with its rows of knowledge; None when its vehicle is not one of this release."""
    vehicle = vehicles().get(formula.vehicle)
    if vehicle is None:
        return None
    return Jar(formula, vehicle, portions_of(formula.lines, ingredients()), needs)


def celsius(where: str) -> float:
    """Temperature of a storage word: `fridge`, `room` or `hot`."""
    return storage_temperatures()[where].celsius


def arrhenius(ea_kj_per_mol: float, temperature_c: float) -> float:
    """By what factor a first-order rate changes from 25 °C to another temperature."""
    inverse = 1 / (temperature_c + KELVIN) - 1 / (REFERENCE_C + KELVIN)
    return math.exp(-ea_kj_per_mol * 1000 / GAS_CONSTANT * inverse)


def loss_per_day(rate: StabilityRate, temperature_c: float) -> Spread:
    """First-order rate of loss, per day: k25 x exp(-Ea/R x (1/T - 1/298.15 K)), ends from all corners."""
    factors = [arrhenius(ea, temperature_c) for ea in (rate.ea_low, rate.ea_kj_per_mol, rate.ea_high)]
    return Spread(rate.k25_per_day * factors[1], rate.low * min(factors), rate.high * max(factors))


def days_to_least_share(rate: StabilityRate, temperature_c: float) -> Days:
    """Days until only the least share (90 %) is left: t90 = ln(10/9) / k."""
    k = loss_per_day(rate, temperature_c)
    tenth = -math.log(checker_limit("potency_least_share"))
    return Days(tenth / k.likely, tenth / k.high, tenth / k.low if k.low > 0 else None)


def share_left(rate: StabilityRate, temperature_c: float, days: float) -> Spread:
    """Share of the active that is left after some days, 0-1: exp(-k t)."""
    k = loss_per_day(rate, temperature_c)
    return Spread(math.exp(-k.likely * days), math.exp(-k.high * days), math.exp(-k.low * days))


def tenfold_days(decay: LiveDecay, temperature_c: float, water_activity: float) -> Spread:
    """Days for a tenfold loss of live cells, D(T, aw)."""
    damp = 10 ** (-max(water_activity - decay.aw_reference, 0) / decay.aw_per_tenfold)
    slower = [1 / arrhenius(ea, temperature_c) for ea in (decay.ea_low, decay.ea_kj_per_mol, decay.ea_high)]
    return Spread(
        decay.d25_days * damp * slower[1], decay.low * damp * min(slower), decay.high * damp * max(slower)
    )


def cells_at_first(portion: Portion) -> float:
    """log10 of the live cells in a gram of the formula on the day of making (the start is assumed)."""
    return checker_limit("live_start_log10") + math.log10(portion.percent / 100)


def cells_left(portion: Portion, jar: Jar, temperature_c: float, days: float) -> Spread:
    """log10 of the live cells in a gram after some days: log10 N = log10 N0 - t/D(T, aw)."""
    start = cells_at_first(portion)
    tenfold = tenfold_days_of(portion, jar, temperature_c)
    return Spread(start - days / tenfold.likely, start - days / tenfold.low, start - days / tenfold.high)


def days_alive(portion: Portion, jar: Jar, temperature_c: float) -> Spread:
    """Days until a gram holds fewer live cells than the least that counts; 0 when it does at once."""
    above = max(cells_at_first(portion) - checker_limit("live_min_log10"), 0.0)
    tenfold = tenfold_days_of(portion, jar, temperature_c)
    return Spread(above * tenfold.likely, above * tenfold.low, above * tenfold.high)


def tenfold_days_of(portion: Portion, jar: Jar, temperature_c: float) -> Spread:
    """Days for a tenfold loss of this strain in this jar; the powder of a kit is dry until it is used."""
    damp = checker_limit("water_activity_anhydrous") if jar.powder_apart else water_activity(jar).likely
    return tenfold_days(decay_of(portion, jar), temperature_c, damp)


def decay_of(portion: Portion, jar: Jar) -> LiveDecay:
    """The state in which the cells of this strain are in this jar."""
    rows = live_decay()
    if not jar.wet or jar.powder_apart:
        return rows["dry"]
    return next((row for row in rows.values() if portion.row.key in row.ingredients), rows["free"])


def rate_of(portion: Portion, jar: Jar) -> StabilityRate | None:
    """The rate that holds for this ingredient in this jar; None when none is known.

    A rate that was found beside something in this jar comes first; of several others the fastest counts.
    """
    ph = jar.formula.ph
    fitting = [
        row
        for row in _rates_by_ingredient().get(portion.row.key, ())
        if jar.vehicle.kind in row.vehicle_kinds
        and (not row.beside or any(jar.percent_of(key) > 0 for key in row.beside))
        and _inside(ph, row.ph_min, row.ph_max)
    ]
    return max(fitting, key=lambda row: (bool(row.beside), row.k25_per_day), default=None)


def _inside(ph: float | None, low: float | None, high: float | None) -> bool:
    """Whether the pH is in the window; without a pH only a window that is open on both sides fits."""
    if ph is None:
        return low is None and high is None
    return (low is None or ph >= low) and (high is None or ph <= high)


def storage_of(jar: Jar) -> Storage | None:
    """The default beyond-use rule, its days and where the label says to keep it; None where there is no rule."""
    system = preservative_systems().get(jar.formula.preservative_system)
    refrigerate = system is not None and system.refrigerate
    parts = any(part.system == jar.formula.preservative_system for part in preservative_parts().values())
    self_preserving = system is not None and system.self_preserving
    preserved = (parts or self_preserving) and not refrigerate
    key = (
        jar.vehicle.bud_rule_preserved
        if preserved or not jar.vehicle.aqueous
        else jar.vehicle.bud_rule_unpreserved
    )
    rule = beyond_use_rules().get(key or "")
    if rule is None:
        return None
    cold = rule.room_days is None or refrigerate
    return Storage(rule, rule.fridge_days if cold else rule.room_days, "fridge" if cold else "room")


def live_storage_of(jar: Jar) -> Storage:
    """The same for live strains, which are kept cold wherever the rule allows it."""
    rule = beyond_use_rules()[jar.vehicle.bud_rule_unpreserved or jar.vehicle.bud_rule_preserved]
    cold = rule.fridge_days is not None
    return Storage(rule, rule.fridge_days if cold else rule.room_days, "fridge" if cold else "room")


def water_activity(jar: Jar) -> Spread:
    """Water activity from what is dissolved: the product over the solutes (Ross) of x_w exp(-K x_s^2) (Norrish).

    Without water the class's usual figure is given.
    """
    water = jar.water_percent
    if water <= 0:
        return Spread(
            checker_limit("water_activity_anhydrous"),
            checker_limit("water_activity_anhydrous_low"),
            checker_limit("water_activity_anhydrous_high"),
        )
    activity, moles_of_water = 1.0, water / WATER_MOLAR_MASS
    for binder in water_binders().values():
        moles = binder.particles * jar.percent_of(binder.ingredient) / binder.molar_mass
        share = moles / (moles + moles_of_water)
        activity *= (1 - share) * math.exp(-binder.norrish_k * share**2)
    error = checker_limit("water_activity_error")
    return Spread(activity, max(activity - error, 0.0), min(activity + error, 1.0))


def capacity(portion: Portion, jar: Jar) -> Capacity | None:
    """What the jar's solvents dissolve of this ingredient, each as much as it does alone (additive; assumed).

    None when no solubility of the ingredient is known.
    """
    rows = _solubilities_by_ingredient().get(portion.row.key)
    if not rows:
        return None
    likely = low = high = 0.0
    used = []
    for row in rows:
        grams = sum(p.percent for p in jar.named((row.solvent,)) if p.row.key != portion.row.key)
        if grams <= 0:
            continue
        # An acid dissolves as its salt besides: the whole is the undissociated part times 1 + 10^(pH - pKa).
        ionised = 1.0
        if row.acid_pka is not None and jar.formula.ph is not None:
            ionised += 10 ** (jar.formula.ph - row.acid_pka)
        dissolved = grams / 100 * ionised
        likely += row.grams_per_100g * dissolved
        low += row.low * dissolved
        high += row.high * dissolved
        used.append(row)
    known = {row.solvent for row in rows}
    least = checker_limit("solvent_least_percent")
    unknown = [
        p.name
        for p in jar.portions
        if p.row.key in _solvents() - known and p.percent >= least and p.row.key != portion.row.key
    ]
    return Capacity(Spread(likely, low, high), tuple(unknown), tuple(used))


def protections(jar: Jar) -> tuple[tuple[Portion, ProtectionNeed], ...]:
    """Which ingredient of the jar needs which feature of its container."""
    return tuple(
        (portion, need)
        for need in protection_needs().values()
        for portion in jar.named((need.ingredient,))
        if portion.percent > 0
    )


def features_needed(jar: Jar) -> tuple[Feature, ...]:
    """The features that the container should have, each once."""
    return tuple(dict.fromkeys(need.feature for _, need in protections(jar)))


def suitable_containers(formula: Formula) -> tuple[ContainerKind, ...]:
    """Container kinds for this dosage form that lack nothing needed; else those that lack only what is advised."""
    jar = jar_of(formula)
    if jar is None:
        return ()
    kinds = [kind for kind in container_kinds().values() if jar.vehicle.dosage_form in kind.dosage_forms]
    needs = [need for _, need in protections(jar)]
    for wanted in (needs, [need for need in needs if need.severity == "stop"]):
        fit = tuple(kind for kind in kinds if all(need.feature in kind.features for need in wanted))
        if fit:
            return fit
    return ()


def live_portions(jar: Jar) -> tuple[Portion, ...]:
    return jar.of_class(LIVE)


@cache
def _rates_by_ingredient() -> Mapping[str, tuple[StabilityRate, ...]]:
    found: dict[str, tuple[StabilityRate, ...]] = {}
    for row in stability_rates().values():
        found[row.ingredient] = (*found.get(row.ingredient, ()), row)
    return found


@cache
def _solubilities_by_ingredient() -> Mapping[str, tuple[Solubility, ...]]:
    found: dict[str, tuple[Solubility, ...]] = {}
    for row in solubilities().values():
        found[row.ingredient] = (*found.get(row.ingredient, ()), row)
    return found


@cache
def _solvents() -> frozenset[str]:
    """Ingredient keys that some row names as a solvent; water among them."""
    return frozenset({WATER} | {row.solvent for row in solubilities().values() if ":" not in row.solvent})

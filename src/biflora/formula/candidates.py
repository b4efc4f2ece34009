"""Which ingredients and vehicles may enter this patient's formula, how strong, and what stands against each.

Nothing is dropped silently: every ingredient keeps the bars against it, so that an explanation and a search
for reasons can name them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from biflora.errors import ClinicianMust
from biflora.formula.formula import MILLION
from biflora.formula.shelf import Shelf
from biflora.knowledge.pharmacy import Ingredient, StrengthLimit, Vehicle
from biflora.plan.plan import Condition, Needs, StockLot
from biflora.values import Who

STRUCTURE = frozenset(
    {
        "emollient",
        "humectant",
        "emulsifier",
        "gelling",
        "preservative",
        "antioxidant",
        "chelator",
        "buffer",
        "solvent",
    }
)
"""Classes that build the vehicle; all others are actives."""
LIVE = "probiotic_live"
PPM_PER_PERCENT = MILLION // 100
HAIR = 1e-6
"""Of a part per million: what the division of a lot that is just enough may lose."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that stands against an ingredient or a vehicle."""

    rule: str
    subject: str
    """Within the rule: the allergy's name, the wish, ... ; empty when the rule is one whole."""
    message: str

    @property
    def guard(self) -> tuple[str, str]:
        return (self.rule, self.subject)


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on an ingredient's amount."""

    bar: Bar
    ppm: int
    rinse_off: str = "any"
    """`yes` or `no`: holds only in vehicles that are, or are not, rinsed off."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ingredient as this patient's formula may hold it."""

    row: Ingredient
    serves: Mapping[str, float]
    """Strength 0-1 by wanted effect."""
    bars: tuple[Bar, ...]
    caps: tuple[Cap, ...]
    levels_ppm: tuple[int, ...]
    """Amounts to choose from, weakest first; empty: any amount of the grid."""
    usual_ppm: int
    strong_ppm: int
    """From here on an active counts with all its irritancy, below with half of it, rounded up."""
    step_ppm: int
    usd_per_gram: float
    """The pharmacy's own price where its lots tell one, else the assumed one."""

    @property
    def key(self) -> str:
        return self.row.key

    @property
    def is_active(self) -> bool:
        return self.row.klass not in STRUCTURE

    @property
    def low_ppm(self) -> int:
        return ppm(self.row.min_percent)

    @property
    def high_ppm(self) -> int:
        return ppm(self.row.max_percent)

    @property
    def label(self) -> str:
        return self.row.name or self.row.key


@dataclass(frozen=True, slots=True)
class VehicleChoice:
    row: Vehicle
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Choices:
    """All ingredients and vehicles with what stands against them."""

    ingredients: Mapping[str, Candidate]
    vehicles: Mapping[str, VehicleChoice]
    weights: Mapping[str, float]
    """Weight times confidence by wanted effect."""
    must_have: frozenset[str]
    because: Mapping[str, str] = field(default_factory=dict)


WHO: Mapping[str, Who] = {
    "allergy": Who.PRESCRIBER,
    "wish": Who.PATIENT,
    "vehicle_wish": Who.PATIENT,
    "cost": Who.PATIENT,
    "prescription": Who.PRESCRIBER,
    "must_include": Who.PRESCRIBER,
    "max_ingredients": Who.PRESCRIBER,
    "max_actives": Who.PRESCRIBER,
    "site": Who.PRESCRIBER,
    "irritancy": Who.PRESCRIBER,
    "sensitisers": Who.PRESCRIBER,
    "condition": Who.PRESCRIBER,
    "wanted_effect": Who.PRESCRIBER,
    "stock": Who.PHARMACY,
    "route": Who.LAW,
    "live": Who.LAW,
    "pregnancy": Who.EVIDENCE,
    "age": Who.EVIDENCE,
    "skin_integrity": Who.EVIDENCE,
    "one_of_a_kind": Who.EVIDENCE,
    "strength": Who.EVIDENCE,
    "ph": Who.CHEMISTRY,
    "incompatible": Who.CHEMISTRY,
    "preservation": Who.CHEMISTRY,
    "emulsion": Who.CHEMISTRY,
    "solubility": Who.CHEMISTRY,
    "ratio": Who.CHEMISTRY,
    "build": Who.CHEMISTRY,
}
"""Who can lift each rule."""


def ppm(percent: float) -> int:
    """Parts per million of `percent` % w/w."""
    return round(percent * PPM_PER_PERCENT)


def weigh_choices(needs: Needs, shelf: Shelf) -> Choices:
    """Every ingredient and vehicle with the bars against it. Raises ClinicianMust for unknown names."""
    weights: dict[str, float] = {}
    because: dict[str, str] = {}
    for need in needs.needs:
        worth = need.weight * need.confidence
        if worth >= weights.get(need.effect.value, -1.0):
            weights[need.effect.value] = worth
            because[need.effect.value] = need.because
    _refuse_unknown(needs, shelf)
    barred = _named_bars(needs, shelf)
    ingredients = {
        key: _candidate(row, needs, shelf, barred.get(key, ()), weights)
        for key, row in sorted(shelf.ingredients.items())
    }
    vehicles = {key: VehicleChoice(row, tuple(_vehicle_bars(row, needs))) for key, row in shelf.vehicles.items()}
    least = shelf.settings["must_have_weight"]
    must = frozenset(need.effect.value for need in needs.needs if need.weight >= least)
    return Choices(ingredients, vehicles, weights, must, because)


def _refuse_unknown(needs: Needs, shelf: Shelf) -> None:
    for field_name, names, known in (
        ("must_include", needs.must_include, shelf.ingredients),
        ("exact_percent", tuple(needs.exact_percent), shelf.ingredients),
        ("in_stock", needs.in_stock or (), shelf.ingredients),
        ("stock", tuple(lot.ingredient for lot in needs.stock or ()), shelf.ingredients),
        ("vehicles", needs.vehicles, shelf.vehicles),
    ):
        for name in names:
            if name not in known:
                import difflib

                close = ", ".join(difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)) or "none is close"
                raise ClinicianMust(
                    f"needs: '{field_name}' names '{name}', which biflora does not know; close keys: {close}."
                )
    preservatives = [key for key in needs.exact_percent if shelf.ingredients[key].klass == "preservative"]
    if preservatives:
        raise ClinicianMust(
            f"needs: 'exact_percent' names {', '.join(preservatives)}: the strength of a preservative belongs to "
            "its system. Leave it out, or check a formula of your own."
        )


def _named_bars(needs: Needs, shelf: Shelf) -> dict[str, tuple[Bar, ...]]:
    bars: dict[str, tuple[Bar, ...]] = {}
    for rule, names, words in (
        ("allergy", needs.allergies, "the patient is allergic to {}"),
        ("wish", needs.avoid_ingredients, "the patient does not want {}"),
    ):
        for name in dict.fromkeys(names):
            for key in shelf.forbidden_by(name):
                bars[key] = (*bars.get(key, ()), Bar(rule, name, words.format(name)))
    return bars


def _candidate(
    row: Ingredient, needs: Needs, shelf: Shelf, named: tuple[Bar, ...], weights: Mapping[str, float]
) -> Candidate:
    serves = {
        effect.effect: effect.strength
        for effect in shelf.effects_by_ingredient.get(row.key, ())
        if effect.effect in weights
        and effect.strength > 0
        and (not effect.conditions or needs.condition.value in effect.conditions)
    }
    bars = [*named, *_bars(row, needs, shelf)]
    caps: list[Cap] = []
    for limit in limits_on(row, needs, shelf):
        bar = Bar(_limit_rule(limit), "", limit.message)
        if limit.max_percent <= 0:
            if limit.rinse_off == "any":
                bars.append(bar)
            else:
                caps.append(Cap(bar, 0, limit.rinse_off))
        else:
            caps.append(Cap(bar, ppm(limit.max_percent), limit.rinse_off))
    price = row.usd_per_gram
    if needs.stock is not None:
        price = _from_lots(row, needs.stock, needs, shelf, bars, caps)
    step = _step(row, shelf)
    levels, usual = _levels(row, serves, shelf.blocking_limits.get(row.key, ()), step)
    if row.key in needs.exact_percent:
        usual = ppm(needs.exact_percent[row.key])
        levels = (usual,)
        if usual > ppm(row.max_percent):
            bars.append(Bar("strength", "", f"{row.name} goes up to {row.max_percent:g} %"))
    return Candidate(row, serves, tuple(bars), tuple(caps), levels, usual, _strong(row), step, price)


def _strong(row: Ingredient) -> int:
    """The middle of the strengths that are sold, or of the range, in parts per million, rounded up."""
    if row.strengths_percent:
        return ppm(sorted(row.strengths_percent)[len(row.strengths_percent) // 2])
    return math.ceil(math.sqrt(row.min_percent * row.max_percent) * PPM_PER_PERCENT - HAIR)


def _from_lots(
    row: Ingredient, stock: Iterable[StockLot], needs: Needs, shelf: Shelf, bars: list[Bar], caps: list[Cap]
) -> float:
    """Add what the pharmacy's lots forbid or limit; returns the price of a gram, USD."""
    lots = [lot for lot in stock if lot.ingredient == row.key]
    least_days = shelf.settings["least_days_of_use"]
    usable = [lot for lot in lots if lot.expires_in_days >= least_days]
    if row.key == shelf.water:
        pass  # water needs no lot; only its price counts
    elif not lots:
        bars.append(Bar("stock", "", f"{row.name} is not in stock"))
    elif not usable:
        latest = max(lot.expires_in_days for lot in lots)
        left = f"expires in {latest} days" if latest >= 0 else f"expired {-latest} days ago"
        bars.append(Bar("stock", "", f"the last lot of {row.name} {left}; {least_days:g} days of use are needed"))
    else:
        most = int(sum(lot.grams for lot in usable) / needs.batch_grams * MILLION + HAIR)
        caps.append(Cap(Bar("stock", "", f"too little {row.name} is in stock"), min(most, MILLION)))
    prices = [lot.usd_per_gram for lot in usable if lot.usd_per_gram is not None]
    return max(prices, default=row.usd_per_gram)


def limits_on(row: Ingredient, needs: Needs, shelf: Shelf) -> Iterable[StrengthLimit]:
    """Blocking limits that hold for this ingredient in this patient (rinse-off is left to the vehicle)."""
    for limit in shelf.blocking_limits.get(row.key, ()):
        if limit.sites and not any(site.value in limit.sites for site in needs.sites):
            continue
        if limit.age_below_years is not None and needs.age_years >= limit.age_below_years:
            continue
        if limit.pregnancy and needs.pregnancy not in limit.pregnancy:
            continue
        if limit.skin_integrity and needs.skin_integrity not in limit.skin_integrity:
            continue
        if limit.conditions and needs.condition.value not in limit.conditions:
            continue
        yield limit


def _limit_rule(limit: StrengthLimit) -> str:
    if limit.pregnancy:
        return "pregnancy"
    if limit.age_below_years is not None:
        return "age"
    if limit.skin_integrity:
        return "skin_integrity"
    if limit.sites:
        return "site"
    if limit.conditions:
        return "condition"
    return "strength"


def _bars(row: Ingredient, needs: Needs, shelf: Shelf) -> Iterable[Bar]:
    if row.pregnancy in ("avoid", "contraindicated") and needs.pregnancy in (
        "pregnant",
        "trying",
        "breastfeeding",
    ):
        yield Bar("pregnancy", "", f"{row.name} is to be avoided in pregnancy and while breastfeeding")
    elif row.pregnancy == "contraindicated" and needs.pregnancy == "unknown":
        yield Bar("pregnancy", "", f"{row.name} must not be used unless pregnancy is excluded")
    if needs.age_years < row.min_age_years:
        yield Bar("age", "", f"{row.name} is not for patients under {row.min_age_years:g} years")
    route = row.us_route
    if row.klass == LIVE or "LBP" in route:
        if needs.research_authorisation is None:
            yield Bar("live", "", f"{row.name} is live: only under a recorded research authorisation")
        if needs.skin_integrity == "open_wounds" or needs.immune_status == "immunosuppressed":
            yield Bar("skin_integrity", "", f"{row.name} is live: never on open wounds or with weak immunity")
    if "PATENTED" in route and row.key not in needs.ordered:
        yield Bar("route", "", f"{row.name} is patented: a compounded copy is not proposed")
    if ("FLAG" in route and route.startswith("RX")) or "503A_REVIEW" in route:
        yield Bar("route", "", f"{row.name} has no settled legal basis for compounding")
    if route.startswith("DEVICE"):
        yield Bar("route", "", f"{row.name} is a step of its own, never part of a compounded mixture")
    if is_prescription(row) and not needs.prescription_actives_ok:
        yield Bar("prescription", "", f"{row.name} needs a prescription, which was not allowed")
    if row.max_percent <= 0:
        yield Bar("route", "", f"{row.name} is listed with an upper limit of 0 %: never used")
    if needs.in_stock is not None and row.key not in needs.in_stock and row.key != shelf.water:
        yield Bar("stock", "", f"{row.name} is not in stock")
    if needs.condition is Condition.ACNE and row.comedogenic:
        yield Bar("condition", "", f"{row.name} is comedogenic, which acne does not allow")
    if needs.condition is Condition.SEBORRHOEIC_DERMATITIS and row.feeds_malassezia:
        yield Bar("condition", "", f"{row.name} feeds Malassezia, which seborrhoeic dermatitis does not allow")


def is_prescription(row: Ingredient) -> bool:
    """True when a prescriber must order it in the USA (an `RX_OTC` ingredient is also sold without)."""
    return row.us_route.startswith("RX") and not row.us_route.startswith("RX_OTC")


def _vehicle_bars(row: Vehicle, needs: Needs) -> Iterable[Bar]:
    if needs.vehicles and row.key not in needs.vehicles:
        yield Bar("vehicle_wish", "", f"{row.label} is not among the wanted vehicles")
    wrong = [site.value for site in needs.sites if row.sites and site.value not in row.sites]
    if wrong:
        yield Bar("site", "", f"{row.label} does not suit {', '.join(wrong)}")
    if row.conditions and needs.condition.value not in row.conditions and row.key not in needs.vehicles:
        condition = needs.condition.value.replace("_", " ")
        yield Bar("condition", "", f"{row.label} is not a vehicle for {condition}, unless it is asked for")
    only_live = row.kind == "powder_kit" or (row.kind == "solution" and row.live_ok)
    if only_live and (needs.research_authorisation is None or row.key not in needs.vehicles):
        yield Bar("route", "", f"{row.label} is made only for live strains in research")


def _step(row: Ingredient, shelf: Shelf) -> int:
    settings = shelf.settings
    if row.min_percent < settings["fine_below_min"]:
        return ppm(settings["weighing_grid_fine"])
    if row.max_percent >= settings["coarse_from_max"]:
        return ppm(settings["weighing_grid_coarse"])
    return ppm(settings["weighing_grid"])


def _levels(
    row: Ingredient, serves: Mapping[str, float], limits: Iterable[StrengthLimit], step: int
) -> tuple[tuple[int, ...], int]:
    """Amounts for an ingredient that serves an effect: the lowest, the usual and each that a limit leaves.

    More than the usual strength is never assumed to do more, so nothing above it is offered. The limits count
    whether or not they hold for this patient: a stricter world must not offer what a milder one does not.
    """
    if row.strengths_percent:
        strengths = tuple(sorted(ppm(percent) for percent in row.strengths_percent))
        return strengths, strengths[len(strengths) // 2]
    low, high = ppm(row.min_percent), ppm(row.max_percent)
    usual = max(low, min(high, round((max(low, 1) * high) ** 0.5 / step) * step))
    if not serves or row.klass in STRUCTURE:
        return (), usual
    steps = {low, usual, *(ppm(each.max_percent) for each in limits if low <= ppm(each.max_percent) < usual)}
    return tuple(sorted(steps)), usual

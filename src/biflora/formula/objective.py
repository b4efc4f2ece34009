"""What the optimiser aims at, in order: must-have effects, benefit, risk, burden and cost.

Each aim is a whole number; the next higher one counts more than all lower ones together could give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biflora.formula.candidates import LIVE, ppm
from biflora.formula.formula import MILLION
from biflora.formula.programme import Programme

if TYPE_CHECKING:
    from biflora.formula.model import FormulaModel

BENEFIT_SCALE = 1000
"""Benefit points for one effect of weight 1 served at strength 1."""
DIMES = 10
COST_SCALE = 10_000
"""Prices are taken to a hundredth of a cent per gram."""
UNITS_PER_USD = 100_000_000
"""COST_SCALE times ppm per 100 g: 1 USD per 100 g in the programme's units."""
MOST_USD = 300
"""Nothing dearer per 100 g is designed."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one answer reaches on each aim."""

    first: int
    """Must-have effects served, less more than all of them when water is left unpreserved."""
    points: int
    """Benefit in thousandths, after each ingredient has earned its place."""
    risk: int
    burden: int

    @property
    def benefit(self) -> float:
        return self.points / BENEFIT_SCALE


class Aims:
    """The aims of one model, added to its programme as one exact lexicographic objective."""

    def __init__(self, model: FormulaModel) -> None:
        self._model = model
        self.served: dict[str, int] = {}
        self.points: dict[int, int] = {}
        """Benefit by variable, in thousandths; what an ingredient must earn is taken off."""
        self.risk: dict[int, int] = {}
        self.burden: dict[int, int] = {}
        self.multipliers = (1, 1, 1)
        self.in_order: tuple[dict[int, int], ...] = ()
        """The aims one after the other, each to be made as large as possible."""

    def add(self) -> None:
        """First what is demanded; then what is aimed at, which a search for reasons does not need."""
        self._demand_effects()
        self._limit_cost()
        if self._model.liftable:
            return
        self._serve()
        self._weigh_risk()
        self._weigh_burden()
        programme = self._model.programme
        per_risk = _span(self.burden, programme) + 1
        per_point = per_risk * (_span(self.risk, programme) + 1)
        per_effect = per_point * (_span(self.points, programme) + 1)
        self.multipliers = (per_effect, per_point, per_risk)
        must = self._first_aim()
        risk = {v: -c for v, c in self.risk.items()}
        burden = {v: -c for v, c in self.burden.items()}
        self.in_order = (must, self.points, risk, burden)
        for terms, multiplier in zip(self.in_order, (per_effect, per_point, per_risk, 1), strict=True):
            for variable, value in terms.items():
                programme.reward(variable, value * multiplier)

    def _first_aim(self) -> dict[int, int]:
        """Must-have effects served; leaving water unpreserved is the last resort and outweighs them all."""
        model = self._model
        first = {v: 1 for effect, v in self.served.items() if effect in model.choices.must_have}
        if model.vehicle.row.aqueous:
            for key, chosen in model.systems.items():
                if not model.shelf.parts_of(key):
                    first[chosen] = -len(model.choices.must_have) - 1
        return first

    def _demand_effects(self) -> None:
        """At least one wanted effect is served; `served` is true only where an ingredient serves."""
        model, programme = self._model, self._model.programme
        for effect, keys in self._servants().items():
            served = self.served[effect] = programme.yes_no(f"{effect} served")
            programme.demand({served: -1} | {model.on[key]: 1 for key in keys}, low=0)
        programme.one_of(self.served.values(), when=model.when("wanted_effect"))

    def _servants(self) -> dict[str, list[str]]:
        model = self._model
        servants: dict[str, list[str]] = {effect: [] for effect in model.choices.weights}
        for key in model.on:
            for effect in model.choices.ingredients[key].serves:
                servants[effect].append(key)
        return servants

    def _limit_cost(self) -> None:
        model, programme = self._model, self._model.programme
        cost, all_water = self._cost()
        programme.demand(cost, high=MOST_USD * UNITS_PER_USD - all_water)
        if model.needs.max_cost_usd_per_100g is not None:
            most = int(model.needs.max_cost_usd_per_100g * UNITS_PER_USD)
            programme.demand(cost, high=most - all_water, when=model.when("cost"))

    def _cost(self) -> tuple[dict[int, int], int]:
        """What 100 g cost beyond 100 g of water, and what those cost, in the programme's units."""
        rows, water = self._model.choices.ingredients, self._model.water
        water_price = 0 if water is None else round(COST_SCALE * rows[water].usd_per_gram)
        units: dict[int, int] = {}
        for key, terms in self._model.amount.items():
            dearer = round(COST_SCALE * rows[key].usd_per_gram) - water_price
            for variable, coefficient in terms.items():
                units[variable] = units.get(variable, 0) + dearer * coefficient
        return units, water_price * MILLION

    def _serve(self) -> None:
        """Diminishing returns: the best for an effect counts fully, the second by a share, a third not."""
        model, programme = self._model, self._model.programme
        settings = model.shelf.settings
        shares = (1.0, settings["second_ingredient_share"])
        weaker = settings["weaker_dose_share"]
        for effect, keys in self._servants().items():
            by_rank: list[dict[int, int]] = []
            by_key: dict[str, dict[int, int]] = {key: {model.on[key]: -1} for key in keys}
            for rank, share in enumerate(shares[: len(keys)], start=1):
                seats: dict[int, int] = {}
                for key in keys:
                    worth = BENEFIT_SCALE * model.choices.weights[effect] * share
                    worth *= model.choices.ingredients[key].serves[effect]
                    seat = programme.yes_no(f"{key} is number {rank} for {effect}")
                    strong = programme.yes_no(f"{key} is number {rank} for {effect} at usual strength")
                    programme.demand({strong: 1, seat: -1}, high=0)
                    programme.demand({strong: 1, model.full[key]: -1}, high=0)
                    self.points[seat] = round(worth * weaker)
                    self.points[strong] = round(worth) - round(worth * weaker)
                    seats[seat] = 1
                    by_key[key][seat] = 1
                by_rank.append(seats)
            for seats in by_rank:
                programme.demand(seats, high=1)
            for terms in by_key.values():
                programme.demand(terms, high=0)
        toll = round(BENEFIT_SCALE * settings["least_gain"])
        for key, on in model.on.items():
            if model.choices.ingredients[key].serves and key not in model.needs.ordered:
                extra = sum(row.least_gain for row in model.shelf.families.values() if key in row.members)
                self.points[on] = self.points.get(on, 0) - toll - round(BENEFIT_SCALE * extra)

    def _weigh_risk(self) -> None:
        model = self._model
        settings = {key: round(value) for key, value in model.shelf.settings.items() if key.startswith("risk_")}
        for key, on in model.on.items():
            row = model.choices.ingredients[key].row
            for variable, stinging in model.irritancy_of(key).items():
                self._add_risk(variable, settings["risk_irritancy"] * stinging)
            points = settings["risk_sensitiser"] * bool(row.allergen_groups)
            points += settings["risk_hazardous"] * row.hazardous
            points += settings["risk_biological_status"] * ("BIO_FLAG" in row.us_route or row.klass == LIVE)
            if model.needs.pregnancy != "no" and row.pregnancy != "ok":
                points += settings["risk_pregnancy_caution"]
            self._add_risk(on, points)
        self._weigh_precedent()
        for key, chosen in model.systems.items():
            system = model.shelf.systems[key]
            if model.vehicle.row.aqueous:
                germs = (system.bacteria_gram_positive, system.bacteria_gram_negative, system.yeast, system.mould)
                partial = sum(germ == "partial" for germ in germs)
                unpreserved = not model.shelf.parts_of(key)
                self._add_risk(chosen, settings["risk_partial_preservation"] * partial)
                self._add_risk(chosen, settings["risk_unpreserved"] * unpreserved)

    def _weigh_precedent(self) -> None:
        """More of an excipient than in any approved product of the form is a flag, and so a little risk."""
        model, programme = self._model, self._model.programme
        points = round(model.shelf.settings["risk_above_precedent"])
        for key, on in model.on.items():
            candidate = model.choices.ingredients[key]
            precedent = model.shelf.precedents.get((key, model.vehicle.row.dosage_form))
            limit = None if precedent is None else precedent.percent_at(model.needs.grams_per_day)
            if candidate.is_active or limit is None or ppm(limit) >= candidate.high_ppm:
                continue
            if ppm(limit) < candidate.low_ppm:
                self._add_risk(on, points)
                continue
            above = programme.yes_no(f"{key} above precedent")
            programme.demand(model.amount[key], high=ppm(limit), when=(~above,))
            self._add_risk(above, points)

    def _add_risk(self, variable: int, points: int) -> None:
        if points:
            self.risk[variable] = self.risk.get(variable, 0) + points

    def add_warning(self, variable: int) -> None:
        """A clash that only warns counts as risk when it is there."""
        self._add_risk(variable, round(self._model.shelf.settings["risk_warning"]))

    def _weigh_burden(self) -> None:
        model, programme, settings = self._model, self._model.programme, self._model.shelf.settings
        for on in model.on.values():
            self.burden[on] = round(settings["burden_ingredient"])
        dimes = programme.whole("cost in dimes per 100 g", 0, MOST_USD * DIMES)
        cost, all_water = self._cost()
        programme.demand({dimes: UNITS_PER_USD // DIMES} | {v: -u for v, u in cost.items()}, low=all_water)
        self.burden[dimes] = round(settings["burden_usd"] / DIMES)
        sites = model.sites()
        if model.ph is not None and sites:
            middle = round(10 * sum((site.ph_min + site.ph_max) / 2 for site in sites) / len(sites))
            low, high = programme.lows[model.ph], programme.highs[model.ph]
            away = programme.whole(
                "pH away from the skin's, in tenths", 0, max(abs(low - middle), abs(high - middle), 1)
            )
            programme.demand({away: 1, model.ph: -1}, low=-middle)
            programme.demand({away: 1, model.ph: 1}, low=middle)
            self.burden[away] = round(settings["burden_ph_step"])

    def by_strength(self) -> dict[str, list[str]]:
        """Ingredients of the model by effect, the strongest first."""
        model = self._model
        return {
            effect: sorted(
                (key for key in model.on if effect in model.choices.ingredients[key].serves),
                key=lambda key: -model.choices.ingredients[key].serves[effect],
            )
            for effect in model.choices.weights
        }

    def worth(self, reached: Reached) -> int:
        """The objective that equals `reached`, which may come from another vehicle's model.

        More points than this vehicle can ever give count as its most: they must not make up for an effect.
        """
        per_effect, per_point, per_risk = self.multipliers
        most = self._most_points()
        above = reached.first * per_effect + min(reached.points, most) * per_point
        return above if reached.points > most else above - reached.risk * per_risk - reached.burden

    def _most_points(self) -> int:
        lows, highs = self._model.programme.lows, self._model.programme.highs
        return sum(max(c * lows[v], c * highs[v]) for v, c in self.points.items())

    def benefit_at_most(self, objective: int) -> float:
        """The most benefit that an answer may have whose objective is not above `objective`."""
        per_effect, per_point, _ = self.multipliers
        lows, highs = self._model.programme.lows, self._model.programme.highs
        least_first = sum(min(c * lows[v], c * highs[v]) for v, c in self._first_aim().items())
        # risk and burden together take off less than one point
        points = min(self._most_points(), -((least_first * per_effect - objective) // per_point) + 1)
        return points / BENEFIT_SCALE

    def reached(self, values: tuple[int, ...]) -> Reached:
        """The aims at `values`."""
        return Reached(
            first=sum(points * values[v] for v, points in self._first_aim().items()),
            points=sum(points * values[v] for v, points in self.points.items()),
            risk=sum(points * values[v] for v, points in self.risk.items()),
            burden=sum(points * values[v] for v, points in self.burden.items()),
        )


def _span(terms: Mapping[int, int], programme: Programme) -> int:
    """How far the sum of `terms` can move within the variables' bounds."""
    return sum(abs(c) * (programme.highs[v] - programme.lows[v]) for v, c in terms.items())

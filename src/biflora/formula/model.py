"""The formula of one vehicle as an integer programme.

Whole numbers: amounts in steps of a weighable grid, pH in tenths. Lexicographic order of what counts, built
into one objective by exact multipliers: must-have effects, then benefit, then risk, then burden and cost.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from biflora.formula.building import add_building
from biflora.formula.candidates import LIVE, PPM_PER_PERCENT, Candidate, Choices, VehicleChoice, ppm
from biflora.formula.clashes import add_clashes
from biflora.formula.formula import MILLION
from biflora.formula.objective import Aims
from biflora.formula.programme import Programme
from biflora.formula.shelf import Shelf
from biflora.knowledge.pharmacy import SiteLimit
from biflora.plan.plan import Needs

Guard = tuple[str, str]
"""A rule and its subject: what may be lifted when reasons are searched for."""
PH_SCALE = 10
PH_GRAIN = 1e-9
GRAIN_PPM = 1
"""The base of an anhydrous form fills up in steps this fine."""


class FormulaModel:
    """Variables and rows for one vehicle; `liftable` makes each rule's rows hold only while its guard is true."""

    def __init__(
        self, vehicle: VehicleChoice, choices: Choices, needs: Needs, shelf: Shelf, *, liftable: bool = False
    ) -> None:
        self.vehicle = vehicle
        self.choices = choices
        self.needs = needs
        self.shelf = shelf
        self.liftable = liftable
        self.programme = Programme()
        self.guards: dict[Guard, int] = {}
        self.on: dict[str, int] = {}
        self.amount: dict[str, dict[int, int]] = {}
        """Linear terms of each ingredient's amount in ppm."""
        self.full: dict[str, int] = {}
        """True when the amount reaches the usual strength."""
        self.systems: dict[str, int] = {}
        self.bases: dict[str, int] = {}
        """Which base of an anhydrous form takes up the rest."""
        self.ph: int | None = None
        self.water = shelf.water if vehicle.row.aqueous else None
        self.aims = Aims(self)
        self._build()

    # -- guards ------------------------------------------------------------------------------------------

    def when(self, rule: str, subject: str = "") -> tuple[int, ...]:
        """Literals under which rows of this rule hold: none in a plain design, its guard when it may be lifted."""
        if not self.liftable:
            return ()
        guard = (rule, subject)
        if guard not in self.guards:
            self.guards[guard] = self.programme.yes_no(f"rule {rule} {subject}".strip())
        return (self.guards[guard],)

    # -- building ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        for bar in self.vehicle.bars:
            self.programme.demand({}, low=1, when=self.when(*bar.guard))
        self._add_ph()
        self._add_preservation()
        for candidate in self._entering():
            self._add_ingredient(candidate)
        self._separate_by_ph()
        self._tie_preservatives()
        add_building(self)
        self._limit_counts()
        add_clashes(self)
        self.aims.add()

    def _entering(self) -> Iterable[Candidate]:
        """Ingredients that could do something here; the rest would only slow the solver."""
        needed = self._companions() | self._system_parts()
        for candidate in self.choices.ingredients.values():
            key, klass = candidate.key, candidate.row.klass
            if key == self.shelf.water:
                continue
            if not self.liftable and candidate.bars and key not in self.needs.ordered:
                continue
            useful = (
                bool(candidate.serves)
                or key in self.needs.ordered
                or key in needed
                or key in self.vehicle.row.gelling
                or (klass == "emollient" and self.vehicle.row.oil_max_percent > 0)
                or (klass == "emulsifier" and self.vehicle.row.emulsifier_needed)
                or (klass == "buffer" and self.vehicle.row.aqueous)
                or klass in ("antioxidant", "chelator")
                or (not self.vehicle.row.aqueous and klass == "solvent")
            )
            in_vehicle = self.fits_phase(candidate) or key in self.vehicle.row.gelling
            if useful and (in_vehicle or key in self.needs.ordered):
                yield candidate

    def _companions(self) -> set[str]:
        """What this vehicle, or an ingredient, may need beside it."""
        names = {self.vehicle.row.key, f"kind:{self.vehicle.row.kind}"}
        return {
            key
            for row in self.shelf.needed_beside.values()
            if row.for_ingredients or names & set(row.for_vehicles)
            for key in row.any_of
        }

    def _system_parts(self) -> set[str]:
        return {part.ingredient for system in self.systems for part in self.shelf.parts_of(system)}

    def fits_phase(self, candidate: Candidate) -> bool:
        """Whether this vehicle has a phase for it. Anhydrous-only substances never enter a form with water."""
        phase = candidate.row.phase
        phases = self.vehicle.row.phases
        if phase == "A":
            if self.vehicle.row.kind == "powder_kit":
                return candidate.row.klass == LIVE
            return not self.vehicle.row.aqueous and ("A" in phases or "O" in phases)
        if phase == "WO":
            return "W" in phases or "O" in phases
        return phase in phases

    def _add_ph(self) -> None:
        row = self.vehicle.row
        if not row.aqueous:
            return
        low = math.ceil((row.ph_min or 3.0) * PH_SCALE - 1e-9)
        high = math.floor((row.ph_max or 9.0) * PH_SCALE + 1e-9)
        self.ph = self.programme.whole("pH in tenths", low, high)
        if row.rinse_off:
            return
        for site in self.sites():
            self._ph_within(site.ph_min, site.ph_max, self.when("site"))

    def sites(self) -> list[SiteLimit]:
        wanted = {site.value for site in self.needs.sites}
        return [row for row in self.shelf.site_limits.values() if row.site in wanted]

    def _ph_within(self, low: float | None, high: float | None, when: Iterable[int]) -> None:
        if self.ph is None:
            return
        if low is not None:
            self.programme.demand({self.ph: 1}, low=math.ceil(low * PH_SCALE - 1e-9), when=when)
        if high is not None:
            self.programme.demand({self.ph: 1}, high=math.floor(high * PH_SCALE + 1e-9), when=when)

    def _add_preservation(self) -> None:
        """Exactly one preservative system, right for water or its absence and for the pH."""
        aqueous = self.vehicle.row.aqueous
        for key, system in self.shelf.systems.items():
            has_parts = bool(self.shelf.parts_of(key))
            if aqueous:
                if not has_parts and (not system.refrigerate or self.vehicle.row.bud_rule_unpreserved is None):
                    continue
                if system.never_leave_on:
                    continue
                if system.vehicle_kinds and self.vehicle.row.kind not in system.vehicle_kinds:
                    continue
                if has_parts and not self._covers(key):
                    continue
            elif has_parts or system.refrigerate or system.self_preserving:
                continue
            chosen = self.programme.yes_no(f"system {key}")
            self.systems[key] = chosen
            self._ph_within(system.ph_min, self._free_acid_ph_max(key), (chosen, *self.when("preservation")))
        self.programme.demand(dict.fromkeys(self.systems.values(), 1), high=1)
        self.programme.one_of(self.systems.values(), when=self.when("preservation"))

    def _covers(self, key: str) -> bool:
        system = self.shelf.systems[key]
        germs = (system.bacteria_gram_positive, system.bacteria_gram_negative, system.yeast, system.mould)
        return all(germ in ("yes", "partial") for germ in germs)

    def _free_acid_ph_max(self, key: str) -> float | None:
        """The system's upper pH, lowered to where its weakest-needed acid is still undissociated enough.

        Henderson-Hasselbalch: undissociated share = 1 / (1 + 10**(pH - pKa)). Only a system without any
        non-acid part depends on it.
        """
        upper = self.shelf.systems[key].ph_max
        parts = [self.shelf.ingredients[part.ingredient] for part in self.shelf.parts_of(key)]
        acids = [row.pka for row in parts if row.pka is not None]
        if not acids or any(row.pka is None and row.klass == "preservative" for row in parts):
            return upper
        share = self.shelf.settings["undissociated_min"] / 100
        limit = max(acids) + math.log10(1 / share - 1)
        return limit if upper is None else min(upper, limit)

    def _separate_by_ph(self) -> None:
        """No two ingredients, nor a preservative system, whose pH windows do not meet.

        It follows from the shared pH; said pair by pair the proof is a third shorter.
        """
        if self.ph is None or self.liftable:
            return
        rows = self.choices.ingredients
        windows = [(on, rows[key].row.ph_min, rows[key].row.ph_max) for key, on in self.on.items()]
        windows += [
            (chosen, self.shelf.systems[key].ph_min, self._free_acid_ph_max(key))
            for key, chosen in self.systems.items()
        ]
        for (one, _, high), (other, low, _) in itertools.permutations(windows, 2):
            if high is not None and low is not None and high < low - PH_GRAIN:
                self.programme.forbid((one, other))

    def _add_ingredient(self, candidate: Candidate) -> None:
        programme, key = self.programme, candidate.key
        on = self.on[key] = programme.yes_no(f"{key} in")
        if candidate.levels_ppm:
            levels = {level: programme.yes_no(f"{key} at {level} ppm") for level in candidate.levels_ppm}
            programme.demand({**dict.fromkeys(levels.values(), 1), on: -1}, low=0, high=0)
            self.amount[key] = {variable: level for level, variable in levels.items()}
        elif candidate.row.klass == "preservative":
            self.amount[key] = {}
            for system, chosen in self.systems.items():
                for part in self.shelf.parts_of(system):
                    if part.ingredient == key:
                        self.amount[key][chosen] = ppm(part.percent)
        else:
            step = candidate.step_ppm
            low, high = -(-max(candidate.low_ppm, 1) // step), max(candidate.high_ppm, 1) // step
            steps = programme.whole(f"{key} in steps of {step} ppm", 0, high)
            programme.demand({steps: 1, on: -low}, low=0)
            programme.demand({steps: 1, on: -high}, high=0)
            self.amount[key] = {steps: step}
            if self.water is None and candidate.row.klass in ("emollient", "solvent"):
                self._add_top_up(candidate)
        for bar in candidate.bars:
            programme.demand({on: 1}, high=0, when=self.when(*bar.guard))
        for cap in candidate.caps:
            if cap.rinse_off == ("no" if self.vehicle.row.rinse_off else "yes"):
                continue
            programme.demand(self.amount[key], high=cap.ppm, when=self.when(*cap.bar.guard))
        if self.ph is not None:
            self._ph_within(candidate.row.ph_min, candidate.row.ph_max, (on, *self.when("ph")))
        if candidate.row.klass == LIVE and not self.vehicle.row.live_ok:
            programme.demand({on: 1}, high=0, when=self.when("build"))
        if key in self.needs.ordered:
            programme.demand({on: 1}, low=1, when=self.when("must_include", key))
            if not self.fits_phase(candidate) and key not in self.vehicle.row.gelling:
                programme.demand({on: 1}, high=0, when=self.when("build"))
        if candidate.serves and not self.liftable:
            full = self.full[key] = programme.yes_no(f"{key} at usual strength")
            programme.demand({full: 1, on: -1}, high=0)
            usual = candidate.usual_ppm
            programme.demand({**self.amount[key], full: -usual}, low=0)

    def _add_top_up(self, candidate: Candidate) -> None:
        """A base of an anhydrous form may take up the rest, finer than its own grid."""
        key, grains_per_step = candidate.key, candidate.step_ppm // GRAIN_PPM
        base = self.bases[key] = self.programme.yes_no(f"{key} fills up")
        grains = self.programme.whole(f"{key} top-up", 0, grains_per_step)
        self.programme.demand({grains: 1, base: -grains_per_step}, high=0)
        self.programme.demand({base: 1, self.on[key]: -1}, high=0)
        self.amount[key][grains] = GRAIN_PPM
        self.programme.demand(self.amount[key], high=candidate.high_ppm)

    def _tie_preservatives(self) -> None:
        """Preservatives come only with their system, at its strength; other parts (ethanol) at least so strong."""
        programme = self.programme
        for system, chosen in self.systems.items():
            for part in self.shelf.parts_of(system):
                key = part.ingredient
                if key not in self.on:
                    programme.demand({chosen: 1}, high=0)
                    continue
                programme.demand({chosen: 1, self.on[key]: -1}, high=0)
                if self.choices.ingredients[key].row.klass != "preservative":
                    programme.demand({**self.amount[key], chosen: -ppm(part.percent)}, low=0)
        for key, on in self.on.items():
            if self.choices.ingredients[key].row.klass == "preservative":
                carriers = [
                    chosen
                    for system, chosen in self.systems.items()
                    if any(part.ingredient == key for part in self.shelf.parts_of(system))
                ]
                programme.demand({on: 1} | dict.fromkeys(carriers, -1), high=0)
        for chosen in (self.systems[k] for k in self.systems if self.shelf.systems[k].kills_live):
            for key, on in self.on.items():
                if self.choices.ingredients[key].row.klass == LIVE:
                    programme.forbid((chosen, on), when=self.when("incompatible"))

    def total(self, keys: Iterable[str]) -> dict[int, int]:
        """Linear terms of the keys' amounts together, ppm."""
        terms: dict[int, int] = {}
        for key in keys:
            for variable, coefficient in self.amount.get(key, {}).items():
                terms[variable] = terms.get(variable, 0) + coefficient
        return terms

    def oil_keys(self) -> list[str]:
        return [key for key in self.amount if self.choices.ingredients[key].row.phase == "O"]

    def irritancy_of(self, key: str) -> dict[int, int]:
        """Points of irritancy by variable; half of them, rounded up, for an active at a low strength."""
        candidate = self.choices.ingredients[key]
        points = candidate.row.irritancy
        if not points or not candidate.levels_ppm or not candidate.is_active:
            return {self.on[key]: points}
        return {
            variable: points if ppm >= candidate.strong_ppm else -(-points // 2)
            for variable, ppm in self.amount[key].items()
        }

    def ons(self, klass: str, *, with_window: bool = False) -> list[int]:
        """Literals of the ingredients of a class."""
        return [
            on
            for key, on in self.on.items()
            if (row := self.choices.ingredients[key].row).klass == klass
            and (row.ph_min is not None or not with_window)
        ]

    def _limit_counts(self) -> None:
        programme, needs = self.programme, self.needs
        spare = needs.max_ingredients - (1 if self.water is not None else 0)
        everything = dict.fromkeys(self.on.values(), 1)
        programme.demand(everything, high=spare, when=self.when("max_ingredients"))
        # The skin's own lipids come in threes and irritate nobody: they do not blur which active did.
        rows = self.choices.ingredients
        actives = {on: 1 for key, on in self.on.items() if rows[key].is_active and rows[key].row.klass != "lipid"}
        most = max(round(self.shelf.settings["max_actives"]), len(needs.ordered))
        programme.demand(actives, high=most, when=self.when("max_actives"))
        for family in self.shelf.families.values():
            members = {self.on[key]: 1 for key in family.members if key in self.on}
            if len(members) > 1:
                programme.demand(members, high=1, when=self.when("one_of_a_kind"))
        if not self.vehicle.row.rinse_off:
            irritancy: dict[int, int] = {}
            for key in self.on:
                irritancy |= self.irritancy_of(key)
            for site in self.sites():
                programme.demand(irritancy, high=site.max_irritancy, when=self.when("irritancy"))
            sensitisers = {
                on: 1 for key, on in self.on.items() if self.choices.ingredients[key].row.allergen_groups
            }
            for site in self.sites():
                programme.demand(sensitisers, high=site.max_sensitisers, when=self.when("sensitisers"))


assert PPM_PER_PERCENT * 100 == MILLION

"""What the checker sees of a formula: each line beside its ingredient's row, and sums over them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from biflora.formula.formula import Formula, Line
from biflora.knowledge.formula_rules import formula_rules
from biflora.knowledge.pharmacy import Ingredient, Vehicle
from biflora.knowledge.rows import Row
from biflora.plan.plan import Condition, Needs
from biflora.values import Finding, Level

WATER = "purified_water"
GRAIN = 1e-6
"""Amounts are whole parts per million (0.0001 %); below that a difference is only rounding."""
LIVE = "probiotic_live"
EXCIPIENTS = frozenset(
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


@dataclass(frozen=True, slots=True)
class Portion:
    """One ingredient in the jar; several lines of the same ingredient are one portion."""

    row: Ingredient
    percent: float
    quantum_satis: bool

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def irritancy(self) -> int:
        """Points at this strength: an active below its usual strength stings half as much, rounded up (assumed).

        Usual is the middle of the strengths that are sold, or the geometric middle of the range.
        """
        row = self.row
        if row.klass in EXCIPIENTS:
            return row.irritancy
        sold = sorted(row.strengths_percent)
        usual = sold[len(sold) // 2] if sold else math.sqrt(row.min_percent * row.max_percent)
        return row.irritancy if self.percent >= usual - GRAIN else -(-row.irritancy // 2)


@dataclass(frozen=True)
class Jar:
    """A formula with its rows of knowledge, ready for the rules."""

    formula: Formula
    vehicle: Vehicle
    portions: tuple[Portion, ...]
    needs: Needs | None

    @property
    def leave_on(self) -> bool:
        return not (self.formula.rinse_off or self.vehicle.rinse_off)

    @property
    def powder_apart(self) -> bool:
        """True for a kit: the live powder stands dry beside its base until it is used."""
        return self.vehicle.kind == "powder_kit"

    @property
    def wet(self) -> bool:
        """Whether there is water, by the vehicle or by a line."""
        return self.vehicle.aqueous or self.water_percent > 0

    @property
    def sites(self) -> frozenset[str]:
        """The body sites that the needs name; none without needs."""
        return frozenset() if self.needs is None else frozenset(site.value for site in self.needs.sites)

    @property
    def condition(self) -> Condition | None:
        if self.needs is not None:
            return self.needs.condition
        return next((each for each in Condition if each.value == self.formula.condition), None)

    @property
    def water_percent(self) -> float:
        return self.percent_of(WATER)

    @property
    def oil_percent(self) -> float:
        return sum(portion.percent for portion in self.portions if portion.row.phase == "O")

    def percent_of(self, key: str) -> float:
        return sum(portion.percent for portion in self.portions if portion.row.key == key)

    def of_class(self, *klasses: str) -> tuple[Portion, ...]:
        return tuple(portion for portion in self.portions if portion.row.klass in klasses)

    def actives(self) -> tuple[Portion, ...]:
        return tuple(portion for portion in self.portions if portion.row.klass not in EXCIPIENTS)

    def named(self, names: Iterable[str]) -> tuple[Portion, ...]:
        """Portions that `names` (ingredient keys or `class:<klass>`) mean."""
        wanted = set(names)
        return tuple(p for p in self.portions if p.row.key in wanted or f"class:{p.row.klass}" in wanted)


def portions_of(lines: Iterable[Line], rows: Mapping[str, Ingredient]) -> tuple[Portion, ...]:
    """Each known ingredient once, with its lines' sum; lines of 0 ppm and unknown ingredients are left out."""
    ppm: dict[str, int] = {}
    fills: set[str] = set()
    for line in lines:
        if line.ingredient in rows:
            ppm[line.ingredient] = ppm.get(line.ingredient, 0) + line.ppm
            if line.quantum_satis:
                fills.add(line.ingredient)
    return tuple(Portion(rows[key], amount / 10_000, key in fills) for key, amount in ppm.items() if amount > 0)


def finding(
    level: Level,
    rule: str,
    subject: str,
    message: str,
    *,
    source: Row | tuple[str, str] | None = None,
    family: str = "",
) -> Finding:
    """A finding of a rule of the registry, which says who can lift it.

    `family` is the registry's rule where `rule` is the key of one row of a table. `source` is a row of knowledge
    or a citation with its verification; without one the rule's own is taken. Raises KeyError for a rule that is
    not in the registry.
    """
    registered = formula_rules()[family or rule]
    if source is None:
        source = registered
    cited, verified = (source.source, source.verification) if isinstance(source, Row) else source
    return Finding(
        level=level,
        rule=rule,
        subject=subject,
        message=message,
        who=registered.who_at(level),
        source=cited,
        verification=verified,
    )

"""The Formula: what goes into the jar, in parts per million, with phases, reasons and findings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biflora.values import Finding, Record, Value

MILLION = 1_000_000

Phase = Literal["A", "B", "C"]
"""A: water phase; B: oil phase (or the anhydrous base); C: cool-down (heat-sensitive, preservatives, powders)."""


class Line(Value):
    ingredient: str
    """Key of knowledge's ingredients."""
    name: str = ""
    inci: str = ""
    ppm: int = Field(ge=0, le=MILLION)
    """Mass fraction in parts per million: 1 % w/w is 10 000."""
    function: str = ""
    phase: Phase = "A"
    why: str = ""
    quantum_satis: bool = False
    """True for the one line that fills up to 100 %."""

    @property
    def percent(self) -> float:
        return self.ppm / 10_000


class Property(Value):
    """An estimated property of the formula, with its uncertainty in words."""

    key: str
    label: str
    value: str
    uncertainty: str = ""
    source: str = ""


class Alternative(Value):
    """Another formula that was found feasible: its lines and what it gives up."""

    vehicle: str
    lines: tuple[Line, ...]
    ph: float | None
    preservative_system: str = ""
    benefit: float
    gives_up: str


class Formula(Record):
    """A formula, proposed by the optimiser or typed by a person."""

    name: str = ""
    condition: str = ""
    vehicle: str
    """Key of knowledge's vehicles."""
    lines: tuple[Line, ...] = Field(min_length=1)
    ph: float | None = Field(default=None, ge=1, le=13)
    """Target pH of the water phase; None for an anhydrous form."""
    preservative_system: str = "none_anhydrous"
    """Key of knowledge's preservative systems."""
    rinse_off: bool = False
    container: str | None = None
    """Key of knowledge's container kinds; None: not chosen yet."""
    benefit: float | None = None
    """Weight x strength over the wanted effects, less what each ingredient must earn to enter."""
    proved_optimal: bool = False
    bound: float | None = None
    solve_seconds: float | None = None
    properties: tuple[Property, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the independent checker found; none of them is a `stop` in a formula that biflora proposes."""

    @property
    def blocked(self) -> bool:
        return any(f.level == "stop" for f in self.findings)


class Reason(Value):
    """One group of constraints in the smallest contradictory set."""

    rule: str
    who: str
    message: str
    lift: str = ""
    """The nearest change that makes a formula possible again, where one was found."""


class Impossible(Record):
    """No formula exists: the smallest set of reasons, each re-verified by solving without it."""

    reasons: tuple[Reason, ...]
    minimal: bool = True

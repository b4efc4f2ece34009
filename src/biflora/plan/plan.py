"""The Plan: which arm, why, what to swallow, what to eat, what the topical should do, what to measure next."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from biflora.plan.considered import (
    CostRange,
    FollowUpPlan,
    GutPrompt,
    Importance,
    Judgement,
    OralLine,
    Separation,
    WorthMeasuring,
)
from biflora.profile.patient import BodySite as BodySite
from biflora.profile.patient import Condition as Condition
from biflora.twin.forecast import Arm
from biflora.values import Band, Finding, Record, SourcedNumber, Value


class Effect(StrEnum):
    """What a topical can be wanted for."""

    S_AUREUS_SUPPRESSION = "s_aureus_suppression"
    COMMENSAL_SUPPORT = "commensal_support"
    BARRIER_REPAIR = "barrier_repair"
    ANTI_INFLAMMATORY = "anti_inflammatory"
    ANTI_ITCH = "anti_itch"
    HYDRATION = "hydration"
    KERATOLYSIS = "keratolysis"
    COMEDOLYSIS = "comedolysis"
    C_ACNES_CONTROL = "c_acnes_control"
    SEBUM_CONTROL = "sebum_control"
    MALASSEZIA_CONTROL = "malassezia_control"
    VASCULAR_CALMING = "vascular_calming"
    HAIR_CYCLE = "hair_cycle"


class Need(Value):
    effect: Effect
    weight: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    because: str = ""
    source: str = ""


class StockLot(Value):
    """One lot on the pharmacy's shelf."""

    ingredient: str
    """Key of knowledge's ingredients."""
    lot: str = ""
    grams: float = Field(ge=0)
    """What is left of it, g."""
    expires_in_days: int
    """Days from today to its expiry; negative: expired."""
    usd_per_gram: float | None = Field(default=None, ge=0)
    """What the pharmacy pays; None: the assumed price of knowledge's ingredients."""


class Needs(Value):
    """All that the formula room gets: wanted effects and limits, as values. Can be written by hand as JSON."""

    condition: Condition
    needs: tuple[Need, ...] = Field(min_length=1)
    age_years: float = Field(ge=0, le=120)
    sites: tuple[BodySite, ...] = (BodySite.ARMS,)
    """Where it goes; the strictest site limits pH, strengths, irritancy and contact allergens."""
    grams_per_day: float = Field(default=10.0, gt=0, le=200)
    """For the FDA's precedents in mg a day."""
    allergies: tuple[str, ...] = ()
    """Substances or groups of contact allergens; cross-reactors are kept out too."""
    avoid_ingredients: tuple[str, ...] = ()
    """What the patient does not want (a wish, not an allergy)."""
    vehicles: tuple[str, ...] = ()
    """Allowed vehicle keys; empty: any that suits."""
    pregnancy: Literal["no", "pregnant", "trying", "breastfeeding", "unknown"] = "unknown"
    immune_status: Literal["normal", "immunosuppressed", "unknown"] = "unknown"
    skin_integrity: Literal["intact", "excoriated", "open_wounds"] = "intact"
    prescription_actives_ok: bool = True
    """Whether ingredients may be in that only a prescriber can order."""
    research_authorisation: str | None = None
    """Number of a recorded research authorisation; without one no live strain is ever proposed."""
    must_include: tuple[str, ...] = ()
    """Ingredient keys that must be in, at whatever strength is best."""
    exact_percent: dict[str, float] = {}
    """Ingredients ordered at an exact strength, % w/w by key: each is in, at just that."""
    in_stock: tuple[str, ...] | None = None
    """Ingredient keys the pharmacy has; None: everything."""
    stock: tuple[StockLot, ...] | None = None
    """The pharmacy's lots with amounts and expiry; None: not told. Water needs no lot."""
    batch_grams: float = Field(default=100.0, gt=0, le=10_000)
    """What is to be made at once, g; with `stock`, the lots must suffice for it."""
    max_cost_usd_per_100g: float | None = Field(default=None, gt=0)
    """Most that materials for 100 g may cost, USD."""
    max_ingredients: int = Field(default=18, ge=3, le=40)

    @field_validator("exact_percent")
    @classmethod
    def _are_percentages(cls, ordered: dict[str, float]) -> dict[str, float]:
        if any(not 0 < percent <= 100 for percent in ordered.values()):
            raise ValueError("each strength must be above 0 and at most 100 percent")
        return ordered

    @property
    def ordered(self) -> tuple[str, ...]:
        """Every ingredient that must be in, at whatever or at an exact strength."""
        return tuple(dict.fromkeys((*self.must_include, *self.exact_percent)))


class RedFlag(Value):
    """A sign that stops or reroutes the plan."""

    key: str
    level: Literal["stop", "reroute", "ask"]
    message: str
    action: str
    blocks: tuple[Arm, ...] = ()
    leaves_plain_topical: bool = False
    """True where it closes the topical arm for its live strain alone."""
    source: str
    verification: str


class StrainChoice(Value):
    """An oral strain that was tried in this condition, by strain id, with what its trial found."""

    strain_id: str
    species: str
    cfu_per_day: str
    weeks: str
    population: str
    trial: str
    n: str
    effect: str
    sign: Literal["positive", "null", "negative", "mixed", "biomarker only", "uncontrolled"]
    evidence_level: str
    suits: bool
    """True when the trial's population (age band) covers this patient."""
    cautions: str = ""
    strains: tuple[str, ...] = ()
    """The strain ids that together were tried; empty where the table names none one by one."""
    cfu_low: float | None = None
    cfu_high: float | None = None
    """The dose tried, cells a day."""
    effect_value: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    """The effect as a number with its 95 % interval, where one is known."""
    effect_unit: str = ""
    effect_meaning: str = ""
    effect_verification: str = ""
    source: str
    verification: str


class ArmSummary(Value):
    """One arm as ranked: expected benefit against standard care, burden, certainty."""

    arm: Arm
    rank: int
    allowed: bool
    blocked_because: tuple[str, ...] = ()
    instrument: str = ""
    unit: str = ""
    """Unit of improvement, gain and burden: points, %, or SD where trials were pooled on one scale."""
    improvement: Band | None = None
    """Fall of the severity score from today to week 12, in points (positive is better)."""
    gain_over_standard_care: Band | None = None
    gain_gut_link_off: Band | None = None
    probability_best: float | None = None
    probability_important_gain: float | None = None
    burden: str = ""
    burden_points: float = 0.0
    evidence: str = ""
    net_benefit: float | None = None
    """Median gain over standard care less the burden, points; what the order follows."""
    smallest_important_difference: SourcedNumber | None = None
    importance: Importance = "not known"
    """Whether the gain's 80 % interval lies above, across or below the smallest important difference."""
    monthly_cost: CostRange | None = None
    within_budget: bool | None = None
    """False when even the lowest assumed cost lies above what the patient can pay; None: no budget was told."""
    judgement: Judgement = Judgement()

    @property
    def improvement_in_words(self) -> str:
        """`15.0 points (8.6 to 21.4)`, or why there is none."""
        return _told(self.improvement, self.unit) or self._nothing()

    @property
    def gain_in_words(self) -> str:
        """`0.35 SD (0.05 to 0.65)`, or why there is none."""
        if self.arm == "standard_care":
            return "the comparator"
        return _told(self.gain_over_standard_care, self.unit) or self._nothing()

    def _nothing(self) -> str:
        return "no trial found" if self.judgement.certainty == "no trial found" else "not forecast"


def _told(band: Band | None, unit: str) -> str:
    """Median and 80 % interval with the unit; differences in SD need two decimals."""
    if band is None:
        return ""
    decimals = 2 if unit == "SD" else 1
    middle, low, high = (f"{round(x, decimals) + 0.0:.{decimals}f}" for x in (band.median, band.q10, band.q90))
    return f"{middle} {unit} ({low} to {high})".replace("  ", " ")


class Step(Value):
    """One line of the plan: what, how much, when, why."""

    kind: Literal["topical", "oral", "diet", "care", "refer", "measure"]
    text: str
    because: str
    evidence: str = ""
    source: str = ""
    verification: str = ""


class Measure(Value):
    what: str
    week: int
    because: str
    source: str = ""
    verification: str = ""


class Plan(Record):
    """A proposal for a clinician to decide on; never a decision."""

    condition: Condition
    red_flags: tuple[RedFlag, ...] = ()
    arms: tuple[ArmSummary, ...] = ()
    proposed_arm: Arm | None = None
    """None when a red flag stops everything."""
    separable: bool = False
    verdict: str = ""
    """One or two sentences, e.g. that the arms cannot be separated."""
    separation: Separation | None = None
    """Which arms cannot be told apart, why, and what would tell them apart; None when they can."""
    worth_measuring: WorthMeasuring | None = None
    """Whether one more measurement before deciding would change the choice."""
    follow_up: FollowUpPlan | None = None
    oral_use: tuple[OralLine, ...] = ()
    gut_prompts: tuple[GutPrompt, ...] = ()
    steps: tuple[Step, ...] = ()
    strains: tuple[StrainChoice, ...] = ()
    needs: Needs | None = None
    measures: tuple[Measure, ...] = ()
    not_known: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def stopped(self) -> bool:
        return any(flag.level == "stop" for flag in self.red_flags)

    @property
    def plain_topical_open(self) -> bool:
        """Whether the topical arm is closed for its live strain alone.

        The pharmacy's topical, which holds no live cells, may then be prescribed beside standard care.
        """
        closing = [flag for flag in self.red_flags if "topical" in flag.blocks]
        return bool(closing) and all(flag.leaves_plain_topical for flag in closing) and self.needs is not None

    @property
    def must_be_answered(self) -> tuple[RedFlag, ...]:
        """The flags that need an answer (who, when, what was found) before the plan can be approved."""
        return tuple(flag for flag in self.red_flags if flag.level != "stop")

"""Oral strains that were tried in trials, positive and null alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table

TrialSign = Literal["positive", "null", "negative", "mixed", "biomarker only", "uncontrolled"]


class OralStrain(Row):
    """One strain (or mixture) in one trial, or one pooled analysis; the effect is told in the source's words."""

    strain_id: str
    species: str
    """Today's species name; a trial speaks for its strain, never for the species."""
    cfu_per_day: str
    duration_weeks: str
    condition: str
    """A Condition value, or `hand_eczema`, `eczema_prevention`."""
    population: str
    age_at_least: float | None = None
    """Age band in years as the population states it: `4-17` is from 4 to below 18; `children`: below 18,
    `adults`: from 18, `infants`: below 1; both None where no age is stated."""
    age_below: float | None = None
    trial: str
    n: str
    effect: str
    result_sign: str
    """The research's own word, e.g. `positive_small`."""
    sign: TrialSign
    evidence_level: str
    kind: Literal["strain", "meta", "prevention", "comparator"]
    live: Literal["yes", "no"]
    cautions: str = ""

    def suits_age(self, age_years: float) -> bool:
        """True when the trial's stated age band holds this age; without a stated band nobody is covered."""
        if self.age_at_least is None and self.age_below is None:
            return False
        old_enough = self.age_at_least is None or age_years >= self.age_at_least
        return old_enough and (self.age_below is None or age_years < self.age_below)


def oral_strains() -> Mapping[str, OralStrain]:
    return read_table("oral_strains", OralStrain)


TABLES: dict[str, type[Row]] = {"oral_strains": OralStrain}

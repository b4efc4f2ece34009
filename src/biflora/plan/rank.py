"""The arms side by side: expected benefit against burden, and whether they can be told apart at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from biflora.knowledge.planning import arm_burdens, plan_limit
from biflora.knowledge.trials import arm_evidence
from biflora.plan.plan import ArmSummary, Condition
from biflora.plan.signals import main_score, severity_scores
from biflora.plan.weighing import cost_of, importance, important_difference, judgement, within_budget
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARMS, Arm, Difference, Forecast
from biflora.values import Band, SourcedNumber, Value

DRAWS = 4096
Z80 = 1.2815515655446004
"""Half width of the 80 % interval of a normal distribution, in standard deviations."""
NAMES_OF = ("q2_5", "q10", "q25", "median", "q75", "q90", "q97_5")
Z_OF = (-1.959964, -1.281552, -0.67449, 0.0, 0.67449, 1.281552, 1.959964)
"""A band's limits and where they stand on the normal scale."""
SEVERITY_ORDER = ("scorad", "easi")


class Ranking(Value):
    arms: tuple[ArmSummary, ...]
    observable: str | None
    proposed: Arm | None
    best: Arm | None
    """Arm of the largest expected net benefit among the allowed ones."""
    best_gut_link_off: Arm | None
    separable: bool
    not_separable_from_best: tuple[Arm, ...] = ()
    flips: bool = False
    """True when the proposal would be another one with the gut link switched off."""
    proposed_gut_link_off: Arm | None = None
    best_gains_over: dict[Arm, Band | None] = {}
    """How much the best arm gains over each that cannot be told from it."""
    extra_burden: dict[Arm, float] = {}
    """What the best arm asks beyond each of them, points."""
    smallest: SourcedNumber | None = None
    """Smallest important difference of the severity that is forecast."""


def rank_arms(profile: Profile, forecast: Forecast, blocked: Mapping[Arm, tuple[str, ...]]) -> Ranking:
    """Rank the arms by expected gain minus burden; propose the least burdensome of those that the forecast
    cannot tell from the best one."""
    observable = severity_observable(profile, forecast)
    allowed = [arm for arm in ARMS if arm not in blocked]
    score = main_score(profile)
    scale = (score.maximum if score is not None else 100.0) / 100.0
    burdens = {arm: arm_burdens()[arm].points * scale for arm in ARMS}
    on = _Comparison(forecast, observable, allowed, burdens, gut_link=True)
    off = _Comparison(forecast, observable, allowed, burdens, gut_link=False)
    order = sorted(ARMS, key=lambda arm: (arm in blocked, -on.net(arm), burdens[arm], cost_of(arm).low))
    smallest = important_difference(profile, forecast, observable)
    summaries = tuple(
        _summary(profile, forecast, observable, arm, rank, blocked.get(arm, ()), on, smallest)
        for rank, arm in enumerate(order, start=1)
    )
    proposed, proposed_off = on.proposal(), off.proposal()
    together = tuple(arm for arm in on.together if arm != on.best)
    return Ranking(
        arms=summaries, observable=observable, proposed=proposed, best=on.best,
        best_gut_link_off=off.best if off.known else None, separable=on.separable,
        not_separable_from_best=together, smallest=smallest, best_gains_over=on.gains_of_best(together),
        extra_burden={} if on.best is None else {arm: burdens[on.best] - burdens[arm] for arm in together},
        flips=off.known and proposed_off != proposed, proposed_gut_link_off=proposed_off if off.known else None,
    )  # fmt: skip


def severity_observable(profile: Profile, forecast: Forecast) -> str | None:
    """Key of the observable that stands for severity: a scored instrument where it is forecast, else SCORAD, EASI.

    Where only trials are shown (no model of the condition), their differences pooled on one scale, else the change
    that they share.
    """
    known = {course.observable for course in forecast.courses}
    wanted = (*(score.instrument for score in severity_scores(profile)), *SEVERITY_ORDER)
    if forecast.mechanistic:
        return next((key for key in wanted if key in known), None)
    compared = {difference.observable for difference in forecast.differences}
    pooled = [key for key in sorted(compared) if key not in known]  # all trials on one scale: more than one trial
    return next(iter((*pooled, *sorted(known))), None)


class _Comparison:
    """The gains over standard care under one setting of the gut link; positive is better."""

    def __init__(
        self, forecast: Forecast, observable: str | None, allowed: Sequence[Arm], burdens: Mapping[Arm, float], *,
        gut_link: bool,
    ) -> None:  # fmt: skip
        self.forecast, self.observable, self.gut_link = forecast, observable, gut_link
        self.allowed, self.burdens = list(allowed), burdens
        self.gains = {arm: gain for arm in ARMS if (gain := self._gain(arm)) is not None}
        # without a model the gains are those of a trial's arms and rank nothing for this patient
        self.known = bool(self.gains) and forecast.mechanistic
        self.best = self._best()
        self.chances = (self._drawn_jointly() or self._chances()) if self.known and self.allowed else {}
        self.together = self._together()

    def _best(self) -> Arm | None:
        if not self.known or not self.allowed:
            return None
        return max(self.allowed, key=lambda arm: (self.net(arm), -self.burdens[arm]))

    def net(self, arm: Arm) -> float:
        """Median gain over standard care minus burden, in points."""
        gain = self.gains.get(arm) if self.known else None
        return round((0.0 if gain is None else gain.median) - self.burdens[arm], 9)  # equal stays equal

    @property
    def separable(self) -> bool:
        return self.best is not None and len(self.allowed) > 1 and self.together == [self.best]

    def proposal(self) -> Arm | None:
        """The least burdensome of the arms that cannot be told from the best one.

        Where the best one clearly beats standard care, only arms that clearly beat it too are taken: an arm that
        cannot be told from standard care would ask something of the patient for nothing shown.
        """
        if not self.allowed:
            return None
        candidates = self.together or self.allowed
        if self.best is not None and "standard_care" in self.allowed and "standard_care" not in candidates:
            candidates = [arm for arm in candidates if self._clearly_better(arm, "standard_care")]
        return min(candidates, key=lambda arm: (self.burdens[arm], -self.net(arm)))

    def _clearly_better(self, arm: Arm, against: Arm) -> bool:
        """Whether the 80 % interval of the difference lies wholly above zero and above the extra burden."""
        band = self._better_by(arm, against)
        return band is not None and band.q10 > max(0.0, self.burdens[arm] - self.burdens[against])

    def _difference(self, arm: Arm, against: Arm) -> Difference | None:
        return (
            None
            if self.observable is None
            else self.forecast.difference(arm, against, self.observable, gut_link=self.gut_link)
        )

    def gains_of_best(self, others: Sequence[Arm]) -> dict[Arm, Band | None]:
        return {} if self.best is None else {arm: self._better_by(self.best, arm) for arm in others}

    def _gain(self, arm: Arm) -> Band | None:
        return self._better_by(arm, "standard_care")

    def _better_by(self, arm: Arm, against: Arm) -> Band | None:
        """How much `arm` lowers severity more than `against` at the last week; either direction may be stored."""
        found = self._difference(arm, against)
        if found is not None:
            return mirrored(found.bands[-1])
        found = self._difference(against, arm)
        return None if found is None else found.bands[-1]

    def _together(self) -> list[Arm]:
        """The best arm and those that cannot be told from it."""
        if self.best is None:
            return []
        threshold = plan_limit("probability_best").value
        sure = self.chances.get(self.best, 0.0) >= threshold
        together = [self.best]
        for arm in self.allowed:
            if arm == self.best:
                continue
            if not self._clearly_better(self.best, arm):
                together.append(arm)
        if len(together) == 1 and not sure:
            others = [arm for arm in self.allowed if arm != self.best]
            together.extend(sorted(others, key=lambda arm: -self.chances.get(arm, 0.0))[:1])
        return together

    def _drawn_jointly(self) -> dict[Arm, float]:
        """P(best) as the forecast counted it among all four arms; empty where it did not, or an arm is closed."""
        counted = {c.arm: c.probability for c in self.forecast.best_chances if c.observable == self.observable}
        return counted if self.gut_link and set(self.allowed) == set(ARMS) == set(counted) else {}

    def _chances(self) -> dict[Arm, float]:
        """P(best) of each allowed arm: each gain drawn from its own quantiles, joined by the arms' correlation.

        Used where the forecast gives bands and no joint draws among the allowed arms: the joint shape (a Gaussian
        copula) is an approximation. A tie, as when nothing works, goes to the arm that asks less.
        """
        values, vectors = np.linalg.eigh(self._correlation())
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        z = np.random.default_rng(2026).standard_normal((DRAWS, len(self.allowed))) @ root.T
        gains = np.zeros_like(z)
        for place, arm in enumerate(self.allowed):
            band = self.gains.get(arm)
            if band is not None:
                gains[:, place] = np.interp(z[:, place], Z_OF, [getattr(band, name) for name in NAMES_OF])
        order = sorted(range(len(self.allowed)), key=lambda place: self.burdens[self.allowed[place]])
        winners = np.array(order)[np.argmax(np.round(gains[:, order], 6), axis=1)]
        return {arm: float(np.mean(winners == place)) for place, arm in enumerate(self.allowed)}

    def _correlation(self) -> npt.NDArray[np.float64]:
        """Correlation of the gains; var(a - b) of each pair of arms gives it."""
        bands = [self.gains.get(arm) for arm in self.allowed]
        sd = [0.0 if band is None else _sd(band) for band in bands]
        correlation = np.eye(len(self.allowed))
        for i, j in combinations(range(len(self.allowed)), 2):
            between = self._better_by(self.allowed[i], self.allowed[j])
            if sd[i] <= 0 or sd[j] <= 0:
                shared = 0.0
            elif between is None:
                shared = plan_limit("correlation_when_unknown").value
            else:
                shared = (sd[i] ** 2 + sd[j] ** 2 - _sd(between) ** 2) / (2 * sd[i] * sd[j])
            correlation[i, j] = correlation[j, i] = min(max(shared, -1.0), 1.0)
        return correlation


def mirrored(band: Band) -> Band:
    """The band of the negative of the quantity."""
    return Band(
        median=-band.median, q25=-band.q75, q75=-band.q25, q10=-band.q90, q90=-band.q10,
        q2_5=-band.q97_5, q97_5=-band.q2_5,
    )  # fmt: skip


def fall_from(start: float, band: Band) -> Band:
    """Start minus the quantity: how far it fell."""
    fallen = mirrored(band)
    return Band.model_validate({name: start + value for name, value in fallen.model_dump().items()})


def evidence_for(condition: Condition, arm: Arm) -> str:
    """What trials of this arm found in this condition, with sign and source; or that none was found."""
    rows = [row for row in arm_evidence().values() if (row.condition, row.arm) == (condition, arm)]
    if not rows:
        return "no trial found"
    return " · ".join(f"{row.sign}: {row.text} [{row.source}, {row.verification}]" for row in rows)


def _sd(band: Band) -> float:
    return max(band.q90 - band.q10, 0.0) / (2 * Z80)


def _summary(
    profile: Profile, forecast: Forecast, observable: str | None, arm: Arm, rank: int, blocked: tuple[str, ...],
    on: _Comparison, smallest: SourcedNumber | None,
) -> ArmSummary:  # fmt: skip
    course = None if observable is None else forecast.course(arm, observable)
    against = None if observable is None else forecast.difference(arm, "standard_care", observable)
    off = None if observable is None else forecast.difference(arm, "standard_care", observable, gut_link=False)
    burden = arm_burdens()[arm]
    improvement = None
    if course is not None and observable is not None:
        score = profile.score(observable)
        start = score.value if score is not None else course.bands[0].median
        improvement = fall_from(start, course.bands[-1])
    gain = None if against is None else mirrored(against.bands[-1])
    gain_off = None if off is None else mirrored(off.bands[-1])
    cost = cost_of(arm)
    unit = next((o.unit for o in forecast.observables if o.key == observable), "")
    label = next((o.label for o in forecast.observables if o.key == observable), observable or "")
    return ArmSummary(
        arm=arm, rank=rank, allowed=not blocked, blocked_because=blocked, instrument=label, unit=unit,
        improvement=improvement,
        gain_over_standard_care=gain, gain_gut_link_off=gain_off,
        probability_best=on.chances.get(arm),
        probability_important_gain=None if against is None else against.probability_important,
        burden=burden.text, burden_points=round(on.burdens[arm], 2),
        evidence=evidence_for(profile.patient.condition, arm),
        net_benefit=round(on.net(arm), 3) if on.known and (arm in on.gains or arm == "standard_care") else None,
        smallest_important_difference=smallest, importance=importance(gain, smallest), monthly_cost=cost,
        within_budget=within_budget(profile, cost),
        judgement=judgement(profile.patient.condition, arm, gain, gain_off),
    )  # fmt: skip

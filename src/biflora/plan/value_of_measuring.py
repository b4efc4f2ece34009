"""Whether to measure one more thing before deciding: would its result change the choice, and is it worth it?

Preposterior analysis on the virtual patients like this one: some of them are measured with error one by one, the
others are weighed by that result, and the plan's own rule is applied again. What the choice gains in expectation
is the expected value of sample information, in points of severity after burdens. The forecast's seed decides all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.deciding import CandidateMeasurement, candidate_measurements
from biflora.knowledge.planning import plan_limit
from biflora.knowledge.rates import observables as observable_table
from biflora.plan.considered import CostRange, MeasurementWorth, Worth, WorthMeasuring
from biflora.plan.draws import Alike, noise_of
from biflora.plan.measures import missing_parts
from biflora.profile.profile import Profile
from biflora.twin.evidence import RATIO
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm
from biflora.twin.observe import TAILS, to_scale

Array = NDArray[np.float64]
RESULTS = 96
"""Imagined results of each measurement."""
TIE = 1e-6
ASSUMPTIONS = (
    "Results are imagined in virtual patients like this one; a measurement is worth what the model lets it tell.",
    "Prices and burdens are assumed; money is shown and not traded against points.",
    "What a measurement is good for beside the choice of an arm (the formula, a diagnosis) is not counted.",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The plan's rule for a proposal (rank.py) on weighed draws of the gains."""

    gains: Array
    """(draw, arm) over standard care, positive better; columns as `allowed`."""
    allowed: tuple[Arm, ...]
    burdens: Array
    """(arm,)."""
    comparable: frozenset[tuple[int, int]]
    """Pairs of places whose difference the forecast tells."""
    widening: float

    def proposals(self, weights: Array) -> NDArray[np.int64]:
        """(result,) place of the arm proposed under each row of `weights` (result, draw)."""
        told = self._told(weights)
        medians = np.column_stack([self._median(place, told, weights) for place in self._places])
        net = np.round(medians - self.burdens, 9)
        best = np.argmax(net - TIE * self.burdens, axis=1)
        clear = self._clear(told, len(weights))
        chances = self._chances(weights)
        limit = plan_limit("probability_best").value
        return np.array([self._one(best[r], net[r], clear[:, :, r], chances[r], limit) for r in range(len(best))])

    def expected(self, weights: Array) -> Array:
        """(result, arm) expected net benefit."""
        return np.asarray(weights @ self.gains - self.burdens)

    @property
    def _places(self) -> range:
        return range(len(self.allowed))

    def _one(self, best: int, net: Array, clear: NDArray[np.bool_], chances: Array, limit: float) -> int:
        together = [best, *(a for a in self._places if a != best and not clear[best, a])]
        if len(together) == 1 and chances[best] < limit and len(self.allowed) > 1:
            together.append(max((a for a in self._places if a != best), key=lambda a: chances[a]))
        if "standard_care" in self.allowed:
            standard = self.allowed.index("standard_care")
            if standard not in together:
                together = [a for a in together if clear[a, standard]]
        return min(together, key=lambda a: (self.burdens[a], -net[a]))

    def _told(self, weights: Array) -> dict[tuple[int, int], Array]:
        """(result, 3) lower limit, median, upper limit of the 80 % interval of each comparable difference."""
        return {
            (a, b): quantiles(self.gains[:, a] - self.gains[:, b], weights, (0.1, 0.5, 0.9))
            for a, b in self.comparable
        }

    def _median(self, place: int, told: Mapping[tuple[int, int], Array], weights: Array) -> Array:
        """Median gain over standard care, from the difference where it was already told."""
        standard = self.allowed.index("standard_care") if "standard_care" in self.allowed else -1
        if place == standard:
            return np.zeros(len(weights))
        if (place, standard) in told:
            return told[place, standard][:, 1]
        return quantiles(self.gains[:, place], weights, (0.5,))[:, 0]

    def _clear(self, told: Mapping[tuple[int, int], Array], results: int) -> NDArray[np.bool_]:
        """(arm, arm, result): whether the first's 80 % interval over the second clears zero and extra burden."""
        count = len(self.allowed)
        found = np.zeros((count, count, results), dtype=bool)
        for (a, b), limits in told.items():
            low, middle, high = limits.T
            below = middle + self.widening * (low - middle)
            above = middle + self.widening * (high - middle)
            extra = self.burdens[a] - self.burdens[b]
            found[a, b] = below > max(0.0, extra)
            found[b, a] = -above > max(0.0, -extra)
        return found

    def _chances(self, weights: Array) -> Array:
        first = self.gains >= self.gains.max(axis=1, keepdims=True) - TIE
        return np.asarray(weights @ (first / first.sum(axis=1, keepdims=True)))


def worth_measuring(
    profile: Profile, like: Alike, observable: str, allowed: Sequence[Arm], burdens: Mapping[Arm, float],
    pairs: Sequence[tuple[Arm, Arm]], seed: int,
) -> WorthMeasuring:  # fmt: skip
    """Every measurement that was not made yet, the most useful first. `burdens` in points, `pairs` as forecast."""
    if len(allowed) < 2:
        return WorthMeasuring(
            said="Only one arm is open: no measurement would change the choice.", observable=observable
        )
    scale = burdens_scale(observable)
    rule = rule_of(like, observable, allowed, burdens, pairs)
    missing = missing_parts(profile)
    rows = [row for row in candidate_measurements().values() if _open(row, missing)]
    random = np.random.default_rng([seed, 17])
    imagined = _imagined(like, rule, random)
    made = [_worth(row, like, rule, imagined, random, scale) for row in rows]
    made.sort(key=lambda m: (-_order(m.worth), -m.expected_gain, -m.probability_choice_changes))
    softened = "Few virtual patients are like this one: what is known was weighed less here than in the forecast."
    assumptions = (*ASSUMPTIONS, *((softened,) if like.softened else ()))
    return WorthMeasuring(
        said=_said(made), observable=observable, virtual_patients=len(np.unique(like.patients)),
        measurements=tuple(made), assumptions=assumptions,
    )  # fmt: skip


def rule_of(
    like: Alike, observable: str, allowed: Sequence[Arm], burdens: Mapping[Arm, float],
    pairs: Sequence[tuple[Arm, Arm]],
) -> Rule:  # fmt: skip
    """The plan's rule for these arms."""
    gains = like.severity(observable)[:, [ARMS.index(arm) for arm in allowed]]
    place = {arm: number for number, arm in enumerate(allowed)}
    told = frozenset((place[a], place[b]) for a, b in pairs if a in place and b in place)
    return Rule(gains, tuple(allowed), np.array([burdens[arm] for arm in allowed]), told, like.widening)


def burdens_scale(observable: str) -> float:
    """Burdens are points of 100; a scale that ends elsewhere stretches them."""
    return float(observable_table()[observable].maximum) / 100.0


def quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """(result, level) weighted quantiles of (draw,) values under each row of weights that sums to 1."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    sorted_weights = np.ascontiguousarray(weights.T, dtype=np.float32)[order]  # whole rows move: quicker by far
    middle = np.cumsum(sorted_weights, axis=0) - 0.5 * sorted_weights
    columns = np.arange(len(weights))
    found = np.empty((len(weights), len(levels)))
    for place, level in enumerate(levels):
        after = np.minimum((middle < level).sum(axis=0), len(ranked) - 1)
        before = np.maximum(after - 1, 0)
        gap = middle[after, columns] - middle[before, columns]
        part = np.where(gap > 0.0, (level - middle[before, columns]) / np.where(gap > 0.0, gap, 1.0), 1.0)
        found[:, place] = ranked[before] + np.clip(part, 0.0, 1.0) * (ranked[after] - ranked[before])
    return found


def likelihoods(expected: Array, results: Array, sd: float, limit: float | None) -> Array:
    """(result, draw) weights by the twin's Student t likelihood, rows summing to 1; up to `limit` censored."""
    z = (results[:, None] - expected) / sd
    logs = -0.5 * (TAILS + 1.0) * np.log1p(z**2 / (TAILS - 2.0))
    if limit is not None:
        low = results <= limit
        logs[low] = -np.logaddexp(0.0, -1.702 * (limit - expected) / sd)
    logs -= logs.max(axis=1, keepdims=True)
    raised = np.exp(logs)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class _Imagined:
    """The patients whose results are imagined, each judged by the others."""

    truth: NDArray[np.int64]
    """(result,) which draw is measured."""
    others: NDArray[np.bool_]
    """(result, draw): the draws that are no copy of her."""
    now: NDArray[np.int64]
    """(result,) the arm that the others propose before anything is measured."""
    leads: NDArray[np.int64]
    """(result,) the arm that leads by expectation before."""


def _imagined(like: Alike, rule: Rule, random: np.random.Generator) -> _Imagined:
    """Patients spread evenly over what the arms do, so that few tell as much as many drawn at random."""
    count = len(like.patients)
    order = np.argsort(rule.gains.mean(axis=1), kind="stable")
    truth = order[((np.arange(RESULTS) + random.random()) * count / RESULTS).astype(np.int64)]
    others = like.patients[None, :] != like.patients[truth][:, None]
    before = others / others.sum(axis=1, keepdims=True)
    return _Imagined(truth, others, rule.proposals(before), rule.expected(before).argmax(axis=1))


def _worth(
    row: CandidateMeasurement, like: Alike, rule: Rule, imagined: _Imagined, random: np.random.Generator,
    scale: float,
) -> MeasurementWorth:  # fmt: skip
    truth = imagined.truth
    weights = imagined.others.astype(np.float64)
    for key in row.observables:
        expected, sd = like.now(key), noise_of(key)
        error = random.standard_t(TAILS, len(truth)) * sd / math.sqrt(TAILS / (TAILS - 2.0))
        weights *= likelihoods(expected, expected[truth] + error, sd, _limit(key))
    weights /= weights.sum(axis=1, keepdims=True)
    then = rule.proposals(weights)
    changed = then != imagined.now
    changes = float(np.mean(changed))
    after = rule.expected(weights)
    # the mean of what the results expect, not the prior: a useless measurement then gains exactly nothing
    gain = float(max(after.max(axis=1).mean() - after.mean(axis=0).max(), 0.0))
    leads = float(np.mean(after.argmax(axis=1) != imagined.leads))
    burden = row.burden_points * scale
    others = tuple(
        (arm, round(float(np.mean(changed & (then == place))), 3))
        for place, arm in enumerate(rule.allowed)
        if np.any(changed & (then == place))
    )
    worth = _judged(changes, gain, burden)
    return MeasurementWorth(
        key=row.key, label=row.label, probability_choice_changes=round(changes, 3), other_choices=others,
        probability_leader_changes=round(leads, 3), expected_gain=round(gain, 3),
        cost=CostRange(low=row.usd_low, high=row.usd_high, source=row.source, verification=row.verification),
        burden=row.burden, burden_points=round(burden, 2), days=row.days, worth=worth,
        words=_words(row, worth, changes, gain, others), source=row.source, verification=row.verification,
    )  # fmt: skip


def _limit(key: str) -> float | None:
    if key == RATIO:
        return None
    row = observable_table()[key]
    limit = row.detection_limit
    return None if limit is None else float(to_scale(row, np.array([limit]))[0])


def _judged(changes: float, gain: float, burden: float) -> Worth:
    if changes < plan_limit("choice_change").value:
        return "would not change the choice"
    return "worth measuring first" if gain > burden else "could change the choice"


def _order(worth: Worth) -> int:
    return ("would not change the choice", "could change the choice", "worth measuring first").index(worth)


def _words(
    row: CandidateMeasurement, worth: Worth, changes: float, gain: float, others: tuple[tuple[Arm, float], ...]
) -> str:
    price = "no cost" if row.usd_high == 0 else f"about {row.usd_low:g} to {row.usd_high:g} USD (assumed)"
    if worth == "would not change the choice":
        return f"{row.label}: would not change the choice ({changes:.0%} of results would); {price}."
    to = ", ".join(f"{ARM_LABELS[arm].lower()} {share:.0%}" for arm, share in sorted(others, key=lambda o: -o[1]))
    ending = "" if worth == "worth measuring first" else "; that is no more than it asks"
    return (
        f"{row.label}: in {changes:.0%} of results another arm would be proposed ({to}); the choice gains "
        f"{gain:.2f} points in expectation{ending}; {price}, {row.burden}, result after {row.days} days."
    )


def _said(made: Sequence[MeasurementWorth]) -> str:
    if not made:
        return "Everything that could tell more was measured: no further measurement waits."
    first = [m for m in made if m.worth == "worth measuring first"]
    could = [m for m in made if m.worth == "could change the choice"]
    if first:
        names = "; ".join(f"{m.label} ({m.probability_choice_changes:.0%})" for m in first[:3])
        return f"Measuring first could be worth it, in brackets how often another arm would be proposed: {names}."
    if could:
        names = "; ".join(f"{m.label} ({m.probability_choice_changes:.0%})" for m in could[:3])
        return (
            f"Some measurements could change the choice ({names}), but none is expected to bring more than it "
            "asks. Decide now."
        )
    leaders = sorted((m for m in made if m.probability_leader_changes >= 0.1), key=lambda m: -m.expected_gain)[:2]
    if leaders:
        names = "; ".join(f"{m.label} ({m.probability_leader_changes:.0%})" for m in leaders)
        return (
            "No further measurement would change the choice. Decide now. Which arm leads by expectation alone "
            f"could still change: {names}."
        )
    return "No further measurement would change the choice. Decide now."


def _open(row: CandidateMeasurement, missing: set[str]) -> bool:
    return bool(set(row.missing) & missing)

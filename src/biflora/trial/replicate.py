"""A published trial, predicted before looking: what the literature-based population gives, beside what was
published, and how surprising each figure is. Nothing is tuned to the published figures.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from biflora.errors import TrialistMust
from biflora.knowledge.rates import population_setting
from biflora.knowledge.rows import release
from biflora.knowledge.trials import (
    PublishedFigure,
    TrialDesign,
    not_identified,
    published_figures,
    trial_designs,
    trial_setting,
)
from biflora.trial.ancova import AncovaMany, ancova_many
from biflora.trial.evidence import ArmResult, Comparison, Contrast, Evidence
from biflora.trial.power import detectable
from biflora.trial.virtual import VirtualTrials, run_virtual_trials
from biflora.twin.forecast import ARM_LABELS, Arm
from biflora.values import Band, Finding, Who

Floats = npt.NDArray[np.float64]
ENDPOINTS = ("at week {weeks}, ANCOVA on baseline", "change in percent, ANCOVA on baseline")


def replicate(
    trial: str, *, seed: int = 2026, repeats: int = 400, on_progress: Callable[[float], None] = lambda share: None
) -> Evidence:
    """Repeat the trial `repeats` times on virtual patients and hold the published figures against the spread.

    `on_progress` hears the share done, 0 to 1. Raises TrialistMust for an unknown trial, listing the known ones.
    """
    design = _design(trial)
    trials = run_virtual_trials(design, seed=seed, repeats=repeats, on_progress=on_progress)
    return evidence_of(trial, design, trials, seed=seed)


def evidence_of(trial: str, design: TrialDesign, trials: VirtualTrials, *, seed: int) -> Evidence:
    """Analyse the virtual trials and compare; pure."""
    severity = trials.values[design.severity]
    arms = len(design.arms)
    points = ancova_many(severity.baseline, severity.final, trials.arm, arms=arms)
    percent = ancova_many(severity.baseline, severity.percent_change, trials.arm, arms=arms)
    rows = [row for row in published_figures().values() if row.trial == trial]
    return Evidence.make(
        "evidence",
        release=release(),
        trial=trial,
        design=_design_words(design),
        seed=seed,
        repeats=trials.repeats,
        arms=tuple(_arm_result(design, trials, i) for i in range(arms)),
        contrasts=(
            *_contrasts(design, points, trials.label, ENDPOINTS[0].format(weeks=design.weeks), "points"),
            *_contrasts(design, percent, trials.label, ENDPOINTS[1], "percentage points"),
        ),
        comparisons=tuple(compare(row, predicted_figure(row, design, trials)) for row in rows),
        not_identified=(
            *(row.text for row in not_identified().values() if row.trial == trial),
            _synergy(design, percent, rows),
        ),
        findings=_findings(design, trials),
    )


def predicted_figure(row: PublishedFigure, design: TrialDesign, trials: VirtualTrials) -> Floats:
    """The figure as each virtual trial would have published it: from the arm's means of complete cases."""
    measured = trials.values[row.observable]
    here = (trials.arm == design.arms.index(row.arm)) & np.isfinite(measured.final)
    start = np.nanmean(np.where(here, measured.baseline, np.nan), axis=1)
    end = np.nanmean(np.where(here, measured.final, np.nan), axis=1)
    figure: Floats
    match row.measure:
        case "percent change":
            figure = 100 * (end / start - 1)
        case "fold fall":  # of a log10 load: geometric means
            figure = 10 ** (start - end)
        case "fold rise":
            figure = 10 ** (end - start)
    return figure


def compare(row: PublishedFigure, predicted: Floats) -> Comparison:
    """One published figure beside its predictive distribution."""
    chance = surprise(row.value, predicted)
    return Comparison(
        figure=row.label, published=row.value, unit=row.unit, predicted=band_of(predicted), surprise=chance,
        reading=reading(chance), source=row.source, verification=row.verification,
    )  # fmt: skip


def surprise(published: float, predicted: Floats) -> float:
    """Two-sided predictive tail: twice the smaller share of virtual trials at or beyond the published figure.

    One is added to both counts, so that R trials never claim less than about 2 / (R + 1).
    """
    known = predicted[np.isfinite(predicted)]
    below, above = np.sum(known <= published), np.sum(known >= published)
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(known) + 1)))


def reading(chance: float) -> str:
    if chance < trial_setting("hardly_compatible_below"):
        return "hardly compatible"
    return "surprising" if chance < trial_setting("surprising_below") else "not surprising"


def band_of(values: Floats) -> Band:
    known = values[np.isfinite(values)]
    names = ("q2_5", "q10", "q25", "median", "q75", "q90", "q97_5")
    found = np.quantile(known, (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975))
    return Band(**{name: float(value) for name, value in zip(names, found, strict=True)})


def _design(trial: str) -> TrialDesign:
    known = trial_designs()
    if trial in known:
        return known[trial]
    near = get_close_matches(trial, list(known), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise TrialistMust(f"No published trial of that name is known; known: {', '.join(known)}.{hint}")


def _design_words(design: TrialDesign) -> str:
    arms = ", ".join(
        f"{ARM_LABELS[arm].lower()} {size}" for arm, size in zip(design.arms, design.arm_sizes, strict=True)
    )
    return (
        f"{design.patients} patients, {design.weeks} weeks, permuted blocks, arms of {design.sizes_status} size "
        f"({arms}); {design.severity.upper()} at entry at least {design.minimum_severity:g}; "
        f"{100 * design.dropout:.0f} % drop out at random (assumed); ANCOVA of complete cases."
    )


def _arm_result(design: TrialDesign, trials: VirtualTrials, index: int) -> ArmResult:
    severity = trials.values[design.severity]
    here = trials.arm == index
    start, end = np.where(here, severity.baseline, np.nan), np.where(here, severity.final, np.nan)
    both = np.where(np.isfinite(end), start, np.nan)
    change = 100 * (np.nanmean(end, axis=1) / np.nanmean(both, axis=1) - 1)
    return ArmResult(
        arm=design.arms[index],
        n=design.arm_sizes[index],
        baseline_mean=float(np.mean(np.nanmean(start, axis=1))),
        baseline_sd=float(np.mean(np.nanstd(start, axis=1, ddof=1))),
        week12_mean=float(np.mean(np.nanmean(end, axis=1))),
        percent_change=band_of(change),
    )


def _contrasts(
    design: TrialDesign, many: AncovaMany, label: str, endpoint: str, unit: str
) -> tuple[Contrast, ...]:
    """Each arm against the first one: the first virtual trial as analysed, and the spread over all."""
    from scipy.stats import t

    alpha = trial_setting("alpha")
    found = []
    for i, arm in enumerate(design.arms[1:], start=1):
        known = np.isfinite(many.p_values[:, i])
        first = int(np.argmax(known))
        estimate, se = float(many.differences[first, i]), float(many.se[first, i])
        half = float(t.ppf(1 - alpha / 2, many.df[first])) * se
        found.append(
            Contrast(
                arm=arm, against=design.arms[0], endpoint=f"{label} {endpoint}", unit=unit, estimate=estimate,
                se=se, ci_low=estimate - half, ci_high=estimate + half, p_value=float(many.p_values[first, i]),
                predictive=band_of(many.differences[:, i]), power=float(np.mean(many.p_values[known, i] < alpha)),
            )
        )  # fmt: skip
    return tuple(found)


def _synergy(design: TrialDesign, percent: AncovaMany, rows: list[PublishedFigure]) -> str:
    """The smallest synergy that this size of trial can see, beside the whole published gap."""
    sd = float(np.nanmedian(percent.residual_sd))
    se = sd * float(np.sqrt(sum(1 / n for n in design.arm_sizes)))
    df = sum(design.arm_sizes) - len(design.arm_sizes)
    smallest = detectable(se, df, power=trial_setting("target_power"), alpha=trial_setting("alpha"))
    severity: dict[Arm, float] = {row.arm: row.value for row in rows if row.observable == design.severity}
    gap = severity.get("standard_care", 0.0) - severity.get("combination", 0.0)
    low, high = trial_setting("sd_low"), trial_setting("sd_high")
    scenarios = [detectable(se / sd * s, df) for s in (low, high)]
    return (
        f"Synergy: with {design.patients} patients and a spread of {sd:.0f} percentage points (as simulated) the "
        f"smallest interaction seen with 80 % power is {smallest:.1f} percentage points ({scenarios[0]:.1f} to "
        f"{scenarios[1]:.1f} for spreads of {low:.0f} to {high:.0f}); the whole published gap between combination "
        f"and standard care is {gap:.1f}. This trial could not have tested synergy."
    )


def _uncertainty(trials: VirtualTrials) -> str:
    share = 100 * population_setting("shared_variance").value
    words = (
        f"{trials.repeats} virtual trials from {trials.populations} drawn populations: {share:.0f} % of each "
        "rate's variance (assumed) is uncertainty of the whole population, the rest differs between patients."
    )
    if trials.too_mild:
        words += f" {trials.too_mild} drawn population(s) were too mild to fill this trial; others stand in."
    return words


def _findings(design: TrialDesign, trials: VirtualTrials) -> tuple[Finding, ...]:
    notes = [
        ("trial_assumptions", f"Assumed, because the abstract does not say: {design.note}."),
        (
            "not_tuned",
            "The population was built without this trial's figures; a surprising figure stays surprising. Two "
            "small trials can differ for many reasons; surprise is no verdict on a trial.",
        ),
        ("parameter_uncertainty", _uncertainty(trials)),
    ]
    if trials.failed:
        notes.append(("failed_trajectories", f"{trials.failed} virtual patients could not be simulated."))
    return tuple(
        Finding(
            level="note", rule=rule, subject="virtual trial", message=message, who=Who.EVIDENCE,
            source=design.source, verification=design.verification,
        )
        for rule, message in notes
    )  # fmt: skip

"""The validation as a page: what was tested, against what, and how it came out, whatever that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biflora.knowledge.published import published_trials
from biflora.twin.emulator import PERCENTS, SHARES
from biflora.twin.longitudinal import JudgedTable
from biflora.twin.personal_checks import Ranks
from biflora.twin.scores import stacking_weights
from biflora.twin.validate import CLEAR_WIN, LEVELS, HeldOut, HeldOutTrials, errors

MEASURES = {
    "percent_change": "change, %", "percent_of_means": "change of the mean, %",
    "responders_50": "50 % responders, %",
    "responders_75": "75 % responders, %", "improved": "below baseline, %", "mild": "mild at the end, %",
    "change": "change, points", "difference_of_change": "difference, points", "log10_ratio": "log10 ratio",
    "mean": "mean, points", "sign": "direction",
}  # fmt: skip
SIGNS = {-1.0: "lower", 0.0: "no difference shown", 1.0: "higher"}


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything `biflora twin validate` found."""

    made_on: str
    seed: int
    command: str
    population: str
    trials: HeldOutTrials
    four_states: Mapping[Any, float]
    ranks: tuple[Ranks, ...]
    persons: JudgedTable | None


def validation_markdown(found: Validation) -> str:
    """The page in docs/explanation."""
    parts = [
        "# How the twin did on what it had not seen",
        f"Written by `{found.command}` on {found.made_on}, seed {found.seed}; population: {found.population}. "
        "Do not edit by hand.",
        "A trial that is left out is left out whole, with every pooled analysis that counts its patients. What is "
        "predicted is the figure that the trial printed, for a trial of its size. The form of the model and the "
        "priors of its rates were chosen by people who had read these trials: leaving a trial out tests the "
        "calibration, not their memory.",
        *_trials(found.trials),
        *_four_states(found.four_states),
        *_ranks(found.ranks),
        *_persons(found.persons),
    ]
    return "\n\n".join(parts) + "\n"


def _trials(found: HeldOutTrials) -> list[str]:
    used = [f for f in found.figures if f.row.use == "calibrate"]
    checks = [f for f in found.figures if f.row.use == "check"]
    wins, nulls = found.clear_wins_on_null_trials()
    severity = [f for f in used if f.regression is not None and f.mean_of_others is not None]
    return [
        "## Trials left out one at a time",
        f"{len(used)} figures of {len({f.row.trial for f in used})} trials (those that the calibration learns "
        "from when nothing is left out); figures kept for checking only stand apart.",
        _table(
            ("interval", "figures inside", "share", "checks inside"),
            [
                (
                    f"{100 * level:g} %",
                    f"{sum(f.inside(level) for f in used)} of {len(used)}",
                    f"{np.mean([f.inside(level) for f in used]):.0%}",
                    f"{sum(f.inside(level) for f in checks)} of {len(checks)}",
                )
                for level in LEVELS
            ],
        ),
        _by_trial(used),
        _error_lines(used),
        "### Beside two baselines",
        f"Mean CRPS over the {len(severity)} severity figures in percent that all three could predict (smaller is "
        f"better): twin **{np.mean([f.crps for f in severity]):.1f}**, meta-regression "
        f"**{np.mean([f.regression or 0.0 for f in severity]):.1f}**, mean of the other trials "
        f"**{np.mean([f.mean_of_others or 0.0 for f in severity]):.1f}** percentage points.",
        "### Null and negative trials",
        f"Predicted to be a clear win (probability above {CLEAR_WIN:.1%} that the active arm's estimate is "
        f"better): **{len(wins)} of {nulls}** trials whose result was null or negative"
        + (f" ({', '.join(published_trials()[key].label for key in wins)})." if wins else "."),
        "### Trials that printed a direction only",
        _signs(found),
        "### Every figure",
        _figures(used),
        "### Figures kept for checking only",
        "Uncontrolled studies, duplicates of another figure, and figures that are implausible as printed.",
        _figures(checks),
    ]


def _by_trial(found: Sequence[HeldOut]) -> str:
    """Figures of one trial are not independent: the same count with a trial counting once."""
    shares = []
    for level in LEVELS:
        by: dict[str, list[bool]] = {}
        for figure in found:
            by.setdefault(figure.row.trial, []).append(figure.inside(level))
        shares.append(f"{100 * level:g} %: {np.mean([np.mean(v) for v in by.values()]):.0%}")
    return f"With each trial counting once: {', '.join(shares)}."


def _error_lines(found: Sequence[HeldOut]) -> str:
    percent, bias, n = errors(found, PERCENTS)
    points, lean, m = errors(found, ("change", "difference_of_change", "mean"))
    share, off, k = errors(found, SHARES)
    return (
        f"Error of the predicted medians, root mean square (mean error): percent changes {percent:.1f} "
        f"({bias:+.1f}) percentage points over {n}; points {points:.2f} ({lean:+.2f}) over {m}; responders "
        f"{share:.1f} ({off:+.1f}) percentage points over {k}. For comparison: a published model of this kind "
        "reaches 2.1 EASI points and 7.4 percentage points of EASI-75 on the trials that it was fitted to."
    )


def _figures(found: Sequence[HeldOut]) -> str:
    return _table(
        ("trial", "arm", "week", "what", "printed", "predicted", "80 %", "95 %", "inside 80 %"),
        [
            (
                published_trials()[f.row.trial].label, f.row.arm.removeprefix(f.row.trial + "_"),
                f"{f.row.week:g}",
                f"{f.row.observable} {MEASURES[f.row.measure]}", f"{f.row.value:g}", f"{f.median:.1f}",
                f"{f.limits[1, 0]:.1f} to {f.limits[1, 1]:.1f}", f"{f.limits[2, 0]:.1f} to {f.limits[2, 1]:.1f}",
                "yes" if f.inside(0.8) else "no",
            )
            for f in found
        ],
    )  # fmt: skip


def _signs(found: HeldOutTrials) -> str:
    return _table(
        ("trial", "what", "week", "found", "predicted lower", "none shown", "higher", "favours active"),
        [
            (published_trials()[s.row.trial].label, s.row.observable, f"{s.row.week:g}", SIGNS[s.row.value],
             f"{s.lower:.0%}", f"{s.none:.0%}", f"{s.higher:.0%}", f"{s.favours:.0%}")
            for s in found.signs
        ],
    )  # fmt: skip


def _four_states(found: Mapping[str, float]) -> list[str]:
    told = {
        "dupilumab": 61.6, "s_aureus_eradication": 66.7, "dupilumab_and_eradication": 87.8,
    }  # fmt: skip
    return [
        "## The four-state comparator reproduces its paper",
        _table(
            ("arm", "EASI-75 at week 16, ours", "paper"),
            [
                (arm, f"{100 * share:.1f} %", f"{told[arm]} %" if arm in told else "not given")
                for arm, share in found.items()
            ],
        ),
    ]  # fmt: skip


def _ranks(found: Sequence[Ranks]) -> list[str]:
    return [
        "## Simulation-based calibration",
        "Patients drawn from the population, measured, and forecast: the truth must rank uniformly among the "
        "forecast's draws. Small p speaks against it.",
        _table(
            ("measured", "patients", "tempered moves", "SCORAD, week 12: p", "combination minus care: p"),
            [
                (r.design, str(r.patients), str(r.moved), f"{r.course.p:.2f}", f"{r.difference.p:.2f}")
                for r in found
            ],
        ),
    ]


def _persons(found: JudgedTable | None) -> list[str]:
    if found is None:
        return [
            "## Real persons",
            "The longitudinal scores were not on this machine; run again with `--shared` naming their folder.",
        ]
    weights = dict(zip((model.name for model in found.models), stacking_weights(found.log_scores), strict=True))
    rows = [
        (
            model.name, ", ".join(f"{model.coverage[level]:.0%}" for level in LEVELS),
            f"{model.mean_crps.value:.2f} ({model.mean_crps.low:.2f} to {model.mean_crps.high:.2f})",
            *(f"{r.value:.2f} ({r.low:.2f} to {r.high:.2f})" for r in model.crps_ratios.values()),
            f"{model.absolute_error.value:.1f}", f"{weights[model.name]:.2f}",
        )
        for model in found.models
    ]  # fmt: skip
    bars = [name.replace("_", " ") for name in found.models[0].crps_ratios]
    return [
        "## Real persons",
        f"Children of a trial of topical steroid with or without bleach baths (Khadka 2021): the first "
        f"{found.given} visits given, the later ones predicted; {found.predictions} predictions in "
        f"{found.persons} children. Intervals are bootstrap over children.",
        _table(
            (
                "forecaster",
                "inside 50, 80, 95 %",
                "CRPS (95 % interval)",
                *(f"of the {bar}'s" for bar in bars),
                "mean absolute error",
                "stacking weight",
            ),
            rows,
        ),
        "The four-state model knows no topical steroid, which these children were given; the stack uses the "
        "weights that ship, which come from an earlier run of this very table: it is not held out.",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)])


def fit_markdown(made: Mapping[str, Any]) -> str:
    """The fit of the shipped population per trial arm (in sample), from its artefact."""
    rows = []
    for figure in made["fit"]:
        if "median" in figure:
            said = f"{figure['median']:g}", f"{figure['low_80']:g} to {figure['high_80']:g}"
        else:
            said = f"chance of what was found {figure['chance_of_what_was_found']:.0%}", ""
        rows.append(
            (figure["trial"], f"{figure['week']:g}", f"{figure['observable']} {MEASURES[figure['measure']]}",
             f"{figure['published']:g}", *said, "learnt from" if figure["use"] == "calibrate" else "check")
        )  # fmt: skip
    return "\n\n".join([
        "# How the calibrated population fits the trials it learnt from",
        f"Written by `{made['command']}` on {made['made_on']}; {made['populations_simulated']} possible "
        f"populations simulated, {made['failed_trajectories']} trajectories failed, largest R-hat "
        f"{made['largest_r_hat']:g}. This is the fit in sample; [the validation](twin-validation.md) leaves "
        "trials out.",
        _table(("trial", "week", "figure", "printed", "median", "80 %", "use"), rows),
    ]) + "\n"  # fmt: skip

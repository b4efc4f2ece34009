"""What a person reads in the terminal of trials that were predicted, calibrated to, or held out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from biflora.cli.show import _heading, _interval, _table, console
from biflora.twin.predict import TrialPrediction
from biflora.twin.report import Validation
from biflora.twin.validate import LEVELS


def prediction(found: TrialPrediction) -> None:
    """Arms, then differences to the first arm; median and 80 % interval of what such a trial would print."""
    _heading(f"Predicted: {found.label}")
    entry = ", ".join(f"{key} {mean:.1f} (SD {sd:.1f})" for key, mean, sd in found.baseline)
    console.print(f"[dim]At entry as simulated: {entry}; population: {found.population}[/]")
    table = _table("arm", "what", "week", "median (80 %)", right=(2, 3))
    for row in found.arms:
        table.add_row(f"{row.arm} (n {row.n})", f"{row.observable} {row.measure.replace('_', ' ')}, {row.unit}",
                      f"{row.week:g}", _interval(row.band))  # fmt: skip
    console.print(table)
    if found.differences:
        _heading("Differences")
        table = _table("arm", "what", "median (80 %)", "better", "shown", right=(2, 3, 4))
        for gap in found.differences:
            table.add_row(
                f"{gap.arm} - {gap.against}",
                f"{gap.observable} {gap.measure.replace('_', ' ')}, week {gap.week:g}",
                _interval(gap.band), f"{gap.probability_better:.0%}", f"{gap.probability_shown:.0%}",
            )  # fmt: skip
        console.print(table)
        console.print("[dim]better: the estimate favours the arm; shown: by more than 1.96 standard errors.[/]")
    for text in found.assumptions:
        console.print(f"[dim]Assumed: {text}[/]")


def calibration(made: Mapping[str, Any], out: Path) -> None:
    inside = [f["low_80"] <= f["published"] <= f["high_80"] for f in made["fit"]
              if "median" in f and f["use"] == "calibrate"]  # fmt: skip
    console.print(
        f"Wrote {out}: {len(made['members'])} possible populations; {made['failed_trajectories']} trajectories "
        f"failed; largest R-hat {made['largest_r_hat']}. {sum(inside)} of {len(inside)} figures lie inside their "
        "80 % interval (in sample)."
    )


def validation(found: Validation, report: Path) -> None:
    for level in LEVELS:
        inside, of = found.trials.coverage(level)
        console.print(f"{100 * level:g} % intervals held {inside} of {of} held-out figures ({inside / of:.0%})")
    wins, nulls = found.trials.clear_wins_on_null_trials()
    console.print(f"Null trials predicted to be a clear win: {len(wins)} of {nulls}")
    mean = np.mean([f.crps for f in found.trials.figures if f.regression is not None])
    console.print(f"Mean CRPS of severity figures: {mean:.1f} percentage points. The page: {report}")

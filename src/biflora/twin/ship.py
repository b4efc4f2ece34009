"""From a campaign to the population that ships: kept campaigns, the artefact, its fit per trial arm."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.published import published_trials
from biflora.knowledge.rows import release
from biflora.twin import fingerprint
from biflora.twin.bank import cache_folder
from biflora.twin.calibrate import Figures, Posterior, predicted, told
from biflora.twin.campaign import Campaign, run_campaign
from biflora.twin.emulator import Emulator
from biflora.twin.state import RATES

Array = NDArray[np.float64]
MEMBERS = 256
CAMPAIGN_SOURCES = (*fingerprint.ENGINE, "regimen.py", "population.py", "cohort.py", "summaries.py", "campaign.py")


def kept_campaign(
    populations: int, seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> Campaign:
    """The campaign of that size and seed from the user's cache, or simulated now and kept there."""
    text = f"{populations} {seed} {fingerprint.of_source(CAMPAIGN_SOURCES)} {fingerprint.of_trials()}"
    path = cache_folder() / f"campaign-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
    found = _read(path)
    if found is None:
        found = run_campaign(populations, seed, on_progress)
        _write(path, found)
    return found


def _read(path: Path) -> Campaign | None:
    try:
        with np.load(path, allow_pickle=False) as held:
            return Campaign(
                held["design"], tuple(held["outcomes"].tolist()), held["values"], held["spreads"],
                held["effective"], int(held["failed"]),
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, made: Campaign) -> None:
    """Under another name first; a cache that cannot be written costs only time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(
                file, design=made.design, outcomes=np.array(made.outcomes), values=made.values,
                spreads=made.spreads, effective=made.effective, failed=np.int64(made.failed),
            )  # fmt: skip
        os.replace(draft, path)
    except OSError:
        return


def artefact_of(
    emulator: Emulator, figures: Figures, posterior: Posterior, campaign: Campaign, *, seed: int, command: str,
    made_on: str,
) -> dict[str, Any]:  # fmt: skip
    """What ships: members evenly taken from the posterior, the sizes of the trials' effects, the fit."""
    places = np.linspace(0, len(posterior.shifts) - 1, MEMBERS).astype(np.int64)
    order = np.random.default_rng([seed, 44]).permutation(len(posterior.shifts))[places]
    return {
        "name": f"atopic dermatitis {release()}, seed {seed}, {made_on}",
        "made_on": made_on,
        "command": command,
        "seed": seed,
        "knowledge_release": release(),
        "populations_simulated": len(campaign.design),
        "failed_trajectories": campaign.failed,
        "largest_r_hat": round(posterior.between, 3),
        "rates": [RATES[i] for i in emulator.active],
        "members": np.round(posterior.shifts[order], 3).tolist(),
        "effects": np.round(posterior.effects[order], 4).tolist(),
        "fit": fit(emulator, figures, posterior, seed),
    }


def artefact_text(made: dict[str, Any]) -> str:
    """The artefact as JSON, one member a line, so that a change can be read."""
    text = json.dumps({k: v for k, v in made.items() if k not in ("members", "effects", "fit")}, indent=1)
    blocks = ",\n".join(
        f' "{key}": [\n  ' + ",\n  ".join(json.dumps(row) for row in made[key]) + "\n ]"
        for key in ("members", "effects", "fit")
    )
    return text.rstrip("}\n") + ",\n" + blocks + "\n}\n"


def fit(emulator: Emulator, figures: Figures, posterior: Posterior, seed: int) -> list[dict[str, Any]]:
    """Every figure beside what the calibrated population says of it (in sample)."""
    rows = []
    for place, trial in enumerate(figures.trials):
        places = np.flatnonzero((figures.trial == place) & ~figures.spread)
        drawn = predicted(emulator, figures, posterior, places, 4000, seed)
        for column, k in enumerate(places):
            row = figures.rows[k]
            if figures.sign[k]:
                shown = 1.96 * figures.error[k]
                agree = {0.0: np.abs(drawn[:, column]) <= shown, -1.0: drawn[:, column] < -shown,
                         1.0: drawn[:, column] > shown}[row.value]  # fmt: skip
                said = {"chance_of_what_was_found": round(float(np.mean(agree)), 3)}
            else:
                values = told(figures, int(k), drawn[:, column])
                low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
                said = {"median": round(float(middle), 2), "low_80": round(float(low), 2),
                        "high_80": round(float(high), 2)}  # fmt: skip
            rows.append({
                "figure": row.key, "trial": published_trials()[trial].label, "week": row.week,
                "observable": row.observable, "measure": row.measure, "published": row.value, "use": row.use,
                "emulator_explains": round(float(emulator.explained[k]), 3), **said,
            })  # fmt: skip
    return rows

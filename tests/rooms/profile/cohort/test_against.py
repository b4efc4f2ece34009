"""Witnesses: rmcorr's documented result on Bland and Altman 1995; SciPy's spearmanr; real children's data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biflora.profile.cohort.against import DRAWS, associate, spearman
from biflora.profile.cohort.guild_table import guild_table
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import read_metadata

# Bland and Altman 1995 BMJ 310:446, Table 1: intramural pH and PaCO2 of eight subjects.
BLAND = {
    1: [(6.68, 3.97), (6.53, 4.12), (6.43, 4.09), (6.33, 3.97)],
    2: [(6.85, 5.27), (7.06, 5.37), (7.13, 5.41), (7.17, 5.44)],
    3: [(7.4, 5.67), (7.42, 3.64), (7.41, 4.32), (7.37, 4.73), (7.34, 4.96), (7.35, 5.04), (7.28, 5.22),
        (7.3, 4.82), (7.34, 5.07)],
    4: [(7.36, 5.67), (7.33, 5.1), (7.29, 5.53), (7.3, 4.75), (7.35, 5.51)],
    5: [(7.35, 4.28), (7.3, 4.44), (7.3, 4.32), (7.37, 3.23), (7.27, 4.46), (7.28, 4.72), (7.32, 4.75),
        (7.32, 4.99)],
    6: [(7.38, 4.78), (7.3, 4.73), (7.29, 5.12), (7.33, 4.93), (7.31, 5.03), (7.33, 4.93)],
    7: [(6.86, 6.85), (6.94, 6.44), (6.92, 6.52)],
    8: [(7.19, 5.28), (7.29, 4.56), (7.21, 4.34), (7.25, 4.32), (7.2, 4.41), (7.19, 3.69), (6.77, 6.09),
        (6.82, 5.58)],
}  # fmt: skip


def test_the_correlation_within_persons_is_rmcorrs() -> None:
    """R package rmcorr 0.7.0, its example: r -0.5067697, df 38, p 0.0008471081, -0.7067 to -0.2319."""
    rows = [(str(person), *pair) for person, pairs in BLAND.items() for pair in pairs]
    persons = [row[0] for row in rows]
    ph, carbon = (np.array([row[place] for row in rows]) for place in (1, 2))
    found = associate("ph", "pH", carbon, "PaCO2", ph, persons)
    assert found.within == pytest.approx(-0.5067697, abs=1e-7)
    assert found.within_df == 38
    assert found.within_p == pytest.approx(0.0008471081, rel=1e-6)
    assert (found.within_low, found.within_high) == (
        pytest.approx(-0.7067146, abs=1e-6), pytest.approx(-0.2318631, abs=1e-6),
    )  # fmt: skip


def test_ranks_are_scipys_and_unknown_samples_are_left_out() -> None:
    from scipy.stats import spearmanr

    x = np.array([0.0, 0.0, 1.0, 3.0, 2.0, np.nan, 5.0, 4.0])
    y = np.array([1.0, 2.0, 2.0, 5.0, 3.0, 9.0, np.nan, 6.0])
    found = associate("q", "q", x, "s", y, list("abcdefgh"))
    kept = ~np.isnan(x) & ~np.isnan(y)
    assert found.samples == 6
    assert found.spearman == pytest.approx(spearmanr(x[kept], y[kept]).statistic, abs=1e-12)
    assert spearman(x[kept], -y[kept]) == pytest.approx(-found.spearman)
    assert found.within is None  # nobody has two samples


def test_a_quantity_that_the_assay_could_not_see_gets_no_correlation() -> None:
    found = associate("m", "Malassezia", np.full(6, np.nan), "SCORAD", np.arange(6.0), list("abcdef"), note="16S")
    assert (found.samples, found.spearman, found.note) == (0, None, "16S")


def test_s_aureus_rises_with_severity_in_real_children(shared_data: Path) -> None:
    """Khadka 2021: published as rising with SCORAD; the meta-analysis of seven trials has r .42 (.31 to .52)."""
    folder = shared_data / "ad_skin_trial_khadka2021"
    table = read_laboratory_file(folder / "sample_per_timepoint_no_forearm.csv").table
    rows = read_metadata(folder / "meta_sample_per_timepoint_no_forearm.csv", wanted=table.samples)
    guilds = guild_table(table, rows.samples, "skin")
    scores, persons = rows.numbers("ScoradTotal"), rows.texts("Subject")
    found = associate("s_aureus", "S. aureus", guilds.shares["s_aureus"], "SCORAD", scores, persons)
    assert found.persons == 14
    assert found.low is not None
    assert found.within_low is not None
    assert found.low > 0.3  # seen 0.43 to 0.83 around 0.70
    assert found.within_low > 0.1  # within children too: 0.17 to 0.66 around 0.45
    yeast = next(seen for seen in guilds.seen() if seen.guild == "malassezia")
    assert yeast.median is None
    assert yeast.not_measured == len(rows.samples)


def test_the_interval_by_persons_is_that_of_drawing_them_one_by_one() -> None:
    """The witness draws persons with a loop and ranks by SciPy; the same draws must give the same interval."""
    random = np.random.default_rng(8)
    persons = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    own = random.normal(size=12)[persons]
    x, y = np.round(own + random.normal(size=42), 0), own + random.normal(size=42)  # x has ties
    found = associate("q", "q", x, "s", y, [str(p) for p in persons], seed=5)
    who = np.unique([str(p) for p in persons], return_inverse=True)[1]
    drawn = []
    for chosen in np.random.default_rng(5).integers(0, 12, (DRAWS, 12)):
        rows = np.concatenate([np.flatnonzero(who == person) for person in chosen])
        drawn.append(spearman(x[rows], y[rows]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=1e-12)
    other = associate("q", "q", x, "s", y, [str(p) for p in persons], seed=6)
    assert other.low == pytest.approx(found.low, abs=0.04)

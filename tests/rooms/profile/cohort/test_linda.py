"""Witnesses: the authors' R code (LinDA 0.2.0 on R 4.2.2 with lmerTest and modeest's mean shift) on the smokers
data, SciPy's kernel density, scikit-bio's ANCOM-BC, hand arithmetic, and simulations with a known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from r_data import read_rda

from biflora.errors import TrialistMust
from biflora.profile.cohort.contrasts import against_control, arm_over_time
from biflora.profile.cohort.linda import (
    LindaOptions,
    Zeros,
    centred_log2,
    linda,
    mode,
    significant,
    winsorised,
    without_zeros,
)
from biflora.profile.cohort.model_table import FitStatus
from biflora.profile.cohort.sensitivity import ancombc_second_opinion, pseudocount_sensitivity
from biflora.profile.metadata import Metadata

PLAIN = LindaOptions(least_reads=1, prevalence=0.0, winsor=None)


def described(**columns: list[str]) -> Metadata:
    size = len(next(iter(columns.values())))
    samples = tuple(f"s{i}" for i in range(size))
    return Metadata("made up", samples, {name: tuple(cells) for name, cells in columns.items()})


@pytest.fixture(scope="module")
def smokers(shared_data: Path) -> tuple[np.ndarray, list[str], Metadata, list[str]]:
    data = read_rda(shared_data / "linda_smokers" / "smokers.rda")["smokers"]
    counts = data.otu.matrix().T
    taxa, samples = (list(names.value) for names in data.otu["dimnames"].value)
    columns = {
        "Smoke": data.meta.SMOKER.texts(),
        "Sex": data.meta.SEX.texts(),
        "SubjectID": data.meta.HOST_SUBJECT_ID.texts(),
    }
    throat = [i for i, site in enumerate(data.meta.AIRWAYSITE.texts()) if site == "Throat"]
    metadata = Metadata(
        "smokers", tuple(samples[i] for i in throat), {n: tuple(c[i] for i in throat) for n, c in columns.items()}
    )
    return counts[throat], taxa, metadata, [data.meta.SIDEOFBODY.texts()[i] for i in throat]


def test_mixed_model_equals_the_authors_code(smokers: tuple[np.ndarray, list[str], Metadata, list[str]]) -> None:
    # R: linda(otu, meta, '~Smoke+Sex+(1|SubjectID)', alpha = .1, prev.cut = .1, lib.cut = 1000, winsor.quan = .97)
    counts, taxa, metadata, _ = smokers
    options = LindaOptions(false_discovery=0.1)
    result = linda(counts, taxa, "~ Smoke + Sex + (1 | SubjectID)", metadata, options=options)
    assert (len(result.taxa), len(result.design.rows), result.zeros) == (209, 132, Zeros.IMPUTATION)
    assert result.biases["Smoke[T.y]"] == pytest.approx(0.0297037862455, abs=1e-7)
    assert result.biases["Sex[T.male]"] == pytest.approx(-0.0725173971766, abs=1e-7)
    expected = {  # log2FoldChange, lfcSE, df, pvalue, padj
        "2173": (-0.4540093733, 0.2930934584, 65.70731642, 0.1261788860444, 0.49455199298),
        "2176": (0.2562215372, 0.1745467333, 129.0, 0.1445586095383, 0.52858647916),
        "3931": (0.5243584264, 0.1389781948, 69.43344063, 0.0003361182664, 0.02262010264),
        "3956": (-0.2281084304, 0.3428305211, 67.41469336, 0.5080853001227, 0.85205432657),
    }
    for taxon, numbers in expected.items():
        row = result.table.row(taxon, "Smoke[T.y]")
        found = (row.estimate, row.standard_error, row.degrees_of_freedom, row.p, row.p_adjusted)
        assert found == pytest.approx(numbers, rel=1e-5)
    assert result.table.row("2176", "Smoke[T.y]").status is FitStatus.BOUNDARY
    # rownames(output$Smokey)[output$Smokey$reject]; none for sex
    rejected = (
        "3931 15555 70671 74391 86047 94166 149109 185969 237323 239506 428237 469920 470738 518865 529659 "
        "570119 573384"
    )
    hits = significant(result, options)
    assert [row.outcome for row in hits if row.term == "Smoke[T.y]"] == rejected.split()
    assert not [row for row in hits if row.term == "Sex[T.male]"]


def test_plain_model_equals_the_authors_code(smokers: tuple[np.ndarray, list[str], Metadata, list[str]]) -> None:
    # R: the left side of each throat, '~Smoke+Sex'
    counts, taxa, metadata, sides = smokers
    left = [i for i, side in enumerate(sides) if side == "Left"]
    result = linda(counts[left], taxa, "~ Smoke + Sex", metadata.of([metadata.samples[i] for i in left]))
    assert (len(result.taxa), result.zeros) == (222, Zeros.PSEUDOCOUNT)
    assert result.biases["Smoke[T.y]"] == pytest.approx(0.0828565191405, abs=1e-7)
    for taxon, numbers in {
        "2181": (-0.2942113855, 0.1828430416, 65.0, 0.1124426926, 0.5500871204),
        "3838": (-0.4751621360, 0.2375885694, 65.0, 0.0496891147, 0.4087757717),
    }.items():
        row = result.table.row(taxon, "Smoke[T.y]")
        found = (row.estimate, row.standard_error, row.degrees_of_freedom, row.p, row.p_adjusted)
        assert found == pytest.approx(numbers, rel=1e-6)
    assert sum(r.p_adjusted <= 0.1 for r in result.table.rows if r.term == "Smoke[T.y]") == 10


def test_fillings_of_zeros_by_hand() -> None:
    counts = np.array([[0.0, 10.0, 10.0], [6.0, 0.0, 34.0], [0.0, 20.0, 60.0]])  # reads 20, 40, 80
    # taxon 1 is zero in samples of 20 and 80 reads: 20/80 and 80/80; taxon 2 only in the one of 40: 40/40
    np.testing.assert_allclose(without_zeros(counts, Zeros.IMPUTATION), [[0.25, 10, 10], [6, 1, 34], [1, 20, 60]])
    # least shares above zero: 6/40 = .15 and 20/80 = .25; halves
    half = without_zeros(counts, Zeros.HALF_MINIMUM)
    assert (half[0, 0], half[1, 1], half[1, 0]) == pytest.approx((0.075, 0.125, 0.15))
    np.testing.assert_allclose(without_zeros(counts, Zeros.PSEUDOCOUNT, 0.5), counts + 0.5)
    np.testing.assert_allclose(centred_log2(np.array([[1.0, 2.0, 4.0]])), [[-1.0, 0.0, 1.0]])
    # shares .1 .2 .3 .4 of taxon 1; the 50 % quantile is .25, so 30 and 40 of 100 become 25
    shares = np.array([[10.0, 90.0], [20.0, 80.0], [30.0, 70.0], [40.0, 60.0]])
    np.testing.assert_allclose(winsorised(shares, 0.5)[:, 0], [10, 20, 25, 25])


def test_mode_is_the_peak_of_a_kernel_density() -> None:
    from scipy import stats

    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0.3, 0.2, 300), rng.normal(2.0, 0.8, 60)])
    middle = np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.34
    bandwidth = 0.9 * min(values.std(ddof=1), middle) * len(values) ** -0.2
    grid = np.linspace(0.0, 0.6, 60_001)
    density = stats.gaussian_kde(values, bw_method=bandwidth / values.std(ddof=1))(grid)
    assert mode(values) == pytest.approx(grid[density.argmax()], abs=2e-5)
    assert mode([1.5, 1.5, 1.5]) == 1.5


def counts_of_two_groups(seed: int) -> tuple[np.ndarray, Metadata, np.ndarray]:
    """100 samples, 120 taxa deep enough to have few zeros; 12 taxa rise in group b fourfold in truth."""
    rng = np.random.default_rng(seed)
    group = np.arange(100) % 2
    logs = rng.normal(0.0, 1.0, 120) + rng.normal(0.0, 0.8, (100, 120))
    risen = np.zeros(120, dtype=bool)
    risen[rng.choice(120, 12, replace=False)] = True
    logs[np.ix_(group == 1, risen)] += 2.0 * np.log(2.0)
    share = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    depth = np.exp(rng.normal(np.log(50_000), 0.4, 100)).astype(int)
    counts = np.array([rng.multinomial(n, p) for n, p in zip(depth, share, strict=True)])
    return counts, described(group=["ab"[g] for g in group]), risen


def test_simulation_recovers_the_truth_and_takes_off_the_composition() -> None:
    discoveries, false, raw, corrected, risen_estimates = 0, 0, [], [], []
    for seed in range(8):
        counts, metadata, risen = counts_of_two_groups(seed)
        result = linda(counts, [f"t{k}" for k in range(120)], "~ group", metadata)
        hits = np.array([row.p_adjusted <= 0.05 for row in result.table.rows])
        discoveries += int(hits.sum())
        false += int((hits & ~risen).sum())
        raw.append(result.tests.estimate[~risen, 0].mean())
        estimates = np.array([row.estimate for row in result.table.rows])
        corrected.append(estimates[~risen].mean())
        risen_estimates.append(estimates[risen].mean())
    # 96 true rises: nearly all are found; about 5 % of the finds may be false (here 8 runs, so up to 10 %)
    assert discoveries - false >= 92
    assert false / discoveries < 0.10
    # a rise of 12 in 120 taxa by 2 pulls every other log-ratio down by 12 * 2 / 120 = 0.2; it is taken off
    assert np.mean(raw) == pytest.approx(-0.2, abs=0.03)
    assert abs(np.mean(corrected)) < 0.05
    assert np.mean(risen_estimates) == pytest.approx(2.0, abs=0.1)


def test_four_arms_over_time_with_dunnett() -> None:
    rng = np.random.default_rng(11)
    person, visit = np.repeat(np.arange(48), 2), np.tile([0, 1], 48)
    arm = person % 4
    logs = rng.normal(0.0, 1.0, 40) + rng.normal(0.0, 0.5, (48, 40))[person] + rng.normal(0.0, 0.4, (96, 40))
    logs[(arm == 2) & (visit == 1), 0] += 3.0 * np.log(2.0)
    share = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    counts = np.array([rng.multinomial(20_000, p) for p in share])
    metadata = described(
        arm=[f"arm {a}" for a in arm], visit=[str(v) for v in visit], person=[f"p{i}" for i in person]
    )

    def run(adjust: str) -> dict[tuple[str, str], float]:
        result = linda(
            counts, [f"t{k}" for k in range(40)], "~ arm * C(visit) + (1 | person)", metadata,
            ask=lambda design: arm_over_time(design, "arm", "visit"),
            options=LindaOptions.model_validate({"adjust": adjust}),
        )  # fmt: skip
        assert len(result.table.rows) == 40 * 3
        return {(row.outcome, row.term): row.p_adjusted for row in result.table.rows}

    together, apart = run("Dunnett"), run("each contrast")
    name = "arm: arm 2 against arm 0, change from visit 0 to 1"
    assert together["t0", name] < 0.01
    assert apart["t0", name] < 0.01
    assert min(p for (taxon, _), p in together.items() if taxon != "t0") > 0.05


def test_sensitivity_names_what_depends_on_the_pseudocount() -> None:
    # t0: 200 reads less in b, no zeros: real under any filling. t1: zeros in half of a's samples only, few reads
    rng = np.random.default_rng(2)
    group = np.arange(40) % 2
    counts = rng.poisson(300, (40, 12)).astype(float)
    counts[group == 1, 0] = rng.poisson(60, 20)
    counts[:, 1] = np.where(group == 0, np.tile([0, 0, 2, 2], 10), 1)
    metadata = described(group=["ab"[g] for g in group])
    rows = pseudocount_sensitivity(counts, [f"t{k}" for k in range(12)], "~ group", metadata, options=PLAIN)
    verdict = {row.outcome: row.verdict for row in rows}
    assert verdict["t0"] == "robust"
    assert verdict["t1"] == "depends on the pseudocount"
    assert verdict["t5"] == "no difference found"
    assert len(rows[0].estimates) == len(rows[0].fillings) == 4


def test_ancombc_second_opinion_equals_scikit_bio() -> None:
    # scikit-bio tests/test_ancombc.py, 6 x 7 table: b1 and b2 differ between treatment and placebo, others not
    import pandas
    from skbio.stats.composition import ancombc

    table = [
        [12, 11, 10, 10, 10, 10, 10], [9, 11, 12, 10, 10, 10, 10], [1, 11, 10, 11, 10, 5, 9],
        [22, 21, 9, 10, 10, 10, 10], [20, 22, 10, 10, 13, 10, 10], [23, 21, 14, 10, 10, 10, 10],
    ]  # fmt: skip
    taxa = [f"b{k}" for k in range(1, 8)]
    groups = ["treatment"] * 3 + ["placebo"] * 3
    metadata = described(grouping=groups)
    result = linda(table, taxa, "~ grouping", metadata, options=PLAIN)
    second = ancombc_second_opinion(table, taxa, result, metadata)
    assert [row.outcome for row in second.rows if row.p_adjusted <= 0.05] == ["b1", "b2"]
    direct = ancombc(
        pandas.DataFrame(np.array(table) + 1, columns=taxa), pandas.DataFrame({"grouping": groups}), "grouping"
    ).result
    for row in second.rows:
        line = direct.loc[(row.outcome, "grouping[T.treatment]")]
        assert (row.estimate, row.standard_error) == pytest.approx((line["Log(FC)"], line["SE"]), rel=1e-6)
    repeated = described(grouping=groups, person=list("abcabc"))
    mixed = linda(table, taxa, "~ grouping + (1 | person)", repeated, options=PLAIN)
    with pytest.raises(TrialistMust, match="person of its own"):
        ancombc_second_opinion(table, taxa, mixed, repeated)


def test_tables_that_are_no_counts_are_refused() -> None:
    metadata = described(group=list("ababab"))
    shares = np.full((6, 4), 0.25)
    with pytest.raises(TrialistMust, match="shares, not counts"):
        linda(shares, list("wxyz"), "~ group", metadata)
    with pytest.raises(TrialistMust, match="negative or missing"):
        linda(shares * np.nan, list("wxyz"), "~ group", metadata)
    with pytest.raises(TrialistMust, match="different sizes"):
        linda(shares, list("wxy"), "~ group", metadata)
    with pytest.raises(TrialistMust, match="lower `least_reads`"):
        linda(shares * 40, list("wxyz"), "~ group", metadata)
    with pytest.raises(TrialistMust, match="lower `prevalence`"):
        linda(
            np.eye(6)[:, :4] * 50, list("wxyz"), "~ group", metadata,
            options=LindaOptions(least_reads=0, prevalence=0.5), ask=lambda d: against_control(d, "group"),
        )  # fmt: skip

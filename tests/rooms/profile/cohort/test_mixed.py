"""Witnesses: lmerTest 3.1-3 with lme4 in R 4.2.2 (numbers below, tolerances tightened), statsmodels MixedLM,
q2-longitudinal's own expected table, MaAsLin3's own expected table, exact arithmetic on balanced designs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from biflora.errors import NameAnother, TrialistMust
from biflora.profile.cohort.contrasts import against_control, arm_over_time, each_term, weights_of
from biflora.profile.cohort.mixed import fit_mixed
from biflora.profile.cohort.mixed_design import MixedDesign, mixed_design, split_formula
from biflora.profile.cohort.model_table import FitStatus
from biflora.profile.cohort.multiplicity import (
    benjamini_hochberg,
    dunnett,
    fixed_sequence,
    holm,
    serial_gatekeeping,
)
from biflora.profile.cohort.outcome_models import model_outcomes
from biflora.profile.metadata import Metadata, read_metadata

KHADKA = "ad_skin_trial_khadka2021"


def described(**columns: list[str]) -> Metadata:
    size = len(next(iter(columns.values())))
    samples = tuple(f"s{i}" for i in range(size))
    return Metadata("made up", samples, {name: tuple(cells) for name, cells in columns.items()})


@pytest.fixture(scope="module")
def trial(shared_data: Path) -> Metadata:
    metadata = read_metadata(shared_data / KHADKA / "derived_per_sample_endpoints.csv")
    arms, visits = metadata.texts("ChlorineBath"), metadata.texts("Visit")
    keep = [s for s, a, v in zip(metadata.samples, arms, visits, strict=True) if a and v in "1234"]
    return metadata.of(keep)


@pytest.fixture(scope="module")
def aureus(trial: Metadata) -> np.ndarray:
    return np.log10(trial.numbers("sa") + 1e-4)


def answers(outcome: np.ndarray, design: MixedDesign) -> np.ndarray:
    """(estimate, error, degrees of freedom, p) of each term."""
    found = fit_mixed(outcome, design).test(np.eye(len(design.terms)))
    return np.array([found.estimate[0], found.standard_error[0], found.degrees_of_freedom[0], found.p[0]]).T


def test_random_intercept_equals_lmertest(trial: Metadata, aureus: np.ndarray) -> None:
    # R: lmer(log10(sa + 1e-4) ~ factor(Visit) * ChlorineBath + (1 | Subject)), coef(summary(.))
    design = mixed_design("~ C(Visit) * ChlorineBath + (1 | Subject)", trial)
    expected = {
        "Intercept": (-0.7303339915, 0.5690980539, 31.03933218, 0.20887964059),
        "C(Visit)[T.2]": (-1.1449593684, 0.6261132082, 28.10771033, 0.07807826982),
        "ChlorineBath[T.Y]": (-0.6371542198, 0.7313882471, 29.67057925, 0.39066273992),
        "C(Visit)[T.4]:ChlorineBath[T.Y]": (-0.8326515508, 0.8676900381, 29.96318469, 0.34492725826),
    }
    found = answers(aureus, design)
    for term, numbers in expected.items():
        np.testing.assert_allclose(found[design.terms.index(term)], numbers, rtol=1e-6)
    fits = fit_mixed(aureus, design)
    assert fits.subject_variance[0] == pytest.approx(0.708405010653, rel=1e-6)
    assert fits.residual_variance[0] == pytest.approx(0.980044373814, rel=1e-6)
    assert (fits.samples[0], fits.subjects[0], fits.status[0]) == (48, 14, FitStatus.FITTED)


def test_random_intercept_equals_statsmodels(trial: Metadata, aureus: np.ndarray) -> None:
    import pandas
    import statsmodels.formula.api as smf

    design = mixed_design("~ C(Visit) * ChlorineBath + (1 | Subject)", trial)
    frame = pandas.DataFrame({"y": aureus, **{c: trial.texts(c) for c in ("Visit", "ChlorineBath", "Subject")}})
    fit = smf.mixedlm("y ~ C(Visit) * ChlorineBath", frame, groups="Subject").fit(reml=True)
    for term, estimate, error, _, _ in ((t, *answers(aureus, design)[k]) for k, t in enumerate(design.terms)):
        assert estimate == pytest.approx(fit.fe_params[term], abs=1e-5)
        # statsmodels takes its errors from the joint second derivatives: 0.3 % apart here
        assert error == pytest.approx(fit.bse_fe[term], rel=5e-3)


def test_random_slope_and_nested_intercept_equal_lmertest(
    trial: Metadata, aureus: np.ndarray, shared_data: Path
) -> None:
    # R: lmer(y ~ Visit * ChlorineBath + (1 + Visit | Subject))
    slope = answers(aureus, mixed_design("~ Visit * ChlorineBath + (1 + Visit | Subject)", trial))
    np.testing.assert_allclose(slope[1], (-0.2646280528, 0.2402408811, 11.04983704, 0.2940892768), rtol=1e-5)
    np.testing.assert_allclose(slope[3], (-0.3831953082, 0.3240984349, 11.06008360, 0.2618651684), rtol=1e-5)
    # R: lmer(y ~ factor(Visit) * ChlorineBath + (1 | Subject / Site)) on the samples of every site
    metadata = read_metadata(
        shared_data / KHADKA / "meta_biological_replicates_merged.csv", sample_column="SampleName"
    )
    columns = zip(*(metadata.texts(c) for c in ("ChlorineBath", "Visit", "Site")), strict=True)
    keep = [s for s, (a, v, t) in zip(metadata.samples, columns, strict=True) if a and v and float(v) < 5 and t]
    design = mixed_design("~ C(Visit) * ChlorineBath + (1 | Subject/Site)", metadata.of(keep))
    with (shared_data / KHADKA / "biological_replicates_merged_reads.csv").open() as file:
        header, *rows = list(csv.reader(file))
    place = next(i for i, name in enumerate(header) if name.endswith("Staphylococcus.aureus"))
    share = {row[0]: float(row[place]) / sum(map(float, row[1:])) for row in rows}
    outcome = np.log10([share[name] + 1e-4 for name in design.samples])
    nested = answers(outcome, design)
    assert len(outcome) == 127
    np.testing.assert_allclose(nested[0, :3], (-1.2295269254, 0.4553230710, 15.18233318), rtol=5e-5)
    np.testing.assert_allclose(nested[7, :3], (-0.8204069098, 0.5616824958, 90.18421915), rtol=5e-5)


def test_ecam_equals_q2_longitudinal_and_lmertest(shared_data: Path) -> None:
    # q2-longitudinal's test: observed_otus ~ month * delivery * diet * antiexposedall by studyid
    folder = shared_data / "gut_longitudinal_ecam"
    metadata = read_metadata(folder / "ecam_map_maturity.txt")
    design = mixed_design("~ month * delivery * diet * antiexposedall + (1 | studyid)", metadata)
    found = answers(metadata.numbers("observed_otus")[design.rows], design)
    mine = {frozenset(term.split(":")): row for term, row in zip(design.terms, found, strict=True)}
    with (folder / "linear_mixed_effects.tsv").open() as file:
        expected = {row[0]: row for row in list(csv.reader(file, delimiter="\t"))[1:-1]}
    for term, row in expected.items():
        # the file is rounded to 3 decimals; statsmodels' optimum is within 1e-3 of REML's
        assert mine[frozenset(term.split(":"))][0] == pytest.approx(float(row[1]), abs=1.1e-3)
        # statsmodels takes its errors from the joint second derivatives, lme4 from the model's covariance
        assert mine[frozenset(term.split(":"))][1] == pytest.approx(float(row[2]), rel=0.01)
    assert len(expected) == 16
    # R: coef(summary(lmer(...))), rows (Intercept), month, deliveryVaginal
    np.testing.assert_allclose(found[0, :3], (29.891509404, 3.4636131876, 107.6593419), rtol=1e-6)
    np.testing.assert_allclose(found[1, :3], (1.162902153, 0.3712224571, 688.3071913), rtol=1e-6)
    np.testing.assert_allclose(found[2, :3], (-6.382305801, 4.2353598008, 102.8323217), rtol=1e-6)


def test_maaslin3_row_is_ordinary_regression_and_subjects_change_it(shared_data: Path) -> None:
    # MaAsLin3 tests: log2 of shares above zero ~ diagnosis + dysbiosis_state + antibiotics + age + reads, numbers
    # standardised; expected Escherichia_coli, dysbiosis_CD: 3.53316975073643, se 0.386785738517075, 707 not zero
    folder = shared_data / "gut_longitudinal_hmp2_metaphlan"
    with (folder / "HMP2_taxonomy.tsv").open() as file:
        header, *rows = list(csv.reader(file, delimiter="\t"))
    place = header.index("Escherichia_coli") + len(rows[0]) - len(header)
    share = {row[0]: float(row[place]) for row in rows}
    with (folder / "HMP2_metadata.tsv").open() as file:
        names, *cells = list(csv.reader(file, delimiter="\t"))
    columns = {name: [row[k + 1] for row in cells] for k, name in enumerate(names)}
    for name in ("age", "reads"):
        values = np.array([float(x) for x in columns[name]])
        columns[name] = [repr(float(x)) for x in (values - values.mean()) / values.std(ddof=1)]
    metadata = Metadata("HMP2", tuple(row[0] for row in cells), {n: tuple(c) for n, c in columns.items()})
    values = np.array([share[name] for name in metadata.samples])
    outcome = np.log2(np.where(values > 0, values, np.nan))
    formula = "~ diagnosis + dysbiosis_state + antibiotics + age + reads"
    settings = {"reference": {"diagnosis": "nonIBD", "dysbiosis_state": "none"}, "title": "", "unit": "log2"}
    row = model_outcomes({"E. coli": outcome}, formula, metadata, **settings).row(
        "E. coli", "dysbiosis_state[T.dysbiosis_CD]"
    )
    assert (row.estimate, row.standard_error) == pytest.approx((3.53316975073643, 0.386785738517075), rel=1e-9)
    assert (row.samples, row.subjects, row.degrees_of_freedom) == (707, 707, pytest.approx(699.0))
    # these 707 samples are of fewer people: with their intercepts it is another number (statsmodels 2.044693)
    mixed = model_outcomes({"E. coli": outcome}, formula + " + (1 | participant_id)", metadata, **settings)
    assert mixed.row("E. coli", row.term).estimate == pytest.approx(2.044693, abs=1e-4)


def test_balanced_one_way_has_exactly_subjects_less_one() -> None:
    # 6 subjects x 4 samples: the grand mean's variance is (between-subject mean square) / 24 on 5 df
    rng = np.random.default_rng(7)
    subjects = np.repeat(np.arange(6), 4)
    y = rng.normal(size=6)[subjects] * 2.0 + rng.normal(size=24)
    design = mixed_design("~ 1 + (1 | person)", described(person=[f"p{i}" for i in subjects]))
    means = y.reshape(6, 4).mean(axis=1)
    between = 4 * means.var(ddof=1)
    ((estimate, error, df, _),) = answers(y, design)
    assert estimate == pytest.approx(y.mean())
    assert error == pytest.approx(np.sqrt(between / 24))
    assert df == pytest.approx(5.0, rel=1e-9)


def test_no_variance_between_subjects_is_a_status() -> None:
    # R: lmer says "boundary (singular) fit"; x: -0.3, se 0.2186606961, df 16
    x = np.tile([1.0, 2.0, 3.0], 6)
    y = np.tile([1.0, -1.0, 0.0], 6) + np.tile([0.1, -0.1], 9) + 0.2 * x
    metadata = described(person=[f"p{i // 3}" for i in range(18)], x=[str(v) for v in x])
    design = mixed_design("~ x + (1 | person)", metadata)
    assert fit_mixed(y, design).status == (FitStatus.BOUNDARY,)
    np.testing.assert_allclose(answers(y, design)[1, :3], (-0.3, 0.2186606961, 16.0), rtol=1e-8)


def test_persons_with_one_sample_each_are_an_ordinary_regression() -> None:
    x = np.arange(8.0)
    y = np.array([1.0, 1.4, 2.2, 2.9, 4.3, 4.8, 6.1, 7.2])
    metadata = described(person=[f"p{i}" for i in range(8)], x=[str(v) for v in x])
    found = answers(y, mixed_design("~ x + (1 | person)", metadata))[1]
    line = stats.linregress(x, y)
    np.testing.assert_allclose(found, (line.slope, line.stderr, 6.0, line.pvalue), rtol=1e-9)


def test_outcomes_together_equal_one_by_one_and_failures_stand_alone(trial: Metadata, aureus: np.ndarray) -> None:
    design = mixed_design("~ C(Visit) + ChlorineBath + (1 | Subject)", trial)
    gaps = trial.numbers("H").copy()
    gaps[[0, 5, 9]] = np.nan
    constant = np.full(len(aureus), 2.0)
    both = fit_mixed(np.column_stack([gaps, constant, aureus]), design)
    assert both.status == (FitStatus.FITTED, FitStatus.NOT_ESTIMABLE, FitStatus.FITTED)
    assert both.samples.tolist() == [45, 48, 48]
    np.testing.assert_allclose(both.estimates[2], fit_mixed(aureus, design).estimates[0], rtol=1e-12)
    np.testing.assert_allclose(both.estimates[0], fit_mixed(gaps, design).estimates[0], rtol=1e-12)
    table = model_outcomes(
        {"H": gaps, "flat": constant}, "~ C(Visit) + ChlorineBath + (1 | Subject)", trial, title="", unit=""
    )
    flat = table.row("flat", "ChlorineBath[T.Y]")
    assert (flat.estimate, flat.p, flat.p_adjusted, flat.status) == (None, None, None, FitStatus.NOT_ESTIMABLE)
    assert ",,,,,,,48," in next(line for line in table.to_csv().splitlines() if line.startswith("flat"))


def test_contrasts_are_differences_of_cell_means() -> None:
    # two arms x two times, one value a cell: change 5 - 1 = 4 in b against 3 - 2 = 1 in a; difference 3
    cells = {("a", "0"): 2.0, ("a", "1"): 3.0, ("b", "0"): 1.0, ("b", "1"): 5.0}
    keys = [key for key in cells for _ in range(3)]
    y = np.array([cells[key] for key in keys]) + np.tile([-0.1, 0.0, 0.1], 4)
    metadata = described(arm=[k[0] for k in keys], time=[k[1] for k in keys])
    design = mixed_design("~ arm * C(time)", metadata)
    fits = fit_mixed(y, design)
    change = arm_over_time(design, "arm", "time")
    assert [c.name for c in change] == ["arm: b against a, change from time 0 to 1"]
    assert fits.test(weights_of(change)).estimate[0, 0] == pytest.approx(3.0)
    # over both times: b 3.0 less a 2.5
    assert fits.test(weights_of(against_control(design, "arm"))).estimate[0, 0] == pytest.approx(0.5)
    at_end = against_control(design, "arm", control="b", at={"time": "1"})
    assert fits.test(weights_of(at_end)).estimate[0, 0] == pytest.approx(-2.0)
    with pytest.raises(TrialistMust, match="write 'arm \\* time'"):
        arm_over_time(mixed_design("~ arm + C(time)", metadata), "arm", "time")
    with pytest.raises(NameAnother, match="no level 'z'"):
        against_control(design, "arm", control="z")


@pytest.mark.parametrize("shifts", [(0.0, 1.2), (0.0, 0.4, 1.2, -0.3), (0.0, 0.4, 1.2, -0.3, 0.7)])
def test_dunnett_equals_scipy_and_lies_between_one_test_and_bonferroni(shifts: tuple[float, ...]) -> None:
    # up to three arms by the common factor, more by SciPy's multivariate t
    rng = np.random.default_rng(3)
    groups = [rng.normal(shift, 1.0, 9) for shift in shifts]
    metadata = described(arm=[f"arm {k}" for k in range(len(shifts)) for _ in range(9)])
    design = mixed_design("~ arm", metadata)
    fits = fit_mixed(np.concatenate(groups), design)
    weights = weights_of(each_term(design))
    found = fits.test(weights)
    adjusted = dunnett(
        found.estimate[0] / found.standard_error[0], fits.covariance_of(weights)[0], found.degrees_of_freedom[0]
    )
    expected = stats.dunnett(*groups[1:], control=groups[0], random_state=1).pvalue
    np.testing.assert_allclose(adjusted, expected, atol=2e-3)
    assert (adjusted >= found.p[0]).all()
    assert (adjusted <= np.minimum(1.0, len(weights) * found.p[0])).all()


def test_dunnett_with_unequal_arms_equals_integration() -> None:
    # t 2.4 and 1.0 with 12 df, correlations of arms of different sizes; SciPy with a million points
    covariance = np.array([[1.5, 0.7, 0.6], [0.7, 2.2, 0.9], [0.6, 0.9, 1.7]])
    scale = np.sqrt(np.diag(covariance))
    joint = stats.multivariate_t(shape=covariance / np.outer(scale, scale), df=12)
    for t in (1.0, 2.4):
        box = np.full(3, t)
        expected = 1.0 - joint.cdf(box, lower_limit=-box, maxpts=10**6, random_state=1)
        assert dunnett(box, covariance, 12.0)[0] == pytest.approx(expected, abs=5e-5)


def test_adjustments_by_hand() -> None:
    # sorted .005 .01 .03 .04 (one NaN is no test): BH .02 .02 .04 .04; Holm .02 .03 .06 .06
    p = [0.01, 0.04, 0.03, np.nan, 0.005]
    np.testing.assert_allclose(benjamini_hochberg(p), [0.02, 0.04, 0.04, np.nan, 0.02])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, np.nan, 0.02])
    np.testing.assert_allclose(fixed_sequence([0.01, 0.2, 0.001]), [0.01, 0.2, 0.2])
    # first family passes at 0.04 (Holm 2 x 0.02); the second cannot be smaller than that
    first, second = serial_gatekeeping([[0.02, 0.03], [0.001, 0.3]])
    np.testing.assert_allclose(first, [0.04, 0.04])
    np.testing.assert_allclose(second, [0.04, 0.3])


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("~ arm + __import__('os').system('true')", "is not one that biflora reads"),
        ("~ exec(arm)", "calls 'exec'"),
        ("~ arm + (1 | person) + (1 | site)", "more than one random part"),
        ("~ arm + (1 | a/b/c)", "random part must be"),
        ("y ~ arm", "is not one that biflora reads"),
        ("~ arm + copy", "cannot tell the terms"),
        ("~ arm + same", "same value in every sample"),
    ],
)
def test_formulas_that_cannot_be_used_say_why(formula: str, words: str) -> None:
    arms = ["a", "b"] * 4
    metadata = described(
        arm=arms, copy=["x" if a == "a" else "y" for a in arms], same=["k"] * 8, person=list("ppqqrrss"),
        site=list("abababab"),
    )  # fmt: skip
    with pytest.raises(TrialistMust, match=words):
        mixed_design(formula, metadata)


def test_samples_with_gaps_are_left_out_by_name_and_random_parts_are_read() -> None:
    metadata = described(arm=["a", "b", "", "a", "b", "a"], person=list("ppqqrr"))
    design = mixed_design("~ arm + (1 | person)", metadata, reference={"arm": "b"})
    assert design.left_out == ("s2",)
    assert design.terms == ("Intercept", "arm[T.a]")
    fixed, random = split_formula("~ arm*week + (1 + week | person)")
    assert fixed == "~ arm*week"
    assert random is not None
    assert (random.subject, random.slope) == ("person", "week")
    with pytest.raises(NameAnother, match="no column 'dose'"):
        mixed_design("~ dose", metadata)

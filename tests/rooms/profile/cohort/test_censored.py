"""Witnesses: statsmodels MixedLM (nothing censored), R 4.2.2 survival::survreg (no subjects), adaptive numerical
integration, closed forms, and simulations with a known truth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from r_data import read_rda
from scipy import integrate, stats

from biflora.errors import LaboratoryMust, TrialistMust
from biflora.profile.cohort.censored import Loads, fit_censored, profile_interval
from biflora.profile.cohort.mixed import fit_mixed
from biflora.profile.cohort.mixed_design import MixedDesign, mixed_design
from biflora.profile.cohort.model_table import FitStatus
from biflora.profile.cohort.outcome_models import model_loads
from biflora.profile.metadata import Metadata

LIMIT = 2.6


def described(**columns: list[str]) -> Metadata:
    size = len(next(iter(columns.values())))
    samples = tuple(f"s{i}" for i in range(size))
    return Metadata("made up", samples, {name: tuple(cells) for name, cells in columns.items()})


def trial(seed: int, effect: float = -1.0) -> tuple[np.ndarray, Metadata]:
    """40 subjects x 4 log10 loads, mean 3, effect in arm t; SD .7 between and .6 within subjects."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(40), 4)
    arm = person % 2
    loads = 3.0 + effect * arm + 0.7 * rng.normal(size=40)[person] + 0.6 * rng.normal(size=160)
    return loads, described(person=[f"p{i}" for i in person], arm=["ct"[a] for a in arm])


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, Metadata, MixedDesign]:
    loads, metadata = trial(1, effect=-0.8)
    return loads, metadata, mixed_design("~ arm + (1 | person)", metadata)


def test_nothing_censored_equals_statsmodels(made: tuple[np.ndarray, Metadata, MixedDesign]) -> None:
    import pandas
    import statsmodels.formula.api as smf

    loads, metadata, design = made
    frame = pandas.DataFrame({"y": loads, "arm": metadata.texts("arm"), "person": metadata.texts("person")})
    expected = smf.mixedlm("y ~ arm", frame, groups="person").fit(reml=False)
    fit = fit_censored(Loads.of(loads, -9.0), design)
    np.testing.assert_allclose(fit.estimates, expected.fe_params, atol=1e-6)
    assert fit.log_likelihood == pytest.approx(expected.llf, abs=1e-6)
    assert fit.residual_sd == pytest.approx(math.sqrt(expected.scale), rel=1e-4)
    assert fit.subject_sd == pytest.approx(math.sqrt(float(expected.cov_re.iloc[0, 0])), rel=1e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), expected.bse_fe, rtol=1e-4)
    assert (fit.below, fit.status) == (0, FitStatus.FITTED)


def test_without_subjects_equals_survreg(shared_data: Path) -> None:
    # R: survreg(Surv(z, seen, type = "left") ~ g, dist = "gaussian"); absolute counts of taxon 588755, 106 people,
    # g the study in the sample's name; the least count above zero stands for the limit (60 at or below it)
    data = read_rda(shared_data / "gut_qmp_quantitative" / "QMP.rda")["QMP"]
    counts = data.matrix()[:, 0]
    assert data["dimnames"].value[1].value[0] == "588755"
    groups = [name[:2] for name in data["dimnames"].value[0].value]
    limit = math.log10(counts[counts > 0].min())
    assert limit == pytest.approx(5.38214338319)
    with np.errstate(divide="ignore"):
        loads = Loads.of(np.log10(counts), limit)
    fit = fit_censored(loads, mixed_design("~ g", described(g=groups)))
    np.testing.assert_allclose(fit.estimates, (5.405292344712, -0.477878765767), rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), (0.1877323209, 0.2989544990), rtol=1e-6)
    assert fit.residual_sd == pytest.approx(1.27042913728, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-114.279317063, abs=1e-8)
    assert (fit.samples, fit.below, fit.subjects) == (106, 60, 106)


def test_likelihood_equals_numerical_integration(made: tuple[np.ndarray, Metadata, MixedDesign]) -> None:
    loads, _, design = made
    data = Loads.of(loads, LIMIT)
    fit = fit_censored(data, design)
    assert fit.below == 77
    assert design.subject_of is not None
    total = 0.0
    for person in range(40):
        mine = design.subject_of == person

        def joint(u: float, mine: np.ndarray = mine) -> float:
            z = (data.values[mine] - design.matrix[mine] @ fit.estimates - fit.subject_sd * u) / fit.residual_sd
            parts = np.where(data.below[mine], stats.norm.cdf(z), stats.norm.pdf(z) / fit.residual_sd)
            return float(parts.prod() * stats.norm.pdf(u))

        total += math.log(integrate.quad(joint, -8, 8, epsabs=0, epsrel=1e-9)[0])
    assert fit.log_likelihood == pytest.approx(total, abs=1e-7)


def test_simulation_recovers_the_truth_where_half_the_limit_does_not() -> None:
    # arm t lies a whole log10 lower, half of all loads are below the limit; 60 trials
    censored, halved, covered, covered_halved = [], [], 0, 0
    for seed in range(60):
        loads, metadata = trial(seed)
        design = mixed_design("~ arm + (1 | person)", metadata)
        data = Loads.of(loads, LIMIT)
        estimate, error = fit_censored(data, design).contrast([0.0, 1.0])
        censored.append(estimate)
        covered += abs(estimate + 1.0) < 1.96 * error
        found = fit_mixed(data.substituted(0.5), design).test([[0.0, 1.0]])
        halved.append(found.estimate[0, 0])
        covered_halved += bool(found.low[0, 0] < -1.0 < found.high[0, 0])
    # SD of one estimate 0.25, so the mean of 60 is within 0.1 of -1 (three errors)
    assert np.mean(censored) == pytest.approx(-1.0, abs=0.1)
    assert np.mean(halved) > -0.7
    assert covered >= 52  # of 60: 87 % or more
    assert covered_halved <= 30


def test_profile_interval_in_closed_form() -> None:
    # n uncensored values, one mean: n log(1 + d^2 / s^2) = 3.841459 at d = s sqrt(exp(3.841459 / n) - 1)
    y = np.array([2.0, 2.5, 3.1, 2.2, 2.9, 3.6, 2.7, 2.4])
    design = mixed_design("~ 1", described(x=["1"] * 8))
    fit = fit_censored(Loads.of(y, -5.0), design)
    reach = y.std() * math.sqrt(math.exp(3.841458820694124 / 8) - 1.0)
    low, high, p = profile_interval(fit, [1.0])
    assert (low, high) == pytest.approx((y.mean() - reach, y.mean() + reach), abs=1e-5)
    ratio = 8 * math.log(1.0 + y.mean() ** 2 / y.var())
    assert p == pytest.approx(float(stats.chi2.sf(ratio, 1)), rel=1e-4)


def test_profile_is_skewed_towards_the_unseen_side(made: tuple[np.ndarray, Metadata, MixedDesign]) -> None:
    loads, metadata, _ = made
    design = mixed_design("~ arm", metadata)
    below = np.array(metadata.texts("arm")) == "t"
    # all but two loads of arm t are below the limit: how far below is hardly known
    y = np.where(below & (np.arange(160) > 5), 0.0, loads)
    fit = fit_censored(Loads.of(y, LIMIT), design)
    estimate, error = fit.contrast([0.0, 1.0])
    low, high, _ = profile_interval(fit, [0.0, 1.0])
    assert estimate - low > high - estimate
    assert low < estimate - 1.96 * error


def test_fits_that_cannot_be_are_a_status(made: tuple[np.ndarray, Metadata, MixedDesign]) -> None:
    loads, metadata, design = made
    below = np.array(metadata.texts("arm")) == "t"
    whole_arm = fit_censored(Loads.of(np.where(below, 0.0, loads), LIMIT), design)
    assert whole_arm.status is FitStatus.NOT_CONVERGED
    assert np.isnan(whole_arm.estimates).all()
    assert all(math.isnan(x) for x in profile_interval(whole_arm, [0.0, 1.0]))
    assert fit_censored(Loads.of(np.zeros(160), LIMIT), design).status is FitStatus.NOT_ESTIMABLE
    # people alike: means equal by construction, so no variance between them
    alike = 3.0 + np.tile([-0.3, -0.1, 0.1, 0.3], 40)
    same = fit_censored(Loads.of(alike, 2.85), design)
    assert (same.status, same.subject_sd) == (FitStatus.BOUNDARY, 0.0)


def test_below_detection_needs_a_limit_and_keeps_it() -> None:
    data = Loads.of([-math.inf, 3.0, 2.0], [2.5, math.nan, 2.5])
    assert data.below.tolist() == [True, False, True]
    np.testing.assert_allclose(data.substituted(0.5), [2.5 + math.log10(0.5), 3.0, 2.5 + math.log10(0.5)])
    with pytest.raises(LaboratoryMust, match="ask for the limit"):
        Loads.of([1.0, 2.0], [math.nan, 1.0], below=[True, False])


def test_table_of_loads_says_what_depends_on_the_limit(made: tuple[np.ndarray, Metadata, MixedDesign]) -> None:
    loads, metadata, design = made
    rng = np.random.default_rng(4)
    none = 3.0 + 0.4 * rng.normal(size=160)
    found = model_loads(
        {"S. aureus": Loads.of(loads, LIMIT), "total": Loads.of(none, 1.0)}, "~ arm + (1 | person)", metadata
    )
    row = found.censored.row("S. aureus", "arm[T.t]")
    estimate, error = fit_censored(Loads.of(loads, LIMIT), design).contrast([0.0, 1.0])
    assert (row.estimate, row.standard_error) == pytest.approx((estimate, error))
    assert (row.samples, row.subjects, row.degrees_of_freedom) == (160, 40, None)
    assert row.low < estimate < row.high < 0 < row.p < 0.01
    # with the limit put in, the difference is smaller in size
    assert abs(found.at_limit.row("S. aureus", row.term).estimate) < abs(estimate)
    verdicts = {v.outcome: (v.verdict, v.below_limit) for v in found.verdicts}
    assert verdicts == {"S. aureus": ("robust", 77), "total": ("no difference found", 0)}
    with pytest.raises(TrialistMust, match="another number of values"):
        model_loads({"short": Loads.of(loads[:9], LIMIT)}, "~ arm", metadata)
    visits = Metadata(
        "made up", metadata.samples, {**metadata.columns, "visit": tuple(str(i % 4) for i in range(160))}
    )
    with pytest.raises(TrialistMust, match="random intercept only"):
        model_loads({"a": Loads.of(loads, LIMIT)}, "~ arm + (1 + visit | person)", visits)

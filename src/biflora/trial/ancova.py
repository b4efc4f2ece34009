"""Analysis of covariance at the last visit: outcome = arm + slope x baseline, one slope for all arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biflora.errors import TrialistMust

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AncovaMany:
    """Results of many trials at once. Shapes: per arm (trials, arms); arm 0 is the control.

    A trial that cannot be analysed (an arm with nobody, no degrees of freedom, one baseline value) holds NaN.
    """

    n: Floats
    ls_means: Floats
    differences: Floats
    """Arm minus control; column 0 is zero."""
    se: Floats
    p_values: Floats
    df: Floats
    """Shape (trials,)."""
    residual_sd: Floats
    slope: Floats


@dataclass(frozen=True)
class AncovaContrast:
    arm: str
    against: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    df: float


@dataclass(frozen=True)
class Ancova:
    """One analysed trial; only patients with both values are in it (complete cases)."""

    arms: tuple[str, ...]
    n: tuple[int, ...]
    ls_means: tuple[float, ...]
    """Mean outcome per arm at the overall mean baseline."""
    contrasts: tuple[AncovaContrast, ...]
    slope: float
    residual_sd: float


def ancova(
    baseline: Sequence[float] | Floats, outcome: Sequence[float] | Floats, arm: Sequence[str], *, control: str
) -> Ancova:
    """One trial by ordinary least squares (statsmodels), each arm against `control`, 95 % intervals.

    Values are one per patient; NaN is missing. Raises TrialistMust when the trial cannot be analysed.
    """
    import statsmodels.api as sm

    x, y, labels = _complete(baseline, outcome, arm)
    others = sorted(set(labels) - {control})
    arms = (control, *others)
    _check(x, labels, arms, control)
    indicator = np.column_stack([(labels == a).astype(float) for a in others])
    design = np.column_stack([np.ones_like(x), indicator, x])
    fit = sm.OLS(y, design).fit()
    at_mean = np.zeros((len(arms), design.shape[1]))
    at_mean[:, 0], at_mean[:, -1] = 1.0, x.mean()
    at_mean[1:, 1:-1] = np.eye(len(others))
    limits = np.asarray(fit.conf_int())
    contrasts = tuple(
        AncovaContrast(
            arm=name, against=control, estimate=float(fit.params[i]), se=float(fit.bse[i]),
            ci_low=float(limits[i, 0]), ci_high=float(limits[i, 1]), p_value=float(fit.pvalues[i]),
            df=float(fit.df_resid),
        )
        for i, name in enumerate(others, start=1)
    )  # fmt: skip
    return Ancova(
        arms=arms,
        n=tuple(int(np.sum(labels == a)) for a in arms),
        ls_means=tuple(float(v) for v in at_mean @ fit.params),
        contrasts=contrasts,
        slope=float(fit.params[-1]),
        residual_sd=float(np.sqrt(fit.scale)),
    )


def ancova_many(baseline: Floats, outcome: Floats, arm: npt.NDArray[np.int64], *, arms: int) -> AncovaMany:
    """Many trials in closed form, equal to least squares.

    `baseline` and `outcome`: (trials, patients), NaN is missing; `arm`: (patients,) or (trials, patients),
    0 is the control. With one common slope the least-squares solution is the pooled within-arm slope:
    b = Sxy / Sxx, difference = (y_g - y_0) - b (x_g - x_0), df = N - arms - 1.
    """
    present = np.isfinite(baseline) & np.isfinite(outcome)
    where = np.broadcast_to(arm, baseline.shape)
    x, y = np.where(present, baseline, 0.0), np.where(present, outcome, 0.0)
    trials = baseline.shape[0]
    n, mean_x, mean_y = (np.empty((trials, arms)) for _ in range(3))
    sxx, sxy, syy = (np.zeros(trials) for _ in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        for g in range(arms):
            here = (where == g) & present
            n[:, g] = here.sum(axis=1)
            mean_x[:, g] = (x * here).sum(axis=1) / n[:, g]
            mean_y[:, g] = (y * here).sum(axis=1) / n[:, g]
            dx, dy = (x - mean_x[:, [g]]) * here, (y - mean_y[:, [g]]) * here
            sxx += np.einsum("ij,ij->i", dx, dx)
            sxy += np.einsum("ij,ij->i", dx, dy)
            syy += np.einsum("ij,ij->i", dy, dy)
        total = n.sum(axis=1)
        df = total - arms - 1
        slope = sxy / sxx
        variance = np.where(df > 0, (syy - slope * sxy) / df, np.nan)
        overall = (n * mean_x).sum(axis=1) / total
        adjusted = mean_y - slope[:, None] * (mean_x - overall[:, None])
        apart = mean_x - mean_x[:, [0]]
        differences = adjusted - adjusted[:, [0]]
        se = np.sqrt(variance[:, None] * (1 / n + 1 / n[:, [0]] + apart**2 / sxx[:, None]))
    se[:, 0] = 0.0
    return AncovaMany(
        n=n, ls_means=adjusted, differences=differences, se=se, p_values=_two_sided(differences, se, df),
        df=df, residual_sd=np.sqrt(variance), slope=slope,
    )  # fmt: skip


def _two_sided(estimate: Floats, se: Floats, df: Floats) -> Floats:
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        p: Floats = 2 * stdtr(df[:, None], -np.abs(estimate / se))
    return p


def _complete(
    baseline: Sequence[float] | Floats, outcome: Sequence[float] | Floats, arm: Sequence[str]
) -> tuple[Floats, Floats, npt.NDArray[np.str_]]:
    x, y, labels = np.asarray(baseline, dtype=float), np.asarray(outcome, dtype=float), np.asarray(arm, dtype=str)
    if not len(x) == len(y) == len(labels):
        raise TrialistMust(
            f"The trial has {len(x)} baseline values, {len(y)} outcomes and {len(labels)} arms; "
            "give one each per patient."
        )
    present = np.isfinite(x) & np.isfinite(y)
    return x[present], y[present], labels[present]


def _check(x: Floats, labels: npt.NDArray[np.str_], arms: tuple[str, ...], control: str) -> None:
    if not np.any(labels == control):
        raise TrialistMust(f"No patient of the control arm '{control}' has both values; name another control.")
    if len(arms) < 2:
        raise TrialistMust("Only one arm has patients with both values; a comparison needs two.")
    if len(x) - len(arms) - 1 < 1:
        raise TrialistMust(
            f"{len(x)} patients with both values are too few for {len(arms)} arms; "
            f"at least {len(arms) + 2} are needed."
        )
    if np.ptp(x) == 0:
        raise TrialistMust("Every baseline value is the same; drop the baseline or mend the column.")

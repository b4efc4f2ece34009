"""The forecast: what would happen to this patient under each arm, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.errors import ClinicianMust
from biflora.knowledge.rates import rates as rate_table
from biflora.knowledge.rows import release
from biflora.profile.patient import Condition
from biflora.profile.profile import Profile
from biflora.twin.bands import draws_of
from biflora.twin.bank import Bank, bank
from biflora.twin.calibrated import name as population_name
from biflora.twin.elsewhere import from_evidence
from biflora.twin.evidence import Clue, Evidence, evidence_of
from biflora.twin.forecast import Assumption, Forecast, Observation
from biflora.twin.observe import OBSERVED, about
from biflora.twin.structures import structures_of
from biflora.twin.weigh import DRAWS, enough_patients, resampled, weigh
from biflora.twin.widen import Widening

LONGEST_WEEKS = 52


def forecast(
    profile: Profile, *, weeks: int = 12, seed: int = 2026, observations: Sequence[Observation] = ()
) -> Forecast:
    """Forecast every arm for `weeks` weeks by weighing the bank with what was measured.

    Raises ClinicianMust when `weeks` is out of reach. Conditions without a model give what trials reported.
    """
    if not 1 <= weeks <= LONGEST_WEEKS:
        raise ClinicianMust(f"weeks: choose 1 to {LONGEST_WEEKS}; the twin does not look further.")
    if profile.patient.condition is not Condition.ATOPIC_DERMATITIS:
        return from_evidence(profile, seed)
    reach = max([weeks, *(-int(-seen.week // 1) for seen in observations)])
    if reach > LONGEST_WEEKS:
        raise ClinicianMust(f"observations: a week beyond {LONGEST_WEEKS} cannot be used; enter an earlier visit.")
    held = bank(reach)
    found = evidence_of(profile, observations)
    return _told(profile, held, found, personal(held, found.clues, seed), weeks, seed)


@dataclass(frozen=True, slots=True)
class Personal:
    """Equally likely virtual patients like this one, in the bank's layout."""

    on: NDArray[np.float32]
    off: NDArray[np.float32]
    effective: float
    moved: bool = False
    """Whether they were made by tempered moves."""


def personal(held: Bank, clues: Sequence[Clue], seed: int) -> Personal:
    """Draws of the bank by weight, or new patients where too few of the bank are like this one."""
    weights = weigh(held, clues)
    if weights.effective >= min(enough_patients(), held.size / 4.0):
        places = resampled(weights.values, DRAWS, np.random.default_rng([seed, 7]))
        return Personal(held.on[..., places], held.off[..., places], weights.effective)
    from biflora.twin.moves import move

    made = move(held, clues, held.weeks, seed)
    return Personal(made.on, made.off, float(made.different), moved=True)


def _told(profile: Profile, held: Bank, found: Evidence, like: Personal, weeks: int, seed: int) -> Forecast:
    on, off = draws_of(like.on, seed, weeks), draws_of(like.off, seed, weeks, gut_link=False)
    widening = Widening(profile)
    structures, flips = structures_of(on, off, found.clues, weeks, seed)
    return Forecast.make(
        "forecast",
        release=release(),
        parents=(profile.id,) if profile.id else (),
        weeks=tuple(range(weeks + 1)),
        observables=tuple(about(key) for key in OBSERVED),
        courses=widening.courses(on.courses()),
        differences=widening.differences(on.differences()),
        courses_gut_link_off=widening.courses(off.courses()),
        differences_gut_link_off=widening.differences(off.differences()),
        goals=on.goals(),
        dots=on.dots(),
        best_chances=on.best_chances(),
        structures=structures,
        ranking_flips=flips,
        bank_size=held.size,
        effective_sample_size=round(like.effective, 1),
        failed_trajectories=held.failed,
        informed_by=tuple(found.informed_by),
        not_informed=tuple(found.missing),
        assumptions=(*found.assumptions, *_assumptions(like), *widening.assumptions),
        population=population_name(),
        seed=seed,
    )


def _assumptions(like: Personal) -> tuple[Assumption, ...]:
    rows = rate_table().values()
    assumed = sum(row.only_remembered for row in rows)
    ours = "biflora developers"
    said = [
        ("The reach of the gut into the skin is assumed; published data do not identify it. The same forecast "
         "with that link off stands beside this one.", rate_table()["probiotic_gain"].source),
        ("In part of the patients the oral lever does nothing to the skin.", rate_table()["gut_responder"].source),
        ("Oral and topical together have no parameter of their own, and no trial of the pair was used: the "
         "combination is an extrapolation.", ours),
        ("The topical lever is a living commensal as in trials. A postbiotic or a preparation without live cells "
         "is assumed to do no more than that.", ours),
        ("Standard care is emollient and reactive topical anti-inflammatory treatment, decided each week; it goes "
         "on in every arm.", ours),
        ("A placebo response and regression to the mean are part of every arm, apart from treatment.",
         rate_table()["placebo_gain"].source),
        ("Bands of a course hold this patient's own course and the error of one measurement; bands of a "
         "difference compare the same virtual patients without measurement error.", ours),
        ("One oral or topical product differs from another, as active arms of trials do beyond their kind; the "
         "differences between arms hold that, and its size is the calibration's.", ours),
        ("Copies by qPCR are read as colony-forming units.", ours),
        (f"{assumed} of the model's {len(rows)} rates are assumed. The intervals are honest only as far as that "
         "population is.", "docs: the twin's equations and rates"),
    ]  # fmt: skip
    if like.moved:
        said.insert(0, (
            f"Fewer than {enough_patients():.0f} patients' worth of the bank is like this one: new virtual "
            f"patients were made by tempered moves within the population ({like.effective:.0f} different ones).",
            ours,
        ))  # fmt: skip
    return tuple(Assumption(what=what, status="assumed", source=source) for what, source in said)

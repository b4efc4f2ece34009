"""Patients like this one, whole: with rates and states, so that any regimen can be tried on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from biflora.profile.profile import Profile
from biflora.twin.bank import bank
from biflora.twin.evidence import Clue, evidence_of
from biflora.twin.forecast import Observation
from biflora.twin.moves import move
from biflora.twin.population import Latent, Patients, settle
from biflora.twin.weigh import enough_patients, resampled, weigh


def patients_like(
    profile: Profile, observations: Sequence[Observation] = (), count: int = 512, seed: int = 2026
) -> Patients:
    """`count` equally likely virtual patients like this one, in random order.

    Drawn from the bank by weight, or made by tempered moves where too few of the bank are like this one. The
    same patient drawn twice meets other flares and misses other doses from week 0 on, unless a later visit says
    something of those weeks.
    """
    clues = evidence_of(profile, observations).clues
    random = np.random.default_rng([seed, 31])
    patients = _drawn(clues, count, seed, random)
    patients = patients.some(random.permutation(len(patients)))
    if any(clue.week > 0.0 for clue in clues):
        return patients
    return _copies_meet_other_weeks(patients, random)


def _drawn(clues: Sequence[Clue], count: int, seed: int, random: np.random.Generator) -> Patients:
    held = bank(max([1, *(int(np.ceil(clue.week)) for clue in clues)]))
    weights = weigh(held, clues)
    if weights.effective >= min(enough_patients(), held.size / 4.0):
        return settle(held.drawn().some(resampled(weights.values, count, random)), seed)
    made = move(held, clues, held.weeks, seed).patients
    return made.some(resampled(np.full(len(made), 1.0 / len(made)), count, random))


def _copies_meet_other_weeks(patients: Patients, random: np.random.Generator) -> Patients:
    """Every repetition of a patient gets weeks of its own ahead; what she is and has lived stays."""
    held = patients.latent
    _, first = np.unique(np.column_stack([held.z[:, :8], held.member]), axis=0, return_index=True)
    copy = np.ones(len(patients), dtype=bool)
    copy[first] = False
    other = patients.meeting_other_weeks(random).latent
    z = np.where(copy[:, None], other.z, held.z)
    return replace(patients, latent=Latent(z, held.member, np.where(copy, other.keys, held.keys)))

"""Small made-up profiles and forecasts (synthetic) whose numbers a reader can follow in the head."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from biflora.profile.patient import Patient
from biflora.profile.profile import GuildShare, Profile, Score, SiteProfile
from biflora.twin.forecast import ARMS, Arm, Course, Difference, Forecast, Observable
from biflora.values import Band, State

Z = {"q2_5": -1.959964, "q10": -1.281552, "q25": -0.67449, "q75": 0.67449, "q90": 1.281552, "q97_5": 1.959964}


def band(median: float, sd: float) -> Band:
    return Band(median=median, **{name: median + z * sd for name, z in Z.items()})


def patient(**changes: Any) -> Patient:
    fields: dict[str, Any] = {
        "age_years": 30, "sex": "male", "condition": "atopic_dermatitis", "immune_status": "normal",
        "pregnancy": "no", "synthetic": True,
    }  # fmt: skip
    return Patient.model_validate(fields | changes)


def profile(person: Patient | None = None, *, scorad: float | None = 50.0, **more: Any) -> Profile:
    scores = list(more.pop("scores", ()))
    if scorad is not None:
        scores.append(
            Score(
                instrument="scorad", label="SCORAD", value=scorad, minimum=0, maximum=103, band="moderate",
                computed=False,
            )
        )  # fmt: skip
    return Profile.make("profile", release="test", patient=person or patient(), scores=tuple(scores), **more)


def skin(*guilds: GuildShare, **more: Any) -> SiteProfile:
    fields: dict[str, Any] = {
        "site": "skin", "sample_id": "s1", "file_name": "made-up.csv", "file_sha256": "0" * 64,
        "format": "long CSV", "recognised_because": "made up", "has_counts": True, "guilds": guilds,
    }  # fmt: skip
    return SiteProfile.make("site", release="test", **(fields | more))


def guild(key: str, share: float | None, state: State = State.MEASURED) -> GuildShare:
    return GuildShare(guild=key, label=key, state=state, share=share)


def forecast(
    week12: dict[Arm, float], *, sd: float = 5.0, between_sd: float = 3.0, start: float = 50.0,
    off: dict[Arm, float] | None = None, not_informed: tuple[str, ...] = (),
) -> Forecast:  # fmt: skip
    """Severity at week 12 per arm; each difference has the spread `between_sd`."""
    off = off or week12
    return Forecast.make(
        "forecast",
        release="test",
        weeks=(0, 12),
        observables=(Observable(key="scorad", label="SCORAD", unit="points", lower_is_better=True),),
        courses=_courses(week12, start, sd),
        differences=_differences(week12, between_sd),
        courses_gut_link_off=_courses(off, start, sd),
        differences_gut_link_off=_differences(off, between_sd),
        not_informed=not_informed,
    )


def no_forecast() -> Forecast:
    return Forecast.make("forecast", release="test", mechanistic=False)


def _courses(week12: dict[Arm, float], start: float, sd: float) -> tuple[Course, ...]:
    return tuple(
        Course(arm=arm, observable="scorad", weeks=(0, 12), bands=(band(start, 0), band(week12[arm], sd)))
        for arm in ARMS
    )


def _differences(week12: dict[Arm, float], sd: float) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            arm=arm, against=against, observable="scorad", weeks=(0, 12),
            bands=(band(0, 0), band(week12[arm] - week12[against], sd)),
            probability_better=float(week12[arm] < week12[against]),
        )
        for arm, against in permutations(ARMS, 2)
    )  # fmt: skip

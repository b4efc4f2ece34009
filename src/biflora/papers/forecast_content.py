"""What is said of a forecast beside its charts: last week, goals, best arm, structures, and how it did before."""

from __future__ import annotations

from collections.abc import Collection

from biflora.followup.track_record import TrackRecord
from biflora.knowledge.planning import plan_limit
from biflora.papers.charts_dots import drawn_goals
from biflora.papers.charts_goals import of_twenty
from biflora.papers.grid import Grid
from biflora.papers.wording import DASH, chance, digits_for, interval, number, percent, short
from biflora.plan.plan import Plan
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Forecast, GoalChance, Observable
from biflora.values import Band

SEVERITY = ("scorad", "easi")


def severity_of(forecast: Forecast) -> str | None:
    """Key of the severity score that is drawn large: the first forecast score that has courses."""
    with_courses = [o.key for o in forecast.observables if any(c.observable == o.key for c in forecast.courses)]
    preferred = [key for key in SEVERITY if key in with_courses]
    return next(iter((*preferred, *with_courses)), None)


def severity_first(forecast: Forecast) -> tuple[Observable, ...]:
    """The observables with the severity score before all others."""
    first = severity_of(forecast)
    return tuple(sorted(forecast.observables, key=lambda o: o.key != first))


def says_unit(about: Observable) -> bool:
    """Whether the label already ends with the unit, as `Skin pH` does."""
    return about.label.endswith(about.unit)


def score_at_start(profile: Profile, observable: str | None) -> float | None:
    """What was measured before treatment; None where it was not."""
    score = profile.score(observable) if observable is not None else None
    return None if score is None else score.value


def last_week(forecast: Forecast) -> Grid | None:
    """Every observable at the last week in one table, severity first: the charts are of severity alone."""
    if not forecast.courses or not forecast.weeks:
        return None
    rows = []
    for about in severity_first(forecast):
        lasts: list[Band | None] = []
        for arm in ARMS:
            course = forecast.course(arm, about.key)
            lasts.append(course.bands[-1] if course is not None and course.bands else None)
        known = [b for b in lasts if b is not None]
        if known:
            digits = digits_for(max(b.q97_5 for b in known) - min(b.q2_5 for b in known))
            cells = (DASH if b is None else median_80(b, digits) for b in lasts)
            rows.append((about.label if says_unit(about) else f"{about.label} ({about.unit})", *cells))
    title = f"Week {forecast.weeks[-1]}: median and 80 % interval"
    return Grid(title, ("Quantity", *(ARM_LABELS[arm] for arm in ARMS)), tuple(rows), right=(1, 2, 3, 4))


def median_80(b: Band, digits: int) -> str:
    return f"{number(b.median, digits)} ({interval(b.q10, b.q90, digits)})"


def charted_goals(forecast: Forecast, severity: str | None) -> tuple[GoalChance, ...]:
    """Goals of severity that are not drawn among the outcomes already."""
    drawn = drawn_goals(forecast, severity) if severity is not None else ()
    return tuple(g for g in forecast.goals if g.observable == severity and g not in drawn)


def other_goals(forecast: Forecast, severity: str | None) -> Grid | None:
    """Goals of the other observables in one table: of 20 patients like this one."""
    others = [g for g in forecast.goals if g.observable != severity]
    chances = {(g.goal, g.arm): g.probability for g in others}
    rows = tuple(
        (goal, *(str(of_twenty(chances[goal, arm])) if (goal, arm) in chances else DASH for arm in ARMS))
        for goal in dict.fromkeys(g.goal for g in others)
    )
    columns = ("Goal", *(ARM_LABELS[arm] for arm in ARMS))
    return Grid("Other goals: of 20 patients like this one", columns, rows, right=(1, 2, 3, 4)) if rows else None


def best_in_words(forecast: Forecast, observable: str | None, closed: Collection[Arm] = ()) -> str:
    """How often each arm comes out best at the last week; empty where the forecast did not count it."""
    counted = [c for c in forecast.best_chances if c.observable == observable]
    if not counted or not forecast.weeks:
        return ""
    counted.sort(key=lambda c: (-c.probability, ARMS.index(c.arm)))
    enough = plan_limit("probability_best").value
    parts = [
        f"{ARM_LABELS[c.arm].lower()}{' (closed here)' if c.arm in closed else ''} in {chance(c.probability)}"
        for c in counted
    ]
    says = f"Best of the arms at week {forecast.weeks[-1]}: {', '.join(parts)} of patients like this one."
    if counted[0].probability < enough:
        says += f" No arm reaches {percent(enough)}: by this count the arms cannot be separated."
    return says


def closed_arms(plan: Plan) -> tuple[Arm, ...]:
    return tuple(arm.arm for arm in plan.arms if not arm.allowed)


def structures_grid(forecast: Forecast) -> Grid | None:
    """The same patient by other structures of the model, the twin first; None where there is only one."""
    if len(forecast.structures) < 2 or not forecast.courses:
        return None
    about = next((o for o in forecast.observables if o.key == forecast.structures[0].observable), None)
    name = about.label if about is not None else forecast.structures[0].observable
    rows = []
    for structure in forecast.structures:
        bands = dict(structure.bands)
        digits = digits_for(max((b.q90 - b.q10 for b in bands.values()), default=0.0))
        cells = (median_80(bands[arm], digits) if arm in bands else DASH for arm in ARMS)
        best = ARM_LABELS[structure.best] if structure.best is not None else "no arm differs"
        rows.append((structure.label, percent(structure.weight), *cells, best, structure.what))
    week = forecast.weeks[-1] if forecast.weeks else 12
    return Grid(
        f"The same patient by other structures: {name} at week {week}, median and 80 % interval",
        ("Structure", "Weight", *(ARM_LABELS[arm] for arm in ARMS), "Best", "How it differs"),
        tuple(rows),
        right=(1, 2, 3, 4, 5),
    )


def record_grid(record: TrackRecord) -> Grid | None:
    """Each measurement beside the forecast that was made before it; None without any."""
    rows = []
    for row in record.rows:
        b = row.forecast
        digits = digits_for(b.q97_5 - b.q2_5)
        rows.append(
            (
                f"Week {short(row.week)}, {row.label}",
                short(row.observed, max(digits, 1)),
                number(b.median, digits),
                interval(b.q25, b.q75, digits),
                interval(b.q10, b.q90, digits),
                interval(b.q2_5, b.q97_5, digits),
                "outside 95 %" if row.fell_in == "outside" else f"inside {row.fell_in}",
                number(row.absolute_error, max(digits, 1)),
            )
        )
    columns = ("Visit", "Measured", "Forecast", "50 %", "80 %", "95 %", "Fell", "Off by")
    title = "Each visit beside the forecast that was made before it"
    return Grid(title, columns, tuple(rows), right=(1, 2, 3, 4, 5, 7)) if rows else None


def flips_in_words(forecast: Forecast) -> tuple[str, ...]:
    """Where another structure puts another arm first, each as a sentence."""
    return tuple(f"{text.strip().rstrip('.')}." for text in forecast.ranking_flips)

"""The figures of a page. Drawing costs tens of milliseconds each, so drawn ones are kept by content."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from markupsafe import Markup

from biflora.clinic.consult import Consultation
from biflora.followup.outcome import Outcome
from biflora.papers.chart import Chart
from biflora.papers.forecast_content import (
    best_in_words,
    charted_goals,
    closed_arms,
    flips_in_words,
    last_week,
    other_goals,
    score_at_start,
    severity_of,
    structures_grid,
)
from biflora.plan.plan import Plan
from biflora.twin.forecast import Arm, Forecast
from biflora.web.contexts import Charts, ForecastWords
from biflora.web.render import figure

_KEPT: OrderedDict[str, tuple[Chart, ...]] = OrderedDict()
_MOST = 600
_LOCK = threading.Lock()


def kept(key: Sequence[str], draw: Callable[[], Sequence[Chart]]) -> tuple[Chart, ...]:
    """The charts drawn by `draw`, drawn once for each key; keys are made of record ids, so never stale."""
    name = hashlib.sha256("\n".join(key).encode()).hexdigest()
    with _LOCK:
        if name in _KEPT:
            _KEPT.move_to_end(name)
            return _KEPT[name]
    charts = tuple(draw())
    with _LOCK:
        _KEPT[name] = charts
        while len(_KEPT) > _MOST:
            _KEPT.popitem(last=False)
    return charts


def forecast_words(forecast: Forecast, plan: Plan) -> ForecastWords:
    """What is said of the forecast beside its figures."""
    severity = severity_of(forecast)
    return ForecastWords(
        best="" if plan.stopped else best_in_words(forecast, severity, closed_arms(plan)),
        structures=structures_grid(forecast),
        flips=flips_in_words(forecast),
        last_week=last_week(forecast),
        other_goals=other_goals(forecast, severity),
    )


def patient_charts(
    consultation: Consultation, forecast: Forecast, outcomes: Sequence[Outcome], *, arm: Arm | None
) -> Charts:
    """All figures of the patient page; the fans are of the plan's forecast, the course of that one too."""
    from biflora.papers import charts

    profile, planned = consultation.profile, consultation.forecast
    skin, gut = profile.skin, profile.gut
    key = severity_of(planned)
    fans: tuple[Chart, ...] = ()
    differences: tuple[Chart, ...] = ()
    results: tuple[Chart, ...] = ()
    goals: tuple[Chart, ...] = ()
    course: Markup | None = None
    if key is not None:
        start = score_at_start(profile, key)
        results = kept(
            ("outcomes", forecast.id, profile.id, key), lambda: charts.outcome_dots(forecast, key, start=start)
        )
        goals = kept(("goals", forecast.id, key), lambda: charts.twenty_dots(charted_goals(forecast, key)))
        fans = kept(("fans", forecast.id, key), lambda: charts.forecast_fans(forecast, key))
        differences = kept(("differences", forecast.id, key), lambda: charts.difference_fans(forecast, key))
        if outcomes and arm is not None and planned.course(arm, key) is not None:
            ids = [outcome.id for outcome in outcomes]
            drawn = kept(
                ("course", planned.id, key, *ids),
                lambda: [charts.outcome_course(planned, outcomes, observable=key, arm=arm)],
            )
            course = figure(drawn[0], show_title=False)
    ratio = kept(("ratio", skin.id), lambda: charts.log_ratio(skin)) if skin is not None else ()
    return Charts(
        skin=figure(kept(("composition", skin.id), lambda: [charts.composition(skin)])[0]) if skin else None,
        gut=figure(kept(("composition", gut.id), lambda: [charts.composition(gut)])[0]) if gut else None,
        ratio=figure(ratio[0]) if ratio else None,
        fans=tuple(figure(chart, show_title=False) for chart in fans),
        differences=tuple(figure(chart, show_title=False) for chart in differences),
        outcomes=tuple(figure(chart, show_title=False) for chart in results),
        dots=tuple(figure(chart, show_title=False) for chart in goals),
        course=course,
    )

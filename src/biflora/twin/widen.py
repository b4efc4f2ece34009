"""What was not measured makes every band wider: the population then stands in for the patient."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.knowledge.rates import forecast_setting, observables
from biflora.profile.profile import Profile
from biflora.twin.forecast import Assumption, Course, Difference
from biflora.values import Band


class Widening:
    """How much wider than the bank's own quantiles the bands are told, and why."""

    def __init__(self, profile: Profile) -> None:
        missing = [name for name in ("skin", "gut") if getattr(profile, name) is None]
        rows = [forecast_setting(f"widening_without_{name}") for name in missing]
        self.factor = 1.0 + sum(row.value for row in rows)
        self.assumptions = tuple(
            Assumption(
                what=f"No {name} sample was given: every band is {100 * row.value:.0f} % wider about its median.",
                status="assumed",
                source=row.source,
            )
            for name, row in zip(missing, rows, strict=True)
        )

    def courses(self, courses: Sequence[Course]) -> tuple[Course, ...]:
        """The courses, wider, within what the observable can be and not further below its detection limit."""
        told = []
        for course in courses:
            row = observables()[course.observable]
            floor = row.minimum if row.detection_limit is None else row.detection_limit
            bands = tuple(self._band(band, min(floor, band.q2_5), row.maximum) for band in course.bands)
            told.append(course.model_copy(update={"bands": bands}))
        return tuple(told)

    def differences(self, differences: Sequence[Difference]) -> tuple[Difference, ...]:
        """The differences, wider; their probabilities stay those of the weighed bank."""
        return tuple(d.model_copy(update={"bands": tuple(self._band(b) for b in d.bands)}) for d in differences)

    def _band(self, band: Band, low: float = float("-inf"), high: float = float("inf")) -> Band:
        if self.factor == 1.0:
            return band
        middle = band.median
        wider = {
            name: round(min(max(middle + self.factor * (value - middle), low), high), 5)
            for name, value in band.model_dump().items()
        }
        return Band.model_validate(wider)

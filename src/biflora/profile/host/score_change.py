"""Scores that follow from others: the objective SCORAD, the change between two visits and whether it matters."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.errors import ClinicianMust
from biflora.knowledge.instruments import Instrument, instrument_named, instruments, items_of
from biflora.profile.host.instruments import score
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Score
from biflora.values import Value

RESPONSES = (50, 75, 90)
"""Falls in percent of the first score that trials count, as in EASI-75."""
GLOBAL_RESPONSE = "responder: 0/1"
"""How the table begins where an instrument's response is grade 0 or 1 with two grades down."""
SAME = 1e-6
"""Scores are kept to four decimals; a change that reaches a limit within this has reached it."""


class ScoreChange(Value):
    """What changed in one instrument from an earlier to a later visit. Lower scores are better in all of them."""

    instrument: str
    label: str
    unit: str
    earlier: float
    later: float
    difference: float
    """Later minus earlier: negative is better."""
    percent: float | None = None
    """Difference in percent of the earlier score; None where that was zero."""
    smallest_important_difference: float | None = None
    important: bool | None = None
    """Whether the difference, either way, reaches the smallest important one; None where none is known."""
    important_percent: float | None = None
    reaches_important_percent: bool | None = None
    """Whether the fall in percent reaches the one that went with a grade of the global assessment."""
    band_earlier: str = ""
    band_later: str = ""
    responses: tuple[str, ...] = ()
    """The responder words that hold, e.g. `EASI-50`, `0/1 and two grades down`."""
    words: str
    """One or two plain sentences for a page."""
    source: str = ""
    verification: str = ""


def change_of(earlier: Score, later: Score) -> ScoreChange:
    """The change from `earlier` to `later`. Raises ClinicianMust when they are scores of two instruments."""
    if earlier.instrument != later.instrument:
        raise ClinicianMust(
            f"scores: {earlier.label} and {later.label} cannot be compared; give two scores of one instrument."
        )
    row = instruments()[later.instrument]
    difference = round(later.value - earlier.value, 4)
    percent = None if earlier.value == 0 else round(100 * difference / earlier.value, 2)
    least = row.important_difference
    important = None if least is None else abs(difference) >= least - SAME
    reached = (
        None
        if row.important_percent is None or percent is None
        else percent <= -row.important_percent + SAME and difference < 0
    )
    return ScoreChange(
        instrument=row.key, label=row.label, unit=row.unit, earlier=earlier.value, later=later.value,
        difference=difference, percent=percent, smallest_important_difference=least, important=important,
        important_percent=row.important_percent, reaches_important_percent=reached, band_earlier=earlier.band,
        band_later=later.band, responses=_responses(row, earlier.value, later.value, percent),
        words=_words(row, difference, percent, important, reached, earlier.band, later.band),
        source="; ".join(x for x in (row.important_difference_source, row.important_percent_source) if x),
        verification=row.important_difference_verification,
    )  # fmt: skip


def _responses(row: Instrument, earlier: float, later: float, percent: float | None) -> tuple[str, ...]:
    if row.important_difference_source.startswith(GLOBAL_RESPONSE):
        return ("0/1 and two grades down",) if later <= 1 and earlier - later >= 2 else ()
    if row.arithmetic != "regions" or percent is None:
        return ()
    return tuple(f"{row.label}-{fall}" for fall in RESPONSES if percent <= -fall + SAME)


def _words(
    row: Instrument, difference: float, percent: float | None, important: bool | None, reached: bool | None,
    band_earlier: str, band_later: str,
) -> str:  # fmt: skip
    if difference == 0:
        return f"{row.label} did not change."
    way = "fell" if difference < 0 else "rose"
    share = "" if percent is None else f" ({abs(percent):.0f} %)"
    said = f"{row.label} {way} by {abs(difference):g} {row.unit}{share}"
    if important is None:
        said += "; no smallest important difference is known for it."
    else:
        remembered = (
            ", a limit that is only remembered" if row.important_difference_verification == "memory" else ""
        )
        said += (
            f", {'at least' if important else 'less than'} the smallest important difference of "
            f"{row.important_difference:g}{remembered}."
        )
    if reached is not None and difference < 0:
        said += (
            f" It {'reaches' if reached else 'does not reach'} the fall of {row.important_percent:g} % that went "
            "with one grade of the global assessment."
        )
    if band_earlier and band_later and band_earlier != band_later:
        said += f" The band changed from {band_earlier} to {band_later}."
    return said


def derived_scores(given: Sequence[InstrumentInput], age_years: float) -> tuple[Score, ...]:
    """Scores that the entered items also give: the objective SCORAD from SCORAD's items, unless it was entered."""
    entered = {row.key for each in given if (row := instrument_named(each.instrument)) is not None}
    found = []
    for each in given:
        row = instrument_named(each.instrument)
        if row is None or row.key != "scorad" or not each.items or "oscorad" in entered:
            continue
        items = {name: value for name, value in each.items.items() if name in items_of("oscorad")}
        found.append(score(InstrumentInput(instrument="oscorad", items=items, on=each.on), age_years))
    return tuple(found)

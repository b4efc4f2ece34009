"""What a person reads of a search for a protocol, and of what a design can teach."""

from __future__ import annotations

from typing import Literal

from rich.markup import escape

from biflora.cli.show import MARKS, _heading, _table, console
from biflora.papers.wording import chance, number, percent, signed
from biflora.twin.forecast import ARM_LABELS
from biflora.twin.front import ProtocolFound, Protocols
from biflora.twin.identified import DesignLearnt, Identified, WhatNext
from biflora.values import Band

FEW_RATES = 6
FEW_MEASUREMENTS = 5


def protocols(result: Protocols) -> None:
    """The front, best benefit first; what happens after stopping; and what is only assumed."""
    _heading(f"Protocols over {result.horizon} weeks that none of those tried beats in benefit, burden and cost")
    table = _table(
        "", "mean SCORAD", "against care", "gut link off", "burden", "USD/week", "steroid weeks",
        right=tuple(range(7)),
    )  # fmt: skip
    shown = _with_care(result)
    for place, row in enumerate(shown, start=1):
        table.add_row(
            str(place), f"{number(row.mean_scorad, 1)} {_limits(row.interval)}",
            "" if row.label == result.standard_care.label
            else f"{signed(row.difference, 1)} {_limits(row.difference_interval)}",
            "" if row.label == result.standard_care.label else signed(row.difference_gut_link_off, 1),
            number(row.burden_points, 1), number(row.cost_usd_per_week), number(row.steroid_weeks),
        )  # fmt: skip
    console.print(table)
    for place, row in enumerate(shown, start=1):
        mark = "  ◀ proposed" if row.label == result.proposed else ""
        console.print(f"{place}. {escape(row.label)}{mark}")
        for text in _about(row, place):
            console.print(f"   [dim]{escape(text)}[/]")
    console.print(f"\n{escape(result.answer)}")
    if result.order_changes_gut_link_off:
        console.print(
            f"{MARKS['warn']}  [bold]Order changes[/]: with the gut link off, best first: "
            + escape(", ".join(_numbers(result)))
        )
    if result.stopped is not None:
        for text in _about(result.stopped, 0):
            console.print(f"The first one for 12 weeks only {escape(text)}.")
    _weeks(result)
    console.print(
        f"[dim]Mean SCORAD is the area under the course per week, with its 80 % interval over patients like this "
        f"one and over possible populations. {result.candidates} protocols, {result.simulations} simulated "
        f"courses, the front on {result.patients} virtual patients (the same for all); population "
        f"{escape(result.population)}; seed {result.seed}[/]"
    )
    for item in result.assumptions:
        console.print(f"[dim]Assumed: {escape(item.what)}[/]")
    for missing in result.not_informed:
        console.print(f"[dim]Not informed: {escape(missing)}[/]")


def _with_care(result: Protocols) -> tuple[ProtocolFound, ...]:
    """The front, with standard care below it where it is no member."""
    labels = {row.label for row in result.front}
    return result.front if result.standard_care.label in labels else (*result.front, result.standard_care)


def _about(row: ProtocolFound, place: int) -> list[str]:
    told = []
    if row.probability_better_than_next is not None and row.probability_differs_from_next is not None:
        verb = "separated from" if row.separable_from_next else "cannot be separated from"
        told.append(
            f"{verb} {place + 1}: better with P {_at_least(row.probability_better_than_next)}, apart by more than "
            f"the smallest important difference with P {chance(row.probability_differs_from_next)}"
        )
    if row.stops_at_week is not None and row.gain_at_stop is not None:
        told.append(
            f"stops at week {row.stops_at_week}: {_below(row.gain_at_stop)} then, "
            f"{_below(row.gain_at_horizon)} at the end"
        )
    return told


def _at_least(probability: float) -> str:
    """Rounded down, so that no chance reads as the threshold that it has not reached."""
    return chance(int(100 * probability) / 100 if 0.01 <= probability <= 0.99 else probability)


def _below(gain: float) -> str:
    return f"{number(abs(gain), 1)} points {'below' if gain >= 0 else 'above'} standard care"


def _numbers(result: Protocols) -> list[str]:
    labels = [row.label for row in result.front]
    return [str(labels.index(name) + 1) for name in result.order_gut_link_off]


def _weeks(result: Protocols) -> None:
    """SCORAD week by week of each protocol, every few weeks, so that a relapse can be seen."""
    weeks = sorted({round(result.horizon * part / 6) for part in range(7)})
    _heading("Expected SCORAD by week: median, and 80 % interval under it")
    table = _table("", *(f"week {week}" for week in weeks), right=tuple(range(len(weeks) + 1)))
    rows = [(str(place), row) for place, row in enumerate(_with_care(result), start=1)]
    if result.stopped is not None:
        rows.append(("1, 12 weeks only", result.stopped))
    for name, row in rows:
        cells = (row.scorad_by_week[week] for week in weeks)
        table.add_row(name, *(f"{number(band.median)}\n[dim]{_ends(band)}[/]" for band in cells))
    console.print(table)


def _limits(band: Band) -> str:
    return f"({_ends(band)})"


def _ends(band: Band) -> str:
    if band.q10 >= 0:
        return f"{number(band.q10)}–{number(band.q90)}"
    return f"{number(band.q10)} to {number(band.q90)}"


def identified(result: Identified) -> None:
    """An answer to a trialist: which questions the design answers, by which rates, and what to measure next."""
    _heading("What these data can teach: part of the prior's variance that they take away")
    shown = [d for d in result.designs if not d.key.startswith("patient_")]
    one = next(d for d in result.designs if d.key.startswith("patient_"))
    best = max((d for d in result.designs if d.key.startswith("patient_")), key=lambda d: d.directions)
    columns = [one, *([best] if best.key != one.key else []), *shown]
    table = _table("question", *(_short_name(d, result) for d in columns), right=tuple(range(1, len(columns) + 1)))
    for question in one.questions:
        table.add_row(escape(question.question), *(_answer(d, question.key) for d in columns))
    console.print(table)
    for design in columns:
        console.print(
            f"• {escape(_capital(design.label))}: {design.directions} of {design.of_rates} directions are better "
            f"informed by the data than by the prior; {design.half_learnt} rates lose half their prior variance."
        )
        names = ", ".join(f"{_in_words(row.rate)} {percent(row.shrinkage, 0)}" for row in design.rates[:FEW_RATES])
        console.print(f"  [dim]best informed: {escape(names)}[/]")
    console.print(f"\n[bold]gut → skin[/]: {escape(result.gut_to_skin)}")
    for next_ in result.next:
        if next_.who == "trial" or next_.under == one.arms:
            _next(next_)
    console.print(
        f"[dim]Sensitivities around {result.patients} virtual patients; population {escape(result.population)}; "
        f"seed {result.seed}[/]"
    )
    for item in result.assumptions:
        console.print(f"[dim]Assumed: {escape(item.what)}[/]")


def _short_name(design: DesignLearnt, result: Identified) -> str:
    if design.key == "trial":
        return f"trial, {result.n_per_arm} per arm"
    if design.key == "published":
        return "published trials"
    return f"one patient, {ARM_LABELS[design.arms[0]].lower()}"


def _answer(design: DesignLearnt, key: str) -> str:
    found = design.question(key)
    share = percent(found.shrinkage, 0)
    if found.together is not None:
        share += f", lump {percent(found.together, 0)}"
    return f"{share}\n[dim]{found.verdict}[/]"


def _next(found: WhatNext) -> None:
    who: Literal["one patient", "the trial"] = "one patient" if found.who == "patient" else "the trial"
    under = f" on {ARM_LABELS[found.under[0]].lower()}" if found.who == "patient" else ", in every arm"
    _heading(f"What to measure next in {who}{under}: both − standard care, SCORAD at week {found.week}")
    console.print(
        f"Standard deviation {number(found.sd_prior, 2)} points before any data, {number(found.sd_design, 2)} "
        "after this design. One more measurement takes away, of the variance that is left:"
    )
    table = _table("measurement", "best week", "variance", "leaves sd", right=(1, 2, 3))
    best = {row.observable: row for row in reversed(found.ranked)}  # the best week of each
    for row in sorted(best.values(), key=lambda row: -row.reduction)[:FEW_MEASUREMENTS]:
        table.add_row(escape(row.label), str(row.week), percent(row.reduction), number(row.sd_after, 2))
    console.print(table)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _in_words(rate: str) -> str:
    return rate.replace("_", " ").replace("s aureus", "S. aureus")

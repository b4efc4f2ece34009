"""What a person reads in the terminal: the same values as on the pages, in plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from biflora.followup.track_record import TrackRecord
from biflora.papers.wording import MINUS, chance, digits_for, number, percent, share_interval, short, words
from biflora.plan.plan import Plan
from biflora.plan.products import ProductMatch
from biflora.profile.profile import GuildShare, Placement, Quantity, SiteProfile
from biflora.trial.evidence import Evidence
from biflora.twin.forecast import ARM_LABELS, ARMS, Forecast
from biflora.values import Band, Finding

if TYPE_CHECKING:
    from biflora.cli.files import WrittenPlan
    from biflora.clinic.consult import Consultation
    from biflora.clinic.demo import DemoCohort

console = Console(highlight=False)

MARKS = {"stop": "[bold red]■ STOP[/]", "warn": "[yellow]▲ warn[/]", "note": "· note"}


def _heading(text: str) -> None:
    console.print(f"\n[bold]{escape(text)}[/]")


def _table(*columns: str, right: Sequence[int] = ()) -> Table:
    """Columns of numbers stand to the right and are never broken over two lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(columns):
        side: Literal["left", "right"] = "right" if place in right else "left"
        table.add_column(column, justify=side, header_style="dim", no_wrap=place in right)
    return table


def _interval(band: Band) -> str:
    """Median and 80 % interval, with no more digits than an interval of that width can carry."""
    if band.q10 == band.q90 == 0:
        return "none"
    digits = min(1, digits_for(2 * (band.q90 - band.q10)))
    middle, low, high = (number(value, digits) for value in (band.median, band.q10, band.q90))
    return f"{middle} ({low}–{high})" if band.q10 >= 0 else f"{middle} ({low} to {high})"


def _from(*parts: str, verification: str = "") -> str:
    """Where something comes from and how far that was checked, in words."""
    from biflora.papers.wording import verification_words

    return " · ".join(part for part in (*parts, verification_words(verification) if verification else "") if part)


def findings(found: Sequence[Finding]) -> None:
    for finding in sorted(found, key=lambda f: ("stop", "warn", "note").index(f.level)):
        tail = _from(f"can be lifted by: {finding.who}", finding.source, verification=finding.verification)
        console.print(f"{MARKS[finding.level]}  [bold]{escape(finding.subject)}[/]: {escape(finding.message)}")
        console.print(f"        [dim]{escape(tail)}[/]")


def site_profile(site: SiteProfile) -> None:
    depth = f"{site.depth_reads:,.0f} reads" if site.depth_reads is not None else "shares only, no counts"
    _heading(f"{site.site.capitalize()}: sample {site.sample_id}")
    console.print(f"{escape(site.format)} · {escape(site.assay)} · {depth}")
    console.print(f"[dim]Recognised because {escape(site.recognised_because)}[/]")
    table = _table("guild", "share", "95 % interval", "state", "reference", right=(1, 2))
    for guild in site.guilds:
        ref = guild.reference
        against = "" if ref is None else f"{share_interval(ref.low, ref.high)} ({escape(ref.limits)}, n {ref.n})"
        if ref is not None and ref.mismatch:
            against += " ▲"
        table.add_row(escape(guild.label), _share(guild), _limits(guild), guild.state, against)
    console.print(table)
    for text in (*_how_references_differ(site.guilds), *_guild_notes(site.guilds)):
        console.print(f"[dim]{escape(text)}[/]")
    for quantity in site.quantities:
        if quantity.value is not None or quantity.low is not None or quantity.high is not None:
            tail = " (experimental)" if quantity.experimental else ""
            console.print(escape(f"{quantity.label}: {_quantity(quantity)}{tail}"))
    for text in _without_number(site.quantities):
        console.print(f"[dim]{escape(text)}[/]")
    if site.placement is not None:
        _placement(site.placement)
    strangers = [taxon.name for taxon in site.taxa if not taxon.known]
    if strangers:
        more = f" and {len(strangers) - 8} more" if len(strangers) > 8 else ""
        console.print(f"[dim]Names not in the taxon table: {escape(', '.join(strangers[:8]))}{more}[/]")
    findings(site.findings)


def _share(guild: GuildShare) -> str:
    """The share, or the limit under which it lies; nothing where neither is known."""
    from biflora.papers.charts_microbiome import share_beside

    if guild.share is not None:
        return share_beside(guild.share, guild.low, guild.high)
    return f"<{percent(guild.detection_limit)}" if guild.detection_limit else ""


def _limits(guild: GuildShare) -> str:
    return "" if guild.low is None or guild.high is None else share_interval(guild.low, guild.high)


def _guild_notes(guilds: Sequence[GuildShare]) -> list[str]:
    """Why a guild has no number, and what else must be said beside one; guilds of one note share a line."""
    alike: dict[str, list[str]] = {}
    for guild in guilds:
        if guild.note:
            alike.setdefault(guild.note, []).append(guild.label)
    return [f"{', '.join(labels)}: {note}" for note, labels in alike.items()]


def _without_number(quantities: Sequence[Quantity]) -> list[str]:
    """What could not be computed, with the reason told once for all of one reason."""
    alike: dict[str, list[str]] = {}
    for q in quantities:
        if q.value is None and q.low is None and q.high is None:
            alike.setdefault(f"{q.state}. {q.note}".strip(), []).append(q.label)
    return [f"No number for {', '.join(labels)}: {why}" for why, labels in alike.items()]


def _placement(given: Placement) -> None:
    console.print(f"\n[bold]{escape(given.state[0].upper() + given.state[1:])}.[/] {escape(given.why)}")
    if given.label:
        console.print(
            f"[dim]{escape(given.label)}, n = {given.n}; agrees in {escape(', '.join(given.matched_on))}[/]"
        )
    if given.percentiles:
        table = _table("among them", "this sample", "percentile", "95 % interval", right=(1, 2, 3))
        for p in given.percentiles:
            value = percent(p.value) if p.unit == "share" else f"{number(p.value, 2)} {p.unit}".strip()
            table.add_row(escape(p.label), value, number(p.percent), f"{number(p.low)}–{number(p.high)}")
        console.print(table)
    for text in given.passed_over:
        console.print(f"[dim]Passed over: {escape(text)}[/]")


def _how_references_differ(guilds: Sequence[GuildShare]) -> list[str]:
    """Once for all guilds whose reference differs in the same way, not once a row."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for guild in guilds:
        if guild.reference is not None and guild.reference.mismatch:
            alike.setdefault(tuple(guild.reference.mismatch), []).append(guild.label)
    return [
        f"▲ read with caution, the reference differs in {'; '.join(how)}"
        + ("." if len(alike) == 1 else f" ({', '.join(labels)}).")
        for how, labels in alike.items()
    ]


def _quantity(quantity: Quantity) -> str:
    from biflora.papers.charts_microbiome import share_beside

    digits = 0 if quantity.unit == "features" else 2
    unit = "taxa or sequences" if quantity.unit == "features" else quantity.unit
    ends = [end for end in (quantity.low, quantity.high) if end is not None]
    if quantity.value is None or quantity.bound:
        if not ends:
            return str(quantity.state)
        words = quantity.bound or ("at least" if quantity.high is None else "at most")
        state = "" if quantity.bound else f"{quantity.state}, "
        return f"{state}{words} {number(ends[-1], digits)} {unit}".rstrip()
    if quantity.unit == "share":
        limits = f" ({share_interval(*ends)})" if len(ends) == 2 else ""
        return share_beside(quantity.value, quantity.low, quantity.high) + limits
    limits = f" ({number(ends[0], digits)} to {number(ends[1], digits)})" if len(ends) == 2 else ""
    return f"{number(quantity.value, digits)}{limits} {unit}".rstrip()


def forecast(result: Forecast, *, start: float | None = None) -> None:
    """Severity arm by arm, then everything else in one table; `start`: severity as measured before treatment."""
    from biflora.papers.forecast_content import best_in_words, severity_of

    severity = severity_of(result)
    if severity is None:
        console.print("No course can be forecast for this condition: " + "; ".join(result.not_informed))
        return
    _severity(result, severity, start)
    best = best_in_words(result, severity)
    if best:
        console.print(escape(best))
    _differences(result, severity)
    _structures(result)
    _other_observables(result, severity)
    if result.bank_size:
        population = f" of the population {words(result.population)}" if result.population else ""
        console.print(
            f"[dim]{result.bank_size} virtual patients{escape(population)}, effective number "
            f"{number(result.effective_sample_size)}, {result.failed_trajectories} failed; seed {result.seed}[/]"
        )
    for missing in result.not_informed:
        console.print(f"[dim]Not informed: {escape(missing)}[/]")


def _severity(result: Forecast, severity: str, start: float | None) -> None:
    from biflora.papers.charts_dots import meaning, outlooks

    about = next(o for o in result.observables if o.key == severity)
    _heading(f"{about.label} ({about.unit}) at week {result.weeks[-1]}: median and 80 % interval")
    table = _table("", "week " + str(result.weeks[-1]), right=(1,))
    for arm in ARMS:
        course = result.course(arm, severity)
        table.add_row(ARM_LABELS[arm], "no trial found" if course is None else _interval(course.bands[-1]))
    console.print(table)
    seen = outlooks(result, severity, start=start)
    for row in seen:
        console.print(f"• {escape(row.sentence)}")
    if seen and seen[0].goal is not None:
        console.print(f"[dim]{escape(meaning(seen[0].goal, seen[0].start))}[/]")


def _differences(result: Forecast, severity: str) -> None:
    rows = [d for d in result.differences if (d.against, d.observable) == ("standard_care", severity)]
    if not rows:
        return
    _heading(f"Difference to standard care at week {result.weeks[-1]} (same with the gut link off)")
    table = _table("", "difference", "gut link off", "P(better)", right=(1, 2, 3))
    for row in rows:
        off = result.difference(row.arm, row.against, row.observable, gut_link=False)
        table.add_row(
            ARM_LABELS[row.arm], _interval(row.bands[-1]), "" if off is None else _interval(off.bands[-1]),
            chance(row.probability_better),
        )  # fmt: skip
    console.print(table)


def _structures(result: Forecast) -> None:
    """The same patient by each structure: medians over their intervals, so that four arms fit."""
    from biflora.papers.forecast_content import flips_in_words

    for text in flips_in_words(result):
        console.print(f"{MARKS['warn']}  [bold]Ranking flips[/]: {escape(text)}")
    if len(result.structures) < 2:
        return
    _heading("The same patient by other structures")
    table = _table("", "weight", *(ARM_LABELS[arm] for arm in ARMS), "best", right=(1, 2, 3, 4, 5))
    for row in result.structures:
        bands = dict(row.bands)
        cells = (_two_lines(bands.get(arm), "") for arm in ARMS)
        best = ARM_LABELS[row.best] if row.best is not None else "none"
        table.add_row(escape(row.label), percent(row.weight), *cells, best)
    console.print(table)


def _other_observables(result: Forecast, severity: str) -> None:
    """Everything but severity at the last week, in one table."""
    from biflora.papers.forecast_content import says_unit

    others = [
        o for o in result.observables if o.key != severity and any(c.observable == o.key for c in result.courses)
    ]
    if not others:
        return
    _heading(f"Also forecast for week {result.weeks[-1]}: median, and 80 % interval under it")
    table = _table("", *(ARM_LABELS[arm] for arm in ARMS), right=(1, 2, 3, 4))
    for about in others:
        courses = (result.course(arm, about.key) for arm in ARMS)
        cells = (_two_lines(None if c is None else c.bands[-1], "no trial found") for c in courses)
        table.add_row(escape(about.label) + ("" if says_unit(about) else f" [dim]{escape(about.unit)}[/]"), *cells)
    console.print(table)


def _two_lines(band: Band | None, otherwise: str) -> str:
    """The median, and under it the 80 % interval."""
    if band is None:
        return otherwise
    digits = digits_for(2 * (band.q90 - band.q10))
    low, high = number(band.q10, digits), number(band.q90, digits)
    joined = f"{low} to {high}" if low.startswith(MINUS) else f"{low}–{high}"
    return f"{number(band.median, digits)}\n[dim]{joined}[/]"


def track_record(result: TrackRecord) -> None:
    """How earlier forecasts of the patient did; says so where no visit has tested one yet."""
    _heading("How the last forecasts did for this patient")
    console.print(escape(result.sentence))
    if not result.rows:
        return
    table = _table("visit", "measured", "forecast (80 %)", "fell inside", "off by", right=(1, 2, 4))
    for row in result.rows:
        inside = "outside 95 %" if row.fell_in == "outside" else row.fell_in
        table.add_row(
            f"week {short(row.week)}, {escape(row.label)}", short(row.observed), _interval(row.forecast), inside,
            number(row.absolute_error, 1),
        )  # fmt: skip
    console.print(table)


def plan(result: Plan) -> None:
    _heading("The plan")
    for flag in result.red_flags:
        mark = {"stop": MARKS["stop"], "reroute": "[yellow]▲ reroute[/]", "ask": "[yellow]▲ ask[/]"}[flag.level]
        console.print(f"{mark}  {escape(flag.message)} {escape(flag.action)} [dim]({escape(flag.source)})[/]")
    console.print(escape(result.verdict))
    if result.arms:
        table = _table("rank", "arm", "fall by week 12", "over care", "best", "burden", right=(0, 2, 3, 4))
        for arm in result.arms:
            name = ARM_LABELS[arm.arm] + ("  ◀ proposed" if arm.arm == result.proposed_arm else "")
            if not arm.allowed:
                table.add_row("–", name, "not allowed", "", "", escape("; ".join(arm.blocked_because)))
                continue
            fall = _interval(arm.improvement) if arm.improvement else arm.improvement_in_words
            known = None if arm.unit == "SD" else arm.gain_over_standard_care
            gain = arm.gain_in_words if known is None else _interval(known)
            best = "" if arm.probability_best is None else chance(arm.probability_best)
            table.add_row(str(arm.rank), name, fall, gain, best, escape(arm.burden))
        console.print(table)
    if result.separation is not None:
        for text in (*result.separation.because, *result.separation.would_separate):
            console.print(f"[dim]{escape(text)}[/]")
    if result.worth_measuring is not None:
        console.print(escape(result.worth_measuring.said))
    told = ""
    for step in result.steps:
        again = step.kind == "measure" and step.source == told
        told = step.source
        tail = "" if again else _from(step.source, verification=step.verification)
        console.print(f"• [bold]{step.kind}[/] {escape(step.text)}")
        console.print(f"  [dim]{escape(_from(step.because, step.evidence, tail))}[/]")
    for missing in result.not_known:
        console.print(f"[dim]Not known: {escape(missing)}[/]")


def products(found: Sequence[ProductMatch]) -> None:
    """Which products hold a strain that was tried, by their labels."""
    _heading("Oral products beside the strains that were tried")
    if not found:
        console.print("No product in the list names a strain that was tried in this condition.")
    for match in found:
        allergens = f" Allergens: {', '.join(match.allergens)}." if match.allergens else ""
        console.print(
            f"[bold]{escape(match.product)}[/] for {escape(match.strain_id)}: {escape(match.match)}. "
            f"{escape(' '.join((*match.because, *match.cautions)))}{escape(allergens)}"
        )


def evidence(result: Evidence) -> None:
    _heading(f"{result.trial}: {result.design}")
    console.print(f"{result.repeats} virtual trials, seed {result.seed}, knowledge {result.knowledge_release}")
    table = _table(
        "published figure", "published", "predicted (80 %)", "tail probability", "reading", right=(1, 2, 3)
    )
    for row in result.comparisons:
        gap = "" if row.unit.startswith("-") else " "
        sign = MINUS if row.published < 0 else ""
        published = f"{sign}{abs(row.published):g}{gap}{escape(row.unit)}"
        table.add_row(
            escape(row.figure), published, _interval(row.predicted),
            f"{row.surprise:.3f}", escape(row.reading),
        )  # fmt: skip
    console.print(table)
    for source, mark in dict.fromkeys((row.source, row.verification) for row in result.comparisons):
        console.print(f"[dim]Published in: {escape(_from(source, verification=mark))}[/]")
    if result.repeats > 1:
        _heading("One of the virtual trials, analysed as a real one would be; power is over all of them")
    table = _table("contrast", "difference", "95 % CI", "p", "power", right=(1, 2, 3, 4))
    for row_ in result.contrasts:
        table.add_row(
            f"{ARM_LABELS[row_.arm]} − {ARM_LABELS[row_.against]} ({escape(row_.endpoint)})",
            f"{number(row_.estimate, 1)} {escape(row_.unit)}",
            f"{number(row_.ci_low, 1)} to {number(row_.ci_high, 1)}",
            f"{row_.p_value:.3f}", f"{row_.power:.2f}",
        )  # fmt: skip
    console.print(table)
    for text in result.not_identified:
        console.print(f"[dim]Not identified: {escape(text)}[/]")


def consultation(
    result: Consultation, written: WrittenPlan | None = None, record: TrackRecord | None = None
) -> None:
    """All of one consultation; `record`: how earlier forecasts of this patient did, where there were visits."""
    from biflora.cli import show_formula
    from biflora.papers.forecast_content import score_at_start, severity_of

    for site in (result.profile.skin, result.profile.gut):
        if site is not None:
            site_profile(site)
    findings(result.profile.findings)
    forecast(result.forecast, start=score_at_start(result.profile, severity_of(result.forecast)))
    if result.forecast.courses:
        track_record(record or TrackRecord())
    plan(result.plan)
    if result.formula is not None:
        show_formula.formula(result.formula)
    if written is not None:
        _heading("Written")
        for path in (written.plan_json, written.report_html, written.report_pdf):
            console.print(str(path))
    if result.stops_you:
        console.print("\n[bold red]■[/] A person must act before anything is made: see the marked lines above.")
    console.print("\n[dim]biflora supports a clinician's decision; it is no medical device.[/]")


def demo(cohort: DemoCohort) -> None:
    """The first patient's plan, and where everything lies."""
    if cohort.first is not None:
        consultation(cohort.first, record=cohort.record)
    _heading(f"Demo clinic: {cohort.patients} synthetic patients, {cohort.formulas} formulas")
    console.print(f"The first patient's report: {cohort.report}")

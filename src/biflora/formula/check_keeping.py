"""Keeping: the container, the loss of actives, live cells, the body of the vehicle, what dissolves."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import GRAIN, WATER, Jar, Portion, finding
from biflora.formula.keeping import (
    DRUGS,
    Days,
    capacity,
    cells_at_first,
    cells_left,
    celsius,
    days_alive,
    days_to_least_share,
    decay_of,
    features_needed,
    live_portions,
    live_storage_of,
    protections,
    rate_of,
    storage_of,
    suitable_containers,
    tenfold_days_of,
)
from biflora.knowledge.checking import checker_limits
from biflora.knowledge.keeping import FEATURES, StabilityRate, container_kinds, gel_strengths, storage_temperatures
from biflora.values import Finding, Level

DISSOLVED_KINDS = ("solution", "hydroalcoholic", "foam")
"""Vehicles that are sold as clear: what does not dissolve falls out."""


def check_keeping(jar: Jar) -> Iterator[Finding]:
    yield from _container(jar)
    yield from _stability(jar)
    for portion in live_portions(jar):
        yield from _counted(jar, portion)
    yield from _viscosity(jar)
    for portion in jar.portions:
        yield from _solubility(jar, portion)


def _container(jar: Jar) -> Iterator[Finding]:
    chosen = jar.formula.container
    if chosen is None:
        wanted = features_needed(jar)
        if wanted:
            fit = ", ".join(kind.label for kind in suitable_containers(jar.formula)) or "none of this release"
            words = " and ".join(FEATURES[feature] for feature in wanted)
            yield finding("note", "container", jar.vehicle.label, f"Choose a container that {words}: {fit}.")
        return
    kind = container_kinds().get(chosen)
    if kind is None:
        known = ", ".join(container_kinds())
        words = f"'{chosen}' is not a container of this knowledge release; known are: {known}."
        yield finding("stop", "container", chosen, words)
        return
    if jar.vehicle.dosage_form not in kind.dosage_forms:
        words = f"{kind.label.capitalize()}: not the usual container for a {jar.vehicle.dosage_form}."
        yield finding("warn", "container", jar.vehicle.label, words, source=kind)
    for portion, need in protections(jar):
        if need.feature not in kind.features:
            words = (
                f"{portion.name} needs a container that {FEATURES[need.feature]} ({need.why}); "
                f"{kind.label} is not such a one."
            )
            yield finding(need.severity, "container", portion.name, words, source=need)


def _stability(jar: Jar) -> Iterator[Finding]:
    storage = storage_of(jar)
    unknown = []
    for portion in jar.portions:
        rate = rate_of(portion, jar)
        if rate is None:
            if portion.row.klass in DRUGS:
                unknown.append(portion.name)
        elif storage is not None and storage.days is not None:
            yield from _lasts(portion, rate, storage.days, storage.where)
    if unknown:
        words = f"No rate of loss is known here for {', '.join(unknown)}: the default date rests on nothing else."
        yield finding("note", "stability", ", ".join(unknown), words)


def _lasts(portion: Portion, rate: StabilityRate, days: int, where: str) -> Iterator[Finding]:
    name, least = portion.name, checker_limits()["potency_least_share"].value
    here, cold = days_to_least_share(rate, celsius(where)), days_to_least_share(rate, celsius("fridge"))
    place = storage_temperatures()[where].label
    few = checker_limits()["stability_stop_days"].value
    falls = f"{name} falls below {100 * least:.0f} %"
    basis = "; an order of magnitude" if rate.basis == "judged" else ""
    if here.latest is None:
        # Nothing shows a loss, only how long it was watched; marketed ones were watched for longer than any date.
        if here.soonest < days and rate.basis == "bound":
            words = (
                f"{name} was shown to keep for about {_whole(here.soonest)} days only; the default date is {days}."
            )
            yield finding("note", "stability", name, words, source=rate)
    elif cold.likely < few:
        words = f"{falls} in {_days(cold)} even in the refrigerator{basis}: do not dispense it like this."
        yield finding("stop", "stability", name, words, source=rate)
    elif here.likely < days:
        # An antioxidant is there to be used up; that it goes is told, not warned of.
        level: Level = "note" if portion.row.klass == "antioxidant" else "warn"
        colder = "" if where == "fridge" else f"; in the refrigerator in {_days(cold)}"
        words = f"{falls} in {_days(here)} at {place}{colder}{basis}. The default date is day {days}: shorten it."
        yield finding(level, "stability", name, words, source=rate)
    elif here.soonest < days:
        words = f"{falls} in {_days(here)} at {place}{basis}; the default date is day {days}."
        yield finding("note", "stability", name, words, source=rate)


def _days(days: Days) -> str:
    latest = "no end shown" if days.latest is None else _whole(days.latest)
    return f"about {_whole(days.likely)} days ({_whole(days.soonest)} to {latest})"


def _whole(days: float) -> str:
    """Days as a person says them: two digits are all that the intervals bear."""
    return f"{days:.1f}" if days < 10 else f"{float(f'{days:.2g}'):.0f}"


def _counted(jar: Jar, portion: Portion) -> Iterator[Finding]:
    """log10 N = log10 N0 - t/D(T, aw): how many cells are left on the last day of use."""
    storage = live_storage_of(jar)
    days, temperature = storage.days or 0, celsius(storage.where)
    decay = decay_of(portion, jar)
    left = cells_left(portion, jar, temperature, days)
    least, none = checker_limits()["live_min_log10"].value, checker_limits()["live_none_log10"].value
    level: Level | None = None
    if left.high < none:
        level = "stop"
    elif left.likely < least:
        level = "warn"
    elif left.low < least:
        level = "note"
    if level is None:
        return
    tenfold, alive = tenfold_days_of(portion, jar, temperature), days_alive(portion, jar, temperature)
    words = (
        f"{portion.name}: 10^{cells_at_first(portion):.1f} cells per g become 10^{left.likely:.1f} "
        f"(10^{max(left.low, none):.1f} to 10^{left.high:.1f}) in {days} days, {decay.label} "
        f"at {temperature:g} °C (tenfold loss in {_whole(tenfold.likely)} days, start assumed); "
        f"10^{least:g} is the least{_until(alive.likely)}."
    )
    yield finding(level, "live_viability", portion.name, words, source=decay)


def _until(days: float) -> str:
    if days < 1:
        return ", and there are too few at once"
    return f", which holds for about {_whole(days)} days: shorten the date"


def _viscosity(jar: Jar) -> Iterator[Finding]:
    """A gel former gives as much of the body as it is of its least strength; together they must give all of it."""
    bodies = [
        (portion, row)
        for row in gel_strengths().values()
        if jar.vehicle.kind in row.vehicle_kinds and row.gelling in jar.vehicle.gelling
        for portion in jar.portions
        if portion.row.key == row.gelling
    ]
    for portion, row in bodies:
        if portion.percent > row.high_percent + GRAIN:
            words = (
                f"{portion.percent:g} % {portion.name} is too stiff for {jar.vehicle.label}: "
                f"{row.high_percent:g} % at most."
            )
            yield finding("warn", "viscosity", portion.name, words, source=row)
    if bodies and sum(portion.percent / row.low_percent for portion, row in bodies) < 1 - GRAIN:
        names = ", ".join(portion.name for portion, _ in bodies)
        need = ", ".join(f"{row.low_percent:g} % {portion.name}" for portion, row in bodies)
        have = ", ".join(f"{portion.percent:g} %" for portion, _ in bodies)
        alone = " alone" if len(bodies) > 1 else ""
        words = f"{names}: {have} gives {jar.vehicle.label} no body; it takes about {need}{alone}."
        yield finding("warn", "viscosity", names, words, source=bodies[0][1])


def _solubility(jar: Jar, portion: Portion) -> Iterator[Finding]:
    held = None if portion.row.key == WATER else capacity(portion, jar)
    if held is None or portion.percent <= held.percent.low + GRAIN:
        return
    likely, low, high = (_percent(value) for value in held.percent)
    likely = likely if likely.startswith("less") else f"about {likely}"
    about = f"{portion.percent:g} % {portion.name}; the solvents dissolve {likely} % ({low} to {high} %)"
    source = max(held.rows, key=lambda row: row.grams_per_100g, default=None)
    if "P" in jar.vehicle.phases:
        if portion.percent <= held.percent.likely + GRAIN:
            return
        sure = "" if portion.percent > held.percent.high + GRAIN else "perhaps "
        words = f"{about}: {sure}suspended, not dissolved. Micronise it and let the body of the vehicle hold it."
        yield finding("note", "solubility", portion.name, words, source=source)
        return
    unknown = f"; nothing is known of {', '.join(held.unknown)}" if held.unknown else ""
    level: Level = "warn"
    if portion.percent > held.percent.high + GRAIN and jar.vehicle.kind in DISSOLVED_KINDS and not held.unknown:
        level = "stop"
    fate = "it will fall out" if portion.percent > held.percent.high + GRAIN else "it may fall out"
    words = f"{about}{unknown}: {fate}. Add solvent or take less."
    yield finding(level, "solubility", portion.name, words, source=source)


def _percent(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}" if value >= 0.001 else "less than 0.001"

"""Live strains: only under a research authorisation, never with what kills them; check_keeping counts them."""

from __future__ import annotations

from collections.abc import Iterator

from biflora.formula.jar import LIVE, Jar, Portion, finding
from biflora.knowledge.pharmacy import preservative_systems
from biflora.values import Finding

FDA = (
    "FDA: biological products have no way through sections 503A and 503B (letter of 2021); a live microbe against "
    "disease needs an IND or BLA",
    "secondary",
)


def check_live(jar: Jar) -> Iterator[Finding]:
    live = jar.of_class(LIVE)
    for portion in live:
        yield from _authorised(jar, portion)
        yield from _killed(jar, portion)


def _authorised(jar: Jar, portion: Portion) -> Iterator[Finding]:
    needs, name = jar.needs, portion.name
    if needs is None or needs.research_authorisation is None:
        yield finding(
            "stop",
            "live_authorisation",
            name,
            f"{name} is live: it is not compounded outside a recorded research authorisation.",
            source=FDA,
        )
    if needs is not None and needs.immune_status == "immunosuppressed":
        yield finding(
            "stop",
            "live_immunity",
            name,
            f"{name} is live: never where immunity is suppressed.",
            source=portion.row,
        )
    if needs is not None and needs.skin_integrity == "open_wounds":
        yield finding("stop", "live_wound", name, f"{name} is live: never on open wounds.", source=portion.row)
    if not jar.vehicle.live_ok:
        yield finding(
            "stop",
            "live_vehicle",
            name,
            f"{jar.vehicle.label} does not keep live cells: {jar.vehicle.note or 'no vehicle for them'}.",
            source=jar.vehicle,
        )


def _killed(jar: Jar, portion: Portion) -> Iterator[Finding]:
    system = preservative_systems().get(jar.formula.preservative_system)
    if system is not None and system.kills_live:
        yield finding(
            "stop",
            "live_preservative",
            portion.name,
            f"{system.label} kills {portion.name}.",
            source=system,
        )
    killers = [p for p in jar.portions if p.row.kills_live == "yes"]
    if killers:
        names = ", ".join(p.name for p in killers)
        yield finding("stop", "live_killer", names, f"{names} would kill {portion.name}.", source=killers[0].row)

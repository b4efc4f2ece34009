"""From wanted effects to a formula that a pharmacist can make, or to the reasons why there is none."""

from __future__ import annotations

from biflora.errors import OperatorMust
from biflora.formula.candidates import Choices, weigh_choices
from biflora.formula.design import Found, search
from biflora.formula.explain import describe_lines, plain
from biflora.formula.formula import Alternative, Formula, Impossible
from biflora.formula.properties import cost_usd, estimate
from biflora.formula.reasons import find_reasons
from biflora.formula.shelf import Shelf, todays_shelf
from biflora.knowledge.rows import release
from biflora.plan.plan import Needs

SECOND_TRY = 5
"""How many times the limit a second try may take, when the first gave neither a formula nor a proof."""


def formulate(
    needs: Needs, *, parents: tuple[str, ...] = (), alternatives: int = 3, time_limit_seconds: float = 4.0
) -> Formula | Impossible:
    """The best formula for `needs`, proved so where the time allows, with `alternatives` that differ truly.

    Every formula has passed the independent checker without a `stop`. Impossible carries a smallest set of
    reasons. Raises ClinicianMust for names that knowledge lacks, OperatorMust when the checker disagrees with
    the optimiser or when the time did not suffice for any answer.
    """
    return formulate_from(
        todays_shelf(), needs, parents=parents, alternatives=alternatives, time_limit_seconds=time_limit_seconds
    )


def formulate_from(
    shelf: Shelf,
    needs: Needs,
    *,
    parents: tuple[str, ...] = (),
    alternatives: int = 3,
    time_limit_seconds: float = 4.0,
    checked: bool = True,
) -> Formula | Impossible:
    """The same on a given shelf; `checked=False` only for shelves that the checker does not know."""
    choices = weigh_choices(needs, shelf)
    designed = search(choices, needs, shelf, seconds=time_limit_seconds, others=alternatives)
    if not designed.found and designed.unsettled:
        # A busy machine: an answer that comes late is better than none.
        designed = search(choices, needs, shelf, seconds=SECOND_TRY * time_limit_seconds, others=0)
    if not designed.found:
        if designed.unsettled:
            raise OperatorMust(
                f"No formula and no proof of impossibility in {SECOND_TRY} times {time_limit_seconds:g} s; "
                f"allow more time (open vehicles: {', '.join(designed.unsettled)})."
            )
        reasons = find_reasons(choices, needs, shelf, seconds=time_limit_seconds)
        return Impossible.make(
            "impossible", release=release(), parents=parents, reasons=reasons.reasons, minimal=reasons.minimal
        )
    best = designed.found[0]
    others = _truly_different(best, designed.found[1:], shelf)[:alternatives]
    formula = _formula(best, others, choices, needs, shelf, designed.proved, designed.bound, parents)
    if checked:
        formula = _checked(formula, needs)
        for other in others:
            _checked(_formula(other, [], choices, needs, shelf, False, other.bound, ()), needs)
    # Not part of the content that gives the id: the same needs must give the same id on a slower day.
    return formula.model_copy(update={"solve_seconds": round(designed.seconds, 3)})


def _formula(
    found: Found,
    others: list[Found],
    choices: Choices,
    needs: Needs,
    shelf: Shelf,
    proved: bool,
    bound: float,
    parents: tuple[str, ...],
) -> Formula:
    vehicle = shelf.vehicles[found.vehicle]
    lines = describe_lines(found, choices, needs, shelf)
    actives = [line.name for line in lines if shelf.ingredients[line.ingredient].klass in ACTIVE_FIRST]
    return Formula.make(
        "formula",
        release=release(),
        parents=parents,
        name=f"{vehicle.label}" + (f" with {', '.join(actives[:3])}" if actives else ""),
        condition=needs.condition.value,
        vehicle=found.vehicle,
        lines=lines,
        ph=found.ph,
        preservative_system=found.system,
        rinse_off=vehicle.rinse_off,
        benefit=round(found.reached.benefit, 4),
        proved_optimal=proved,
        bound=round(bound, 4),
        properties=estimate(found, needs, shelf),
        alternatives=tuple(
            Alternative(
                vehicle=other.vehicle,
                lines=describe_lines(other, choices, needs, shelf),
                ph=other.ph,
                benefit=round(other.reached.benefit, 4),
                gives_up=gives_up(found, other, shelf),
            )
            for other in others
        ),
    )


def _checked(formula: Formula, needs: Needs) -> Formula:
    """The formula with what the checker found. Raises OperatorMust when it would stop the formula."""
    from biflora.formula.check import check_formula

    findings = check_formula(formula, needs)
    stops = [f"{finding.rule} ({finding.subject})" for finding in findings if finding.level == "stop"]
    if stops:
        raise OperatorMust(
            f"The optimiser and the independent checker disagree on {formula.vehicle} about: "
            f"{'; '.join(stops)}. No formula is given; report this as a defect of biflora."
        )
    bare = formula.model_copy(update={"id": "", "findings": findings})
    fields = {
        name: getattr(bare, name)
        for name in Formula.model_fields
        if name not in ("id", "parent_ids", "knowledge_release")
    }
    return Formula.make("formula", release=formula.knowledge_release, parents=formula.parent_ids, **fields)


def _truly_different(best: Found, others: list[Found], shelf: Shelf) -> list[Found]:
    """Those that differ from the best and from one another by the vehicle or by enough actives, best first."""
    apart = round(shelf.settings["apart_actives"])
    kept = [best]
    least = shelf.settings["alternative_benefit_share"] * best.reached.benefit
    for other in others:
        if other.reached.benefit >= least and all(
            other.vehicle != f.vehicle or len(other.actives ^ f.actives) >= apart for f in kept
        ):
            kept.append(other)
    return kept[1:]


def gives_up(best: Found, other: Found, shelf: Shelf) -> str:
    """One plain sentence: what this alternative has less, and what it has instead."""
    lost = [plain(effect) for effect in best.serving if effect not in other.serving]
    drops = sorted(key for key in best.actives - other.actives)
    adds = sorted(key for key in other.actives - best.actives)
    names = shelf.ingredients
    loss = best.reached.benefit - other.reached.benefit
    parts: list[str] = []
    if lost:
        parts.append(f"it does not serve {' and '.join(lost)}")
    if loss > 0.005:
        parts.append(f"it gives up {loss:.2f} of {best.reached.benefit:.2f} benefit points")
    if other.reached.risk > best.reached.risk:
        parts.append(f"its risk is higher ({other.reached.risk} against {best.reached.risk} points)")
    dearer = _cost(other, shelf) - _cost(best, shelf)
    if dearer > 0.05:
        parts.append(f"it costs about {dearer:.2f} USD more per 100 g")
    more = len(other.amounts_ppm) - len(best.amounts_ppm)
    if more > 0:
        parts.append(f"it holds {more} more ingredient{'s' if more > 1 else ''}")
    if not parts:
        parts.append("it gives up nothing that the model counts")
    said = "; ".join(parts)
    place = "" if other.vehicle == best.vehicle else f"{shelf.vehicles[other.vehicle].label} instead: "
    swap = ""
    if drops or adds:
        swap = (f", without {', '.join(names[k].name for k in drops)}" if drops else "") + (
            f", with {', '.join(names[k].name for k in adds)}" if adds else ""
        )
    sentence = f"{place}{said}{swap}."
    return sentence[0].upper() + sentence[1:]


def _cost(found: Found, shelf: Shelf) -> float:
    return cost_usd(found.amounts_ppm, shelf.ingredients)


ACTIVE_FIRST = frozenset(
    {
        "conventional_drug",
        "keratolytic",
        "hair",
        "probiotic_live",
        "probiotic_lysate",
        "postbiotic",
        "prebiotic",
        "lipid",
        "botanical",
    }
)
"""Classes that name a formula."""

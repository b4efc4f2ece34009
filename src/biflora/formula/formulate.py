"""From wanted effects to a formula that a pharmacist can make, or to the reasons why there is none."""

from __future__ import annotations

from biflora.errors import OperatorMust
from biflora.formula.candidates import Choices, weigh_choices
from biflora.formula.check import check_formula
from biflora.formula.compare import gives_up
from biflora.formula.design import Found, search
from biflora.formula.explain import describe_lines
from biflora.formula.formula import Alternative, Formula, Impossible
from biflora.formula.properties import properties_of
from biflora.formula.reasons import find_reasons
from biflora.formula.shelf import Shelf, todays_shelf
from biflora.knowledge.rows import release
from biflora.plan.plan import Needs
from biflora.values import Finding

SECOND_TRY = 5
"""How many times the limit a second try may take, when the first gave neither a formula nor a proof."""


def formulate(
    needs: Needs, *, parents: tuple[str, ...] = (), alternatives: int = 5, time_limit_seconds: float = 10.0
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
    alternatives: int = 5,
    time_limit_seconds: float = 10.0,
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
    others = designed.found[1 : alternatives + 1]
    formula = _formula(best, others, choices, needs, shelf, designed.proved, designed.bound, parents)
    if checked:
        formula = _with(formula, properties=properties_of(formula, needs), findings=_findings(formula, needs))
        for other in others:
            _findings(_formula(other, [], choices, needs, shelf, False, other.bound, ()), needs)
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
        alternatives=tuple(
            Alternative(
                vehicle=other.vehicle,
                lines=describe_lines(other, choices, needs, shelf),
                ph=other.ph,
                preservative_system=other.system,
                benefit=round(other.reached.benefit, 4),
                gives_up=gives_up(found, other, choices, shelf),
            )
            for other in others
        ),
    )


def _findings(formula: Formula, needs: Needs) -> tuple[Finding, ...]:
    """What the checker found. Raises OperatorMust when it would stop the formula."""
    findings = check_formula(formula, needs)
    stops = [f"{finding.rule} ({finding.subject})" for finding in findings if finding.level == "stop"]
    if stops:
        raise OperatorMust(
            f"The optimiser and the independent checker disagree on {formula.vehicle} about: "
            f"{'; '.join(stops)}. No formula is given; report this as a defect of biflora."
        )
    return findings


def _with(formula: Formula, **more: object) -> Formula:
    """The formula with more fields, under the id of its whole content."""
    fields = {
        name: getattr(formula, name)
        for name in Formula.model_fields
        if name not in ("id", "parent_ids", "knowledge_release")
    }
    return Formula.make(
        "formula", release=formula.knowledge_release, parents=formula.parent_ids, **(fields | more)
    )


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

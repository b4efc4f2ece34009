"""The optimiser against formulas worked by hand, against enumeration, and its reasons when nothing is possible."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from small_shelf import clash, ingredient, not_at_all, small_shelf

from biflora.errors import ClinicianMust
from biflora.formula.candidates import WHO, weigh_choices
from biflora.formula.design import search
from biflora.formula.explain import explain
from biflora.formula.formula import MILLION, Formula, Impossible
from biflora.formula.formulate import formulate_from
from biflora.formula.model import FormulaModel
from biflora.formula.programme import Programme
from biflora.formula.reasons import Court
from biflora.formula.shelf import Shelf
from biflora.formula.solve import Answer, Solver
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs


def needs(*effects: str, **more: Any) -> Needs:
    wanted = tuple(Need(effect=Effect(e), weight=1.0, confidence=1.0, because="a test") for e in effects)
    fields: dict[str, Any] = {
        "condition": Condition.ATOPIC_DERMATITIS,
        "needs": wanted,
        "age_years": 30,
        "sites": (BodySite.ARMS,),
        "pregnancy": "no",
    }
    return Needs(**(fields | more))


def designed(shelf: Shelf, wanted: Needs) -> Formula:
    formula = formulate_from(shelf, wanted, checked=False, time_limit_seconds=10)
    assert isinstance(formula, Formula)
    return formula


def refused(shelf: Shelf, wanted: Needs) -> Impossible:
    answer = formulate_from(shelf, wanted, checked=False, time_limit_seconds=10)
    assert isinstance(answer, Impossible)
    return answer


def inside(formula: Formula) -> set[str]:
    return {line.ingredient for line in formula.lines}


def test_two_servants_of_one_effect_count_one_and_a_half_times() -> None:
    # anti-inflammatory: steroid 0.8 first, oat 0.4 as second at half: 0.8 + 0.4 * 0.5 = 1.0
    # anti-itch: oat 0.5. Together 1.5, less 0.04 that each of the two must earn: 1.42.
    # The ointment has no phase for either, so the gel it is.
    formula = designed(small_shelf(), needs("anti_inflammatory", "anti_itch"))
    assert formula.vehicle == "gel"
    assert {"steroid", "oat", "gum", "acid", "water"} <= inside(formula)
    assert formula.benefit == pytest.approx(1.42)
    assert formula.proved_optimal
    assert formula.bound == pytest.approx(1.42)
    assert sum(line.ppm for line in formula.lines) == MILLION
    assert [line.ingredient for line in formula.lines if line.quantum_satis] == ["water"]
    assert formula.ph is not None
    assert 4.5 <= formula.ph <= 6.5


def test_an_ingredient_stays_out_when_it_adds_less_than_it_must() -> None:
    # At weight 0.1 oat adds 0.1 * 0.4 * 0.5 = 0.02 as a second servant, less than the 0.04 it must.
    wanted = needs("anti_inflammatory")
    small = wanted.model_copy(update={"needs": (wanted.needs[0].model_copy(update={"weight": 0.1}),)})
    assert "oat" not in inside(designed(small_shelf(), small))


def test_paraben_allergy_takes_the_other_system_and_all_allergies_no_preservative() -> None:
    assert designed(small_shelf(), needs("anti_itch", allergies=("paraben",))).preservative_system == "sorbates"
    bare = designed(small_shelf(), needs("anti_itch", allergies=("paraben", "sorbate")))
    assert bare.preservative_system == "none_refrigerated"
    dry = designed(small_shelf(), needs("barrier_repair", allergies=("paraben", "sorbate")))
    assert (dry.vehicle, dry.preservative_system, dry.ph) == ("ointment", "none_anhydrous", None)
    assert [(line.ingredient, line.ppm) for line in dry.lines] == [("grease", MILLION)]


def test_free_acid_limits_the_ph_of_an_acid_system() -> None:
    # Sorbic acid, pKa 4.76: one tenth is undissociated at 4.76 + log10(9) = 5.71, so pH 5.7 at most.
    shelf = small_shelf()
    model = FormulaModel(
        weigh_choices(needs("anti_itch"), shelf).vehicles["gel"],
        weigh_choices(needs("anti_itch"), shelf),
        needs("anti_itch"),
        shelf,
    )
    assert model._free_acid_ph_max("sorbates") == pytest.approx(5.714, abs=0.001)
    assert model._free_acid_ph_max("parabens") == 8


def test_pregnancy_keeps_the_retinoid_out_and_says_so() -> None:
    wanted = needs("comedolysis", "anti_itch")
    assert "retinoid" in inside(designed(small_shelf(), wanted))
    expecting = wanted.model_copy(update={"pregnancy": "pregnant"})
    formula = designed(small_shelf(), expecting)
    assert "retinoid" not in inside(formula)
    told = [
        text
        for text in explain(formula, expecting, shelf=small_shelf()).outside
        if text.startswith("retinoid is not in")
    ]
    assert told
    assert "pregnancy" in told[0]


def test_a_limit_by_site_keeps_the_steroid_from_it() -> None:
    shelf = small_shelf(strength_limits=not_at_all("steroid", sites=("arms",)))
    assert "steroid" not in inside(designed(shelf, needs("anti_inflammatory")))
    assert "steroid" in inside(designed(shelf, needs("anti_inflammatory", sites=(BodySite.LEGS,))))


def test_stock_limits_the_choice() -> None:
    formula = designed(small_shelf(), needs("anti_inflammatory", in_stock=("oat", "gum", "acid", "paraben")))
    assert inside(formula) == {"oat", "gum", "acid", "paraben", "water"}


def test_incompatible_ingredients_never_meet() -> None:
    shelf = small_shelf(clashes=clash("steroid", "oat"))
    formula = designed(shelf, needs("anti_inflammatory", "anti_itch"))
    # steroid alone 0.8; oat alone 0.4 + 0.5 = 0.9
    assert inside(formula) & {"steroid", "oat"} == {"oat"}
    acid_only = small_shelf(clashes=clash("steroid", "oat", ph_below=6.0))
    together = designed(acid_only, needs("anti_inflammatory", "anti_itch"))
    assert inside(together) >= {"steroid", "oat"}
    assert together.ph is not None
    assert together.ph >= 6.0


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ClinicianMust, match="must_include"):
        formulate_from(small_shelf(), needs("anti_itch", must_include=("oatt",)), checked=False)


def test_same_needs_give_the_same_formula_and_id() -> None:
    first, second = (designed(small_shelf(), needs("anti_inflammatory", "barrier_repair")) for _ in range(2))
    assert first.id == second.id
    assert first.lines == second.lines


def test_alternatives_differ_by_vehicle_or_two_actives_and_say_what_they_give_up() -> None:
    # Ointment: grease 0.6 for the barrier. Gel: oat 0.5 for the itch. Neither vehicle holds both.
    formula = designed(small_shelf(), needs("barrier_repair", "anti_itch"))
    assert [other.vehicle for other in formula.alternatives] == ["gel"]
    actives = {"steroid", "oat", "retinoid", "grease"}
    for other in formula.alternatives:
        theirs = {line.ingredient for line in other.lines}
        assert other.vehicle != formula.vehicle or len((theirs ^ inside(formula)) & actives) >= 2
        assert other.gives_up.endswith(".")
        assert len(other.gives_up) > 20
        assert sum(line.ppm for line in other.lines) == MILLION


def test_two_that_must_be_in_but_clash_are_impossible_for_two_reasons() -> None:
    shelf = small_shelf(clashes=clash("steroid", "oat"))
    answer = refused(shelf, needs("anti_itch", must_include=("steroid", "oat")))
    assert answer.minimal
    assert {reason.rule for reason in answer.reasons} == {"must_include", "incompatible"}
    lifted = next(reason for reason in answer.reasons if reason.rule == "must_include")
    assert lifted.who == "prescriber's choice"
    assert lifted.lift


def test_reasons_are_minimal_each_one_dropped_makes_it_possible() -> None:
    shelf = small_shelf(clashes=clash("steroid", "oat"))
    for wanted in (
        needs("anti_itch", must_include=("steroid", "oat")),
        needs("anti_itch", in_stock=("gum", "acid")),
        needs("comedolysis", pregnancy="pregnant"),
        needs("anti_itch", vehicles=("ointment",)),
        needs("anti_itch", max_ingredients=3),
    ):
        court = Court(weigh_choices(wanted, shelf), wanted, shelf, seconds=10)
        smallest, proved = court.smallest(court.guards)
        assert proved
        assert smallest
        assert court.possible(frozenset(smallest), from_memory=False) is None
        for guard in smallest:
            assert court.possible(frozenset(smallest) - {guard}, from_memory=False) is not None
            assert guard[0] in WHO
        answer = refused(shelf, wanted)
        assert all(reason.message.endswith(".") for reason in answer.reasons)


def enumerate_best(programme: Programme) -> int | None:
    """The best objective by trying every value of every variable: slow and without any cleverness."""
    best: int | None = None
    spans = [range(low, high + 1) for low, high in zip(programme.lows, programme.highs, strict=True)]
    for values in itertools.product(*spans):
        good = all(
            (row.low is None or total >= row.low) and (row.high is None or total <= row.high)
            for row in programme.rows
            if all(values[v] == 1 if v >= 0 else values[~v] == 0 for v in row.when)
            for total in (sum(c * values[v] for v, c in row.terms),)
        )
        if good:
            value = programme.value_of(list(values))
            best = value if best is None else max(best, value)
    return best


def test_a_programme_small_enough_to_enumerate_has_the_solvers_optimum() -> None:
    # Three actives of 3, 4 and 5 points; a budget of 7 units; the two best clash unless the fourth is in.
    programme = Programme()
    a, b, c, d = (programme.yes_no(name) for name in "abcd")
    amount = programme.whole("amount", 0, 7)
    programme.demand({amount: 1, a: -2, b: -3, c: -4, d: -1}, low=0, high=0)
    programme.forbid((b, c), when=(~d,))
    programme.one_of((a, b))
    for variable, points in ((a, 3), (b, 4), (c, 5), (d, -1)):
        programme.reward(variable, points)
    answer = Solver(programme).run(seconds=5)
    # b + c + d is 8 units, too much; a + c is 6 units and 8 points; b + d or a + b is 7.
    assert enumerate_best(programme) == 8
    assert programme.value_of(list(answer.values)) == 8
    assert answer.status == "optimal"


def test_every_subset_of_actives_enumerated_gives_no_better_formula() -> None:
    """Fix each subset of actives by hand and solve: none may rank above the proved optimum."""
    shelf = small_shelf(clashes=clash("steroid", "oat"))
    wanted = needs("anti_inflammatory", "anti_itch", "comedolysis", "barrier_repair")
    choices = weigh_choices(wanted, shelf)
    best = search(choices, wanted, shelf, seconds=10).found[0]
    assert best.proved
    ranks = []
    for vehicle in choices.vehicles.values():
        for chosen in itertools.product((0, 1), repeat=4):
            model = FormulaModel(vehicle, choices, wanted, shelf)
            for key, value in zip(("steroid", "oat", "retinoid", "grease"), chosen, strict=True):
                if key in model.on:
                    model.programme.demand({model.on[key]: 1}, low=value, high=value)
            answer = Solver(model.programme).run(seconds=5)
            if answer.values:
                r = model.aims.reached(answer.values)
                ranks.append((r.first, r.points, -r.risk, -r.burden))
    # By hand: retinoid 0.9 and the better of steroid 0.8 or oat 0.4 + 0.5 = 0.9 in the gel, less 2 * 0.04: 1.72.
    assert best.reached.benefit == pytest.approx(1.72)
    assert max(ranks) == best.rank


def test_a_vehicle_without_a_proof_leaves_the_whole_unproved_even_with_alternatives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The gel is proved best of its own. The ointment answers too (it is not asked for something better) and runs
    # out of time before its proof; that the alternatives replace what was found must not hide it.
    answers = 0
    run = Solver.run

    def second_out_of_time(self: Solver, **how: Any) -> Answer:
        nonlocal answers
        answers += 1
        answer = run(self, **how)
        return dataclasses.replace(answer, status="feasible", bound=2 * answer.bound) if answers == 2 else answer

    monkeypatch.setattr(Solver, "run", second_out_of_time)
    monkeypatch.setattr(Solver, "at_least", lambda self, objective: None)
    wanted = needs("anti_inflammatory", "anti_itch", "barrier_repair")
    shelf = small_shelf()
    answered = search(weigh_choices(wanted, shelf), wanted, shelf, seconds=10, others=2)
    assert answered.found[0].vehicle == "gel"
    assert answered.unsettled == ["ointment"]
    assert not answered.proved


def test_those_kept_out_by_one_rule_share_a_sentence() -> None:
    # Prescription actives were not allowed; steroid and a second one would serve best, oat is what is left.
    shelf = small_shelf()
    second = ingredient("balmex", "conventional_drug", 1, 1, "W", strengths_percent=(1.0,), us_route="RX-503A")
    also = shelf.effects["steroid_anti_inflammatory"].model_copy(update={"key": "also", "ingredient": "balmex"})
    shelf = dataclasses.replace(
        shelf, ingredients={**shelf.ingredients, "balmex": second}, effects={**shelf.effects, also.key: also}
    )
    wanted = needs("anti_inflammatory", prescription_actives_ok=False)
    said = explain(designed(shelf, wanted), wanted, shelf=shelf)
    assert any(text.startswith("oat 1 %: for calming inflammation") for text in said.inside)
    assert [text for text in said.outside if "prescription" in text] == [
        "balmex and steroid are not in, though they serve calming inflammation: "
        "a prescription is needed, which was not allowed."
    ]


def test_an_exact_strength_is_kept_or_refused_with_its_reason() -> None:
    # 0.3 % steroid instead of its one strength of 1 %: it is in at just that, and oat at 0.7 %.
    wanted = needs("anti_inflammatory", exact_percent={"steroid": 0.3, "oat": 0.7})
    lines = {line.ingredient: line.ppm for line in designed(small_shelf(), wanted).lines}
    assert (lines["steroid"], lines["oat"]) == (3_000, 7_000)
    # Above the upper limit of 1 % there is no formula, and the order is one of the two reasons.
    too_much = refused(small_shelf(), needs("anti_inflammatory", exact_percent={"steroid": 2}))
    assert {reason.rule for reason in too_much.reasons} == {"must_include", "strength"}
    with pytest.raises(ClinicianMust, match="belongs to its system"):
        designed(small_shelf(), needs("anti_inflammatory", exact_percent={"paraben": 0.1}))
    with pytest.raises(ClinicianMust, match="exact_percent"):
        designed(small_shelf(), needs("anti_inflammatory", exact_percent={"moon": 0.1}))

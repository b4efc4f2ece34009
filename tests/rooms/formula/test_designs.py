"""The optimiser on the shipped tables, with the independent checker as witness."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_needs import changed, random_needs, with_lots

from biflora.formula.candidates import WHO
from biflora.formula.check import check_formula
from biflora.formula.explain import explain
from biflora.formula.formula import MILLION, Formula, Impossible
from biflora.formula.formulate import formulate
from biflora.knowledge.formulating import families
from biflora.knowledge.pharmacy import ingredients
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs


def acne(**more: object) -> Needs:
    wanted = ((Effect.COMEDOLYSIS, 1.0), (Effect.C_ACNES_CONTROL, 0.9))
    return Needs.model_validate(
        {
            "condition": Condition.ACNE,
            "needs": tuple(Need(effect=effect, weight=weight, confidence=0.9) for effect, weight in wanted),
            "age_years": 24,
            "sites": (BodySite.FACE,),
            "pregnancy": "no",
        }
        | more
    )


def design(needs: Needs) -> Formula:
    formula = formulate(needs, alternatives=0, time_limit_seconds=20)
    assert isinstance(formula, Formula)
    return formula


def inside(formula: Formula) -> set[str]:
    return {line.ingredient for line in formula.lines}


@settings(max_examples=36, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=10**6))
def test_any_needs_give_a_checked_formula_or_reasons(seed: int) -> None:
    needs = random_needs(seed)
    answer = formulate(needs, alternatives=0, time_limit_seconds=20)
    if isinstance(answer, Impossible):
        assert answer.reasons
        for reason in answer.reasons:
            assert reason.who == WHO[reason.rule].value
            assert reason.message.endswith(".")
        return
    assert sum(line.ppm for line in answer.lines) == MILLION
    assert not [finding.rule for finding in check_formula(answer, needs) if finding.level == "stop"]
    assert len(answer.lines) <= needs.max_ingredients
    assert set(needs.must_include) <= inside(answer)
    assert all(line.why for line in answer.lines)
    for line in answer.lines:
        if needs.stock is not None and line.ingredient != "purified_water":
            lasting = [
                lot for lot in needs.stock if lot.ingredient == line.ingredient and lot.expires_in_days >= 28
            ]
            grams = line.ppm * needs.batch_grams / MILLION
            assert sum(lot.grams for lot in lasting) >= grams - 1e-6


def test_no_retinoid_in_pregnancy_and_the_reason_is_told() -> None:
    retinoids = set(families()["retinoid"].members)
    needs = acne(pregnancy="pregnant")
    formula = design(needs)
    assert not inside(formula) & retinoids
    assert any("Tretinoin is not in" in text and "pregnan" in text for text in explain(formula, needs).outside)


def test_no_potent_steroid_on_the_face() -> None:
    potent = set(families()["potent_corticosteroid"].members)
    calm = Need(effect=Effect.ANTI_INFLAMMATORY, weight=1.0, confidence=1.0)
    face = Needs(
        condition=Condition.PSORIASIS, needs=(calm,), age_years=40, sites=(BodySite.FACE,), pregnancy="no"
    )
    assert not inside(design(face)) & potent


def test_paraben_allergy_never_gets_the_paraben_system() -> None:
    formula = design(acne(allergies=("parabens",)))
    assert formula.preservative_system != "parabens"
    assert not inside(formula) & {"methylparaben", "propylparaben"}


def test_patented_actives_are_not_proposed() -> None:
    calm = Need(effect=Effect.ANTI_INFLAMMATORY, weight=1.0, confidence=1.0)
    needs = Needs(condition=Condition.ATOPIC_DERMATITIS, needs=(calm,), age_years=30, pregnancy="no")
    assert not inside(design(needs)) & {"crisaborole", "roflumilast", "ruxolitinib_phosphate", "tapinarof"}


def test_live_strains_only_under_a_research_authorisation() -> None:
    needs = acne(must_include=("plantarum_skinduo_live",))
    answer = formulate(needs, alternatives=0, time_limit_seconds=20)
    assert isinstance(answer, Impossible)
    assert {"live", "must_include"} <= {reason.rule for reason in answer.reasons}
    assert next(reason for reason in answer.reasons if reason.rule == "live").who == "law"


def test_stock_without_any_emulsifier_or_base_is_refused_by_stock() -> None:
    answer = formulate(acne(in_stock=("glycerin", "citric_acid")), alternatives=0, time_limit_seconds=20)
    assert isinstance(answer, Impossible)
    assert "stock" in {reason.rule for reason in answer.reasons}
    assert any(reason.lift for reason in answer.reasons if reason.rule == "stock")


def test_a_lot_that_runs_out_or_expires_takes_its_ingredient_out_of_the_formula() -> None:
    """Nine tenths of its only retinoid's lowest strength, or 27 days where 28 are needed, is not enough."""
    needs = with_lots(acne())
    formula = design(needs)
    (retinoid,) = inside(formula) & set(families()["retinoid"].members)
    taken = next(line.ppm for line in formula.lines if line.ingredient == retinoid) * needs.batch_grams / MILLION
    lowest = min(ingredients()[retinoid].strengths_percent) / 100 * needs.batch_grams
    for change in ({"grams": 0.9 * lowest}, {"expires_in_days": 27}):
        lots = [lot.model_dump() | (change if lot.ingredient == retinoid else {}) for lot in needs.stock or ()]
        assert retinoid not in inside(design(changed(needs, stock=lots)))
    enough = {"grams": taken * 1.001, "expires_in_days": 28}
    lots = [lot.model_dump() | (enough if lot.ingredient == retinoid else {}) for lot in needs.stock or ()]
    again = design(changed(needs, stock=lots))
    assert retinoid in inside(again)
    assert again.benefit == formula.benefit


def test_alternatives_are_three_and_truly_different() -> None:
    formula = formulate(acne(), alternatives=3, time_limit_seconds=30)
    assert isinstance(formula, Formula)
    assert len(formula.alternatives) == 3
    assert formula.benefit == pytest.approx(max(a.benefit for a in (formula, *formula.alternatives) if a.benefit))

"""The bench answers a question and keeps nothing: without scripts, beside the field, for this patient."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_clinic import CREAM, Visitor, clinic, fields_of, problem_of, row_named, said

from biflora.formula.check import check_formula
from biflora.values import Finding, Who
from biflora.web.app import create_app
from biflora.web.bench import compare, read_typed, typed_formula
from biflora.web.contexts import BenchPage, BenchRow

PATIENT = "/clinic/patients/demo-001/bench"
LANOLIN = {"ingredient_10": "Lanolin", "percent_10": "5"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("bench")
    application = create_app(clinic(folder), folder)
    yield application
    application.state.clinic.store.close()


@pytest.fixture
def clinician(app: Any) -> Visitor:
    return Visitor(app, "clinician")


@pytest.fixture
def pharmacist(app: Any) -> Visitor:
    return Visitor(app, "pharmacist")


def order_bench(app: Any) -> str:
    ((_, order),) = app.state.clinic.store.orders(patient_id="demo-001")
    return f"/pharmacy/orders/{order.id}/bench"


def test_it_opens_with_the_formula_of_the_patient(clinician: Visitor) -> None:
    html = clinician.http.get(PATIENT).text
    fields = fields_of(html)
    assert (fields["vehicle"], fields["ph"], fields["preservative_system"]) == (
        "ow_cream", "5.2", "phenoxyethanol_ehg",
    )  # fmt: skip
    # Eight weighed lines, the water that fills up, and one empty line to type into.
    assert len(fields["rows"]) == 10
    assert ("Purified water", "qs") in [row[1:] for row in fields["rows"]]
    assert fields["rows"][-1] == ("10", "", "")
    assert "never an order: nothing is prescribed or saved here" in html
    assert "0 new, 0 gone" in said(html)


def test_the_line_that_fills_up_adjusts_itself(clinician: Visitor) -> None:
    # 100 - (7 + 4 + 15 + 4 + 2 + 2 + 0.9 + 0.3) = 64.8; glycerin 7 -> 10 leaves 61.8.
    html = clinician.http.get(PATIENT).text
    assert "= 64.80 %" in html
    answer = clinician.check(PATIENT, **{f"percent_{row_named(html, 'Glycerin')}": "10"})
    assert answer.status_code == 200
    assert "= 61.80 %" in answer.text
    assert "sum 100.00 %" in said(answer.text)
    assert "Glycerin: 7.00 % → 10.00 %" in answer.text
    assert "Purified water: 64.80 % → 61.80 %" in answer.text


def test_too_strong_is_a_new_stop_beside_its_line(clinician: Visitor) -> None:
    # Niacinamide's row ends at 5 %; 25 % is above it.
    number = row_named(clinician.http.get(PATIENT).text, "Niacinamide")
    answer = clinician.check(PATIENT, **{f"percent_{number}": "25"})
    line = re.search(r'<th scope="row">Niacinamide.*?</tr>', answer.text, re.DOTALL)
    assert line is not None
    assert '<span class="status stop">Stop</span> <mark>new</mark>' in line[0]
    assert "Must not be made as it stands" in said(answer.text)


def test_a_decimal_comma_is_a_point(clinician: Visitor) -> None:
    number = row_named(clinician.http.get(PATIENT).text, "Niacinamide")
    answer = clinician.check(PATIENT, **{f"percent_{number}": "2,5"})
    assert "Niacinamide: 4.00 % → 2.50 %" in answer.text


def test_a_pressed_remove_takes_the_line_out(clinician: Visitor) -> None:
    number = row_named(clinician.http.get(PATIENT).text, "Niacinamide")
    answer = clinician.check(PATIENT, act=f"remove-{number}")
    assert "Niacinamide: 4.00 % → none" in answer.text
    # 64.8 + 4
    assert "= 68.80 %" in answer.text


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"percent_2": "much"}, "percent-2", "Write the percent as a number, or qs for the line that fills up."),
        ({"percent_2": "101"}, "percent-2", "The percent must lie from 0 to 100."),
        ({"percent_2": "0.00005"}, "percent-2", "Amounts go in steps of 0.0001 %; round this one."),
        ({"percent_2": "nan"}, "percent-2", "The percent must lie from 0 to 100."),
        ({"percent_2": "qs"}, "percent-2", "Another line fills up already; only one can."),
        # Petrolatum 15 -> 90: 64.8 - 75 = -10.2
        ({"percent_4": "90"}, "percent-1", "The other lines are 10.20 % above 100 %; lower one."),
        ({"percent_10": "3"}, "ingredient-10", "Name the ingredient, or empty the amount too."),
        ({"ph": ""}, "ph", "O/W cream holds water: enter the target pH."),
        ({"ph": "acid"}, "ph", "'ph' must be a number."),
        ({"batch_g": "0"}, "batch_g", "'batch g' must lie from 1 to 10000."),
        ({"vehicle": "bathtub"}, "vehicle", "Choose one from the list."),
        ({"container": "bathtub"}, "container", "Choose one from the list."),
    ],
)  # fmt: skip
def test_wrong_input_is_told_beside_its_field(
    clinician: Visitor, changes: dict[str, str], field: str, sentence: str
) -> None:
    # Rows as printed: 1 water (qs), 2 glycerin, 3 niacinamide, 4 petrolatum.
    answer = clinician.check(PATIENT, **changes)
    assert answer.status_code == 422
    assert problem_of(answer.text, field) == sentence
    assert said(answer.text).startswith("Not checked: ")
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)


def test_an_unknown_ingredient_names_close_ones(clinician: Visitor) -> None:
    answer = clinician.check(PATIENT, ingredient_10="niacinamid oil", percent_10="1")
    assert answer.status_code == 422
    assert "is not an ingredient that biflora knows; the closest names are" in problem_of(
        answer.text, "ingredient-10"
    )


def test_this_patients_allergy_stops_and_nobody_elses(clinician: Visitor) -> None:
    hers = clinician.check(PATIENT, **LANOLIN)
    assert re.search(r"<mark>new</mark> <strong>[^<]*</strong> [^<]*(?i:allerg)", hers.text)
    own = fields_of(hers.text)
    lines = "\n".join(
        f"{name} {percent}{'' if percent == 'qs' else ' %'}" for _, name, percent in own["rows"] if name
    )
    mine = clinician.check("/clinic/bench", pasted=f"Vehicle: O/W cream\npH 5.2\n{lines}", act="paste")
    assert mine.status_code == 200, said(mine.text)
    assert "rules about allergy, age, site, pregnancy and skin are not checked" in mine.text
    assert "allergic" not in mine.text


def test_the_pharmacists_order_carries_the_needs_too(pharmacist: Visitor, app: Any) -> None:
    path = order_bench(app)
    html = pharmacist.http.get(path).text
    assert "<dt>Allergies</dt><dd>lanolin</dd>" in html
    assert "0 new, 0 gone" in said(html)
    answer = pharmacist.check(path, **LANOLIN)
    assert "Must not be made as it stands" in said(answer.text)
    assert f'href="{path}"' in pharmacist.http.get(path.removesuffix("/bench")).text


def test_pasted_lines_that_cannot_be_read_are_kept_with_the_reason(pharmacist: Visitor) -> None:
    answer = pharmacist.check("/pharmacy/bench", pasted="Vehicle: O/W cream\nUrea ten percent", act="paste")
    assert answer.status_code == 422
    assert "line 2" in problem_of(answer.text, "pasted")
    assert "Urea ten percent</textarea>" in answer.text


def test_pasted_lines_without_a_vehicle_ask_for_it_and_the_list_answers(pharmacist: Visitor) -> None:
    pasted = "Urea 10 %\nPetrolatum ad 100 g"
    asked = problem_of(pharmacist.check("/pharmacy/bench", pasted=pasted, act="paste").text, "pasted")
    assert "which vehicle is it?" in asked
    assert "or choose it in the list above" in asked
    answer = pharmacist.check("/pharmacy/bench", pasted=pasted, act="paste", vehicle="hydrocarbon_ointment")
    # 100 - 10
    assert "= 90.00 %" in answer.text
    assert fields_of(answer.text)["vehicle"] == "hydrocarbon_ointment"


def test_the_empty_bench_complains_of_nothing(pharmacist: Visitor) -> None:
    html = pharmacist.http.get("/pharmacy/bench").text
    assert said(html) == "Nothing to check yet: enter ingredients, or paste them."
    assert re.findall(r'class="error small"[^>]*>([^<]+)<', html) == []
    assert 'aria-invalid="true"' not in html
    assert problem_of(pharmacist.check("/pharmacy/bench").text, "lines") == (
        "Enter at least one ingredient with its percent."
    )


def test_nothing_is_kept(clinician: Visitor, app: Any) -> None:
    store = app.state.clinic.store
    before, orders = store.kinds_by_patient(), store.orders()
    assert clinician.check(PATIENT, **LANOLIN).status_code == 200
    assert store.kinds_by_patient() == before
    assert store.orders() == orders
    assert '<th scope="row">Lanolin' in clinician.check(PATIENT, **LANOLIN).text
    assert '<th scope="row">Lanolin' not in clinician.http.get("/clinic/patients/demo-001").text


def test_reading_a_patients_values_is_noted_and_typing_is_not(clinician: Visitor, app: Any) -> None:
    store = app.state.clinic.store
    token = clinician.token(PATIENT)
    head = store.audit_head()
    clinician.http.post(PATIENT, data={"form_token": token}, headers={"x-bench": "live"})
    assert store.audit_head() == head
    clinician.http.get(PATIENT)
    assert store.audit_head() != head


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("patient", PATIENT),
        ("patient", "/clinic/bench"),
        ("patient", "/pharmacy/bench"),
        ("pharmacist", PATIENT),
        ("clinician", "/pharmacy/bench"),
    ],
)
def test_the_bench_opens_for_its_role_only(app: Any, role: str, path: str) -> None:
    visitor = Visitor(app, role)
    assert visitor.http.get(path).status_code == 403
    assert visitor.http.post(path, data={"form_token": visitor.token("/")}).status_code == 403


def test_a_form_from_elsewhere_is_refused(clinician: Visitor) -> None:
    assert clinician.http.post(PATIENT, data={"form_token": "0" * 64}).status_code == 403


def test_a_patient_who_is_not_there_is_a_sentence(clinician: Visitor) -> None:
    answer = clinician.http.get("/clinic/patients/nobody/bench")
    assert answer.status_code == 422
    assert "There is no plan of a patient of that number" in answer.text


def test_every_field_of_the_page_is_filled() -> None:
    """The page's contract: the template reads these, and a typed formula says the same as its formula."""
    assert {each.name for each in fields(BenchPage)} >= {
        "here", "back", "whose", "needs", "rows", "given", "problems", "choices", "status", "sheet", "gone",
    }  # fmt: skip


def test_what_is_shown_reads_back_as_the_same_formula() -> None:
    import pharmacy_sample

    formula = pharmacy_sample.cream(CREAM)
    reading = read_typed(typed_formula(formula, batch_g=100), formula)
    assert reading.formula is not None
    assert reading.problems == {}
    assert {(x.ingredient, x.ppm, x.phase) for x in reading.formula.lines} == {
        (x.ingredient, x.ppm, x.phase) for x in formula.lines
    }
    assert check_formula(reading.formula) == check_formula(formula)
    assert all(isinstance(row, BenchRow) for row in reading.typed.rows)


def test_only_what_is_about_something_else_is_new() -> None:
    def found(rule: str, subject: str, message: str) -> Finding:
        return Finding(level="warn", rule=rule, subject=subject, message=message, who=Who.CHEMISTRY)

    kept, at_four = found("a", "urea", "as before"), found("b", "urea", "urea at 4 %")
    at_five, other = found("b", "urea", "urea at 5 %"), found("b", "zinc", "zinc at 5 %")
    three, four = found("c", "x, y, z", "3 of them"), found("c", "w, x, y, z", "4 of them")
    # The same rule about the same thing with another amount is the same finding; another subject is not.
    assert compare((kept, at_four, three), (kept, at_five, other, four)) == ((other,), ())
    assert compare((kept, at_four), (kept,)) == ((), (at_four,))

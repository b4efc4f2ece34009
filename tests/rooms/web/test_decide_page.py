"""The decision on the page: no approval while a flag stands unanswered, and the answers appear afterwards."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plan"))
import made_up

from biflora.clinic.access import Role, add_user
from biflora.clinic.consult import Consultation
from biflora.clinic.decide import decision_of
from biflora.clinic.intake import keep_new_patient
from biflora.plan.make_plan import make_plan
from biflora.store.store import Store
from biflora.twin.forecast import Arm
from biflora.web.app import create_app

WEEK12: dict[Arm, float] = {"standard_care": 40, "oral": 20, "topical": 36, "combination": 19}
FOUND = "No pus, no fever; dry & clean."
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Clinic:
    def __init__(self, app: Any) -> None:
        self.store: Store = app.state.clinic.store
        self.http = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        self.post("/login/demo", {"username": "clinician"}, page="/")

    def post(self, path: str, data: dict[str, Any], *, page: str) -> Any:
        found = TOKEN.search(self.http.get(page).text)
        assert found is not None
        return self.http.post(path, data={"form_token": found.group(1), **data})

    def approve(self, patient: str, **data: str) -> Any:
        return self.post(f"/clinic/patients/{patient}/approve", data, page="/clinic/new")


def small_clinic(folder: Path) -> str:
    """Two made-up patients, one with two flags that ask and one with a stop; the address of the database."""
    url = f"sqlite:///{folder / 'clinic.sqlite'}"
    store = Store(url)
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("A1", {"skin_integrity": "excoriated", "immune_status": "unknown"}),
        ("A2", {"signs": ["punched_out_erosions"]}),
    )
    for start, (patient_id, changes) in enumerate(cases, 50):  # equal forecasts would be one record
        profile = made_up.profile(made_up.patient(patient_id=patient_id, **changes))
        foreseen = made_up.forecast(WEEK12, start=start)
        keep_new_patient(
            store, Consultation(profile=profile, forecast=foreseen, plan=make_plan(profile, foreseen)), by="demo"
        )
    add_user(
        store, username="clinician", display_name="Dr Dana Demo", role=Role.CLINICIAN, licence_number="DEMO-0001",
        licence_state="OR", password="demo-clinic-password", demo=True, by="demo",
    )  # fmt: skip
    store.close()
    return url


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    app = create_app(small_clinic(tmp_path), tmp_path)
    yield Clinic(app)
    app.state.clinic.store.close()


def test_unanswered_flags_refuse_name_what_is_missing_and_keep_what_was_typed(clinic: Clinic) -> None:
    answer = clinic.approve("A1", arm="oral", note="", **{"answer.excoriated": FOUND})
    assert answer.status_code == 422
    assert "Answer these red flags before you approve: immune_status_unknown" in answer.text
    assert 'value="No pus, no fever; dry &amp; clean."' in answer.text
    assert decision_of(clinic.store, "A1") is None
    short = {"answer.excoriated": FOUND, "answer.immune_status_unknown": "ok"}
    assert clinic.approve("A1", arm="oral", **short).status_code == 422
    assert decision_of(clinic.store, "A1") is None


def test_answers_appear_on_page_report_and_data(clinic: Clinic) -> None:
    answers = {"answer.excoriated": FOUND, "answer.immune_status_unknown": "Asked: none known, no such treatment."}
    assert clinic.approve("A1", arm="oral", **answers).status_code == 200
    for path in ("", "/report.html"):
        text = clinic.http.get(f"/clinic/patients/A1{path}").text
        assert "No pus, no fever; dry &amp; clean." in text, path
        assert "Dr Dana Demo" in text, path
    assert "waits for a clinician" not in clinic.http.get("/clinic/patients/A1/report.html").text
    kept = clinic.http.get("/clinic/patients/A1/plan.json").json()["decision"]
    assert kept["arm"] == "oral"
    assert {a["flag"]: a["found"] for a in kept["answers"]}["excoriated"] == FOUND


def test_a_stop_offers_no_approval_and_takes_none(clinic: Clinic) -> None:
    page = clinic.http.get("/clinic/patients/A2").text
    assert "/approve" not in page
    assert "Nothing is proposed while a red flag stands." in page
    answer = clinic.approve(
        "A2", arm="standard_care", **{"answer.eczema_herpeticum_erosions": "Seen; it is fine."}
    )
    assert answer.status_code == 422
    assert "A red flag stops this plan." in answer.text
    assert decision_of(clinic.store, "A2") is None
    assert clinic.http.get("/clinic/patients/A2/plan.json").json()["decision"] is None


def test_each_flag_stands_once_with_its_question(clinic: Clinic) -> None:
    page = clinic.http.get("/clinic/patients/A1").text
    decide = page[page.index('id="decide"') : page.index('class="patient-grid"')]
    assert decide.count("The skin is scratched open in places.") == 1
    assert decide.count("What was found?") == 2


def test_the_form_reads_laboratory_values_with_their_unit(clinic: Clinic) -> None:
    """1.2 ng/mL of TARC is 1,200 pg/mL; 400 kU/L of IgE is 400 IU/mL."""
    given = {"age_years": "31", "condition": "atopic_dermatitis", "height_cm": "170", "weight_kg": "70",
             "lab_tarc": "1.2 ng/mL", "lab_total_ige": "400 kU/L", "immune_status": "normal"}  # fmt: skip
    answer = clinic.post("/clinic/new", given, page="/clinic/new")
    assert answer.status_code == 200
    person = next(p for p in clinic.store.patients() if p.patient_id not in ("A1", "A2"))
    assert person.laboratory.tarc_pg_per_ml == pytest.approx(1200)
    assert person.laboratory.total_ige_iu_per_ml == pytest.approx(400)
    assert person.height_cm == 170
    assert "1.2 ng/mL" in answer.text


def test_every_wrong_field_is_named_at_once_beside_it_and_stays(clinic: Clinic) -> None:
    given = {"age_years": "old", "condition": "acne", "pasi": "99", "lab_tarc": "much", "height_cm": "17",
             "lab_total_ige": "5 apples"}  # fmt: skip
    answer = clinic.post("/clinic/new", given, page="/clinic/new")
    assert answer.status_code == 422
    for name in ("age_years", "pasi", "lab_tarc", "lab_total_ige", "height_cm"):
        assert f'id="{name}-problem"' in answer.text, name
        assert f'href="#{name}"' in answer.text, name
    for value in ("old", "99", "much", "5 apples", "17"):
        assert f'value="{value}"' in answer.text, value
    assert "&#39;PASI&#39; must lie from 0 to 72." in answer.text
    assert "&#39;TARC (CCL17)&#39; must be a number with its unit" in answer.text
    assert len(clinic.store.patients()) == 2


@pytest.mark.parametrize("condition", ["acne", "psoriasis", "rosacea", "seborrhoeic_dermatitis", "scalp_hair"])
def test_each_condition_has_its_own_score_on_the_form(clinic: Clinic, condition: str) -> None:
    from biflora.knowledge.instruments import instruments

    text = clinic.http.get("/clinic/new").text
    own = [key for key, row in instruments().items() if condition in row.severity_of]
    assert own
    for key in own:
        assert f'name="{key}"' in text

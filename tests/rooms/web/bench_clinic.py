"""A clinic with one made-up patient, allergic to lanolin, whose formula is the pharmacy's made-up cream."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "papers"))
import sample

import pharmacy_sample
from biflora.clinic.access import Role, add_user
from biflora.clinic.consult import Consultation
from biflora.clinic.intake import keep_new_patient
from biflora.dispensary.order import receive
from biflora.formula.check import check_formula
from biflora.formula.formula import Formula, Impossible
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs
from biflora.store.store import Store

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
CREAM = {key: part for key, part in pharmacy_sample.CREAM.items() if key != "hydrocortisone"}
"""Percent and phase; purified water fills up to 100: 100 - 35.2 = 64.8 %."""
NEEDS = Needs(
    condition=Condition.ATOPIC_DERMATITIS,
    needs=(Need(effect=Effect.BARRIER_REPAIR, weight=1, confidence=1),),
    age_years=34,
    sites=(BodySite.ARMS,),
    allergies=("lanolin",),
    pregnancy="no",
    immune_status="normal",
)


def clinic(folder: Path, formula: Formula | Impossible | None = None) -> str:
    """The database's address; the plan holds NEEDS, and one order of the cream waits in the pharmacy."""
    url = f"sqlite:///{folder / 'biflora.sqlite'}"
    store = Store(url)
    forecast = sample.forecast()
    plan = sample.plan(parents=(forecast.id,), needs=NEEDS)
    made = formula or pharmacy_sample.cream(CREAM)
    made = made.model_copy(update={"parent_ids": (plan.id,)})
    if isinstance(made, Formula):
        made = made.model_copy(update={"findings": check_formula(made, NEEDS)})
    keep_new_patient(
        store, Consultation(profile=sample.profile(), forecast=forecast, plan=plan, formula=made), by="demo"
    )
    for role in (Role.CLINICIAN, Role.PHARMACIST, Role.PATIENT):
        add_user(
            store, username=role.value, display_name=f"Demo {role.value}", role=role, patient_id="demo-001",
            password="demo-clinic-password", demo=True, by="demo",
        )  # fmt: skip
    signed = pharmacy_sample.signed(
        pharmacy_sample.cream(CREAM), patient_id="demo-001", patient_name="Synthetic Sample"
    )
    with store.act("clinician", "prescription signed") as act:
        act.keep(signed, kind="prescription", patient_id="demo-001")
        act.keep_order(receive(signed, pharmacy_sample.SIGNED_AT, "demo"), patient_id="demo-001")
    store.close()
    return url


class Visitor:
    """A browser without scripts, logged in as one role."""

    def __init__(self, app: Any, role: str) -> None:
        self.http = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        self.http.post("/login/demo", data={"username": role, "form_token": self.token("/")})

    def token(self, path: str) -> str:
        found = TOKEN.search(self.http.get(path).text)
        assert found is not None
        return found[1]

    def check(self, path: str, **changes: Any) -> Any:
        """Open the bench, change what is named (`percent_2="5"`), press a button (`act`), and send the form."""
        fields = fields_of(self.http.get(path).text)
        rows = {number: list(cells) for number, *cells in fields.pop("rows")}
        for name, value in changes.items():
            kind, _, number = name.rpartition("_")
            if kind in ("ingredient", "percent"):
                rows.setdefault(number, ["", ""])[kind == "percent"] = value
            else:
                fields[name] = value
        data = {
            **fields,
            "line": list(rows),
            "ingredient": [cells[0] for cells in rows.values()],
            "percent": [cells[1] for cells in rows.values()],
        }
        return self.http.post(path, data=data)


def fields_of(html: str) -> dict[str, Any]:
    """What a browser would send of the bench's form."""
    form = html[html.index('<form id="bench"') : html.index("</form>", html.index('<form id="bench"'))]
    fields: dict[str, Any] = {}
    for name in ("form_token", "ph", "batch_g"):
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', form)
        value = re.search(r'value="([^"]*)"', field[0]) if field else None
        fields[name] = value[1] if value else ""
    for name in ("vehicle", "preservative_system", "container", "condition"):
        found = re.search(rf'name="{name}"[^>]*>(.*?)</select>', form, re.DOTALL)
        chosen = re.search(r'<option value="([^"]*)" selected', found[1]) if found else None
        fields[name] = chosen[1] if chosen else ""
    numbers, names, percents = (
        re.findall(rf'name="{name}"[^>]*?value="([^"]*)"', form) for name in ("line", "ingredient", "percent")
    )
    fields["rows"] = list(zip(numbers, names, percents, strict=True))
    return fields


def problem_of(html: str, field: str) -> str:
    """What stands beside that field."""
    found = re.search(rf'id="{field}-problem"[^>]*>(.*?)</p>', html, re.DOTALL)
    assert found is not None, field
    return found[1].replace("&#39;", "'")


def said(html: str) -> str:
    """The answer in a sentence."""
    found = re.search(r'id="said-words">(.*?)</span>', html, re.DOTALL)
    assert found is not None
    return found[1].replace("&#39;", "'")


def row_named(html: str, ingredient: str) -> str:
    """Number of the row that holds that ingredient."""
    return next(number for number, name, _ in fields_of(html)["rows"] if name == ingredient)

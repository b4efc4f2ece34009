"""Who may open which page: every route times every role, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from biflora.clinic import access
from biflora.store.store import Store, now
from biflora.web.pages import clinician, intake, landing, papers, patient, pharmacist, researcher

MODULES = (landing, clinician, intake, papers, patient, pharmacist, researcher)
EVERYBODY = {"/", "/login", "/login/demo", "/logout"}
ROLES = ("clinician", "pharmacist", "patient", "researcher")


def allowed_roles(path: str) -> set[str]:
    """The matrix, as data: which roles a path is for."""
    if path in EVERYBODY:
        return {*ROLES, "nobody"}
    if path.startswith("/papers/"):
        return {"pharmacist"} if path.endswith("worksheet.pdf") else {"clinician", "pharmacist"}
    for start, role in (
        ("/clinic", "clinician"),
        ("/pharmacy", "pharmacist"),
        ("/me", "patient"),
        ("/research", "researcher"),
    ):
        if path.startswith(start):
            return {role}
    raise AssertionError(f"{path} is not in the matrix: say who may open it")


def routes() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for route in module.pages.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods):
                yield method, route.path


def address(path: str, store: Store) -> str:
    """The path with real numbers of a synthetic patient, so that a refusal is one of role and not of absence."""
    ((_, order),) = store.orders(patient_id="P01")
    values = {"patient_id": "P01", "order_id": order.id, "prescription_id": order.prescription_id,
              "evidence_id": "none", "place": "1"}  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_every_route_opens_for_its_roles_only(browser: Any, app: Any, role: str) -> None:
    if role != "nobody":
        browser.enter_as(role)
    for method, path in routes():
        if path in EVERYBODY:
            continue
        where = address(path, app.state.clinic.store)
        if method == "GET":
            answer = browser.http.get(where, follow_redirects=False)
        else:
            answer = browser.http.post(
                where, data={"form_token": browser.token()} if role == "nobody" else {}, follow_redirects=False
            )
        if role == "nobody":
            assert (answer.status_code, answer.headers.get("location")) in ((303, "/"), (403, None)), path
            assert "Exemplar" not in answer.text
        elif role in allowed_roles(path):
            # A POST without the form's token is refused even to the right role (403 with its own sentence).
            assert (answer.status_code == 403) == (method == "POST"), (path, answer.status_code)
            assert "Your role" not in answer.text
        else:
            assert answer.status_code == 403, (role, path, answer.status_code)
            assert "Exemplar" not in answer.text.split("<main", 1)[-1]


@pytest.mark.parametrize("path", ["/login/demo", "/logout", "/clinic/patients/P04/approve", "/me/check-in"])
def test_a_post_without_this_sessions_token_is_refused(browser: Any, app: Any, path: str) -> None:
    browser.enter_as("clinician")
    for token in ({}, {"form_token": "0" * 64}, {"form_token": access.csrf_token("somebody else's session")}):
        answer = browser.http.post(path, data=token, follow_redirects=False)
        assert answer.status_code == 403
    assert browser.get("/clinic").status_code == 200, "still logged in: nothing happened"


def test_a_patient_sees_herself_only(browser: Any) -> None:
    browser.enter_as("patient")
    page = browser.get("/me")
    assert "Ines" in page.text
    assert "Otto" not in page.text
    for other in ("/clinic/patients/P04", "/clinic/patients/P01", "/clinic/patients/P04/report.html"):
        assert browser.get(other).status_code == 403


def test_the_researcher_sees_no_name(browser: Any) -> None:
    browser.enter_as("researcher")
    for path in ("/research", "/research/cohort.csv"):
        text = browser.get(path).text
        assert "P01" in text
        assert not re.search(r"Ines|Exemplar|Otto|Fictus", text)


def test_the_cookie_is_out_of_reach(browser: Any) -> None:
    answer = browser.post("/login/demo", {"username": "clinician"}, follow_redirects=False)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("biflora_session="))
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


def test_headers_on_every_answer(browser: Any) -> None:
    for path in ("/", "/clinic", "/nowhere", "/static/web.css", "/healthz"):
        answer = browser.http.get(path, follow_redirects=False)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        if not path.startswith("/static"):
            assert answer.headers["cache-control"] == "no-store"


def test_a_request_that_is_too_large_is_refused_before_it_is_read(browser: Any) -> None:
    answer = browser.http.post("/clinic/new", content=b"x", headers={"content-length": str(10**9)})
    assert answer.status_code == 413


def test_log_out_ends_the_session_on_the_server(browser: Any) -> None:
    browser.enter_as("clinician")
    cookie = browser.http.cookies["biflora_session"]
    browser.post("/logout")
    browser.http.cookies.set("biflora_session", cookie)
    assert browser.http.get("/clinic", follow_redirects=False).status_code == 303
    assert "Your session has ended" in browser.get("/clinic").text


@pytest.mark.parametrize(
    ("role", "later", "alive"),
    [
        ("clinician", timedelta(minutes=14), True),
        ("clinician", timedelta(minutes=16), False),
        ("patient", timedelta(minutes=29), True),
        ("patient", timedelta(minutes=31), False),
        ("clinician", timedelta(hours=12, minutes=1), False),
    ],
)
def test_sessions_end(app: Any, role: str, later: timedelta, alive: bool) -> None:
    store = app.state.clinic.store
    token = access.log_in_demo(store, role)
    assert (access.who_is(store, token, at=now() + later) is not None) == alive


def test_a_busy_session_still_ends_after_twelve_hours(app: Any) -> None:
    store, begun = app.state.clinic.store, now()
    token = access.log_in_demo(store, "clinician")
    for minutes in range(10, 12 * 60, 10):
        assert access.who_is(store, token, at=begun + timedelta(minutes=minutes)) is not None
    assert access.who_is(store, token, at=begun + timedelta(hours=12, minutes=5)) is None


def test_passwords(app: Any, browser: Any) -> None:
    store = app.state.clinic.store
    assert access.log_in(store, "clinician", "wrong") is None
    assert access.log_in(store, "nobody at all", "wrong") is None
    assert access.log_in(store, "clinician", "demo-clinic-password") is not None
    assert access.hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert browser.post("/login", {"username": "clinician", "password": "wrong"}).status_code == 401


EXTERNAL = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", re.IGNORECASE)


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        (
            "clinician",
            [
                "/",
                "/clinic",
                "/clinic/new",
                "/clinic/patients/P01",
                "/clinic/patients/P06",
                "/clinic/patients/P01/microbiome",
            ],
        ),
        ("pharmacist", ["/pharmacy"]),
        ("patient", ["/me", "/me/check-in", "/me/check-in/thanks"]),
        ("researcher", ["/research", "/research/evidence", "/research/knowledge"]),
    ],
)
def test_no_page_asks_anything_of_another_machine(browser: Any, role: str, paths: list[str]) -> None:
    browser.enter_as(role)
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert not EXTERNAL.search(answer.text), path
        assert " style=" not in answer.text, path
        assert "<style" not in answer.text, path


def test_the_health_page_answers(browser: Any) -> None:
    assert browser.get("/healthz").json()["status"] == "ok"

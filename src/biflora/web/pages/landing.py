"""The entrance: what this is, and who comes in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from biflora.clinic.access import demo_users, log_in, log_in_demo, log_out, user_named
from biflora.clinic.opening import Clinic
from biflora.web.contexts import Landing
from biflora.web.render import page
from biflora.web.security import (
    SESSION_COOKIE,
    VISIT_COOKIE,
    AnyClinic,
    Form,
    current_user,
    session_token,
    set_cookie,
    text,
)

pages = APIRouter()

HOME = {"clinician": "/clinic", "pharmacist": "/pharmacy", "patient": "/me", "researcher": "/research"}


@pages.get("/")
def landing(request: Request, clinic: AnyClinic) -> Response:
    ended = bool(session_token(request)) and current_user(request) is None
    return page(request, "landing.html", c=_landing(clinic, ended=ended), home=HOME, problem="")


def _landing(clinic: Clinic, *, ended: bool = False) -> Landing:
    return Landing(demo_users=demo_users(clinic.store), patients=len(clinic.store.patients()), session_ended=ended)


@pages.post("/login")
def login(request: Request, clinic: AnyClinic, form: Form) -> Response:
    token = log_in(clinic.store, text(form, "username"), text(form, "password"))
    if token is None:
        problem = "Name and password do not fit together; try again, or ask the person who runs this clinic."
        return page(request, "landing.html", status=401, c=_landing(clinic), home=HOME, problem=problem)
    return _enter(request, clinic, text(form, "username"), token)


@pages.post("/login/demo")
def demo_login(request: Request, clinic: AnyClinic, form: Form) -> Response:
    username = text(form, "username")
    return _enter(request, clinic, username, log_in_demo(clinic.store, username))


def _enter(request: Request, clinic: AnyClinic, username: str, token: str) -> Response:
    if session_token(request):
        log_out(clinic.store, session_token(request))
    user = user_named(clinic.store, username)
    response = RedirectResponse(HOME[user.role.value] if user else "/", status_code=303)
    set_cookie(response, request, SESSION_COOKIE, token)
    response.delete_cookie(VISIT_COOKIE)
    return response


@pages.post("/logout")
def logout(request: Request, clinic: AnyClinic, form: Form) -> Response:
    if current_user(request) is not None:
        log_out(clinic.store, session_token(request))
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    # The browser forgets the pages too: "back" after logging out shows nothing.
    response.headers["clear-site-data"] = '"cache"'
    return response

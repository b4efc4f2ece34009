"""What every answer carries and every request must: headers, session, form token, size."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biflora.clinic.access import Role, User, csrf_holds, csrf_token, require, who_is
from biflora.clinic.intake import LARGEST_FILE_BYTES, UploadedFile
from biflora.clinic.opening import Clinic
from biflora.errors import NotAllowed

SESSION_COOKIE = "biflora_session"
VISIT_COOKIE = "biflora_visit"
LARGEST_REQUEST_BYTES = 2 * LARGEST_FILE_BYTES + 1024 * 1024

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}


class Guard:
    """Adds the headers to every answer, refuses a request that is too large, and answers what broke.

    An error that nobody expected ends here and not in the server's log, which would print its message.
    """

    def __init__(self, app: ASGIApp, on_unexpected: Callable[[Request, Exception], Response]) -> None:
        self.app = app
        self.on_unexpected = on_unexpected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cache = b"public, max-age=3600" if scope["path"].startswith("/static/") else b"no-store"

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name, value) for name, value in message["headers"] if name.lower() != b"cache-control"]
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*given, *added, (b"cache-control", cache)]
            await send(message)

        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self.app(scope, receive, send_guarded)
        except Exception as problem:
            answer = await run_in_threadpool(self.on_unexpected, Request(scope), problem)
            await answer(scope, receive, send_guarded)


def _refusal(scope: Scope) -> Response | None:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not length.isdigit():
        return PlainTextResponse("Send the request with its length.", status_code=411)
    if int(length) > LARGEST_REQUEST_BYTES:
        limit = LARGEST_FILE_BYTES // 2**20
        return PlainTextResponse(
            f"The files are too large: at most {limit} MB each. Go back, and send this patient's sample alone.",
            status_code=413,
        )
    return None


def clinic_of(request: Request) -> Clinic:
    clinic: Clinic = request.app.state.clinic
    return clinic


def session_token(request: Request) -> str:
    return request.cookies.get(SESSION_COOKIE, "")


def current_user(request: Request) -> User | None:
    """Who is logged in; looked up once for each request."""
    if not hasattr(request.state, "user"):
        token = session_token(request)
        request.state.user = who_is(clinic_of(request).store, token) if token else None
    user: User | None = request.state.user
    return user


class NotLoggedIn(Exception):
    """Nobody is logged in: the browser is sent to the entrance."""


def role(*roles: Role) -> Callable[[Request], User]:
    """A dependency that lets only these roles in."""

    def allowed(request: Request) -> User:
        user = current_user(request)
        if user is None:
            raise NotLoggedIn
        return require(user, *roles)

    return allowed


def form_token(request: Request) -> str:
    """The token that this visitor's forms carry."""
    key = session_token(request) or request.cookies.get(VISIT_COOKIE, "") or getattr(request.state, "visit", "")
    if not key:
        key = request.state.visit = secrets.token_urlsafe(32)
    return csrf_token(key)


async def checked_form(request: Request) -> FormData:
    """The posted form. Raises NotAllowed when it does not carry this session's token."""
    form = await request.form(max_files=4, max_fields=200)
    key = session_token(request) or request.cookies.get(VISIT_COOKIE, "")
    given = form.get("form_token")
    if not key or not isinstance(given, str) or not csrf_holds(key, given):
        raise NotAllowed("This form is too old or did not come from this page; go back, load it again and resend.")
    return form


def set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    """A cookie that no script reads and no other site sends; it ends with the browser."""
    response.set_cookie(
        name, value, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )


def text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


async def checked_upload(request: Request) -> tuple[FormData, dict[str, UploadedFile]]:
    """The posted form and its files by field name; fields without a file are absent."""
    form = await checked_form(request)
    files = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and value.filename:
            files[name] = UploadedFile(Path(value.filename).name, await value.read(LARGEST_FILE_BYTES + 1))
    return form, files


Form = Annotated[FormData, Depends(checked_form)]
Upload = Annotated[tuple[FormData, dict[str, UploadedFile]], Depends(checked_upload)]
AnyClinic = Annotated[Clinic, Depends(clinic_of)]
Clinician = Annotated[User, Depends(role(Role.CLINICIAN))]
Pharmacist = Annotated[User, Depends(role(Role.PHARMACIST))]
PatientUser = Annotated[User, Depends(role(Role.PATIENT))]
Researcher = Annotated[User, Depends(role(Role.RESEARCHER))]
Staff = Annotated[User, Depends(role(Role.CLINICIAN, Role.PHARMACIST))]

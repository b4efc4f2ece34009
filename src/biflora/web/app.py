"""The application: rooms are wired here, rules live elsewhere."""

from __future__ import annotations

import logging
from importlib import resources
from pathlib import Path
from traceback import extract_tb

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from biflora import __version__
from biflora.clinic.opening import open_clinic
from biflora.errors import BifloraError, NotAllowed, OperatorMust
from biflora.web.pages import clinician, intake, landing, papers, patient, pharmacist, researcher
from biflora.web.render import page
from biflora.web.security import Guard, NotLoggedIn

log = logging.getLogger("biflora.web")

STATIC = {
    "web.css": "text/css; charset=utf-8",
    "biflora.css": "text/css; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
    "formula.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}


def create_app(store_url: str | None = None, data_folder: Path = Path("biflora-data")) -> FastAPI:
    """The clinic's pages over the database `store_url` (else BIFLORA_DATABASE, else SQLite in `data_folder`)."""
    app = FastAPI(title="biflora", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.clinic = open_clinic(data_folder, store_url=store_url)
    app.add_middleware(Guard, on_unexpected=_unexpected)
    for module in (landing, clinician, intake, papers, pharmacist, patient, researcher):
        app.include_router(module.pages)
    app.add_api_route("/healthz", healthz, methods=["GET"])
    app.add_api_route("/static/{name}", static_file, methods=["GET"])
    app.add_exception_handler(NotLoggedIn, _to_the_entrance)
    app.add_exception_handler(BifloraError, _plain_error)
    app.add_exception_handler(HTTPException, _http_error)
    return app


def healthz(request: Request) -> dict[str, str]:
    """Whether the pages and their database answer."""
    request.app.state.clinic.store.audit_head()
    return {"status": "ok", "version": __version__}


def static_file(name: str) -> Response:
    """One of the few files that the pages need; there is no other way to a file."""
    if name not in STATIC:
        raise HTTPException(404)
    package = "biflora.papers" if name == "biflora.css" else "biflora.web"
    folder = "assets" if name == "biflora.css" else "static"
    return Response((resources.files(package) / folder / name).read_bytes(), media_type=STATIC[name])


def _to_the_entrance(request: Request, problem: Exception) -> Response:
    return RedirectResponse("/", status_code=303)


def _plain_error(request: Request, problem: Exception) -> Response:
    """One of ours: a sentence for the person who must act."""
    status = 403 if isinstance(problem, NotAllowed) else 500 if isinstance(problem, OperatorMust) else 422
    who = problem.who if isinstance(problem, BifloraError) else ""
    return page(request, "problem.html", status=status, title="This did not work", message=str(problem), who=who)


def _http_error(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    message = "There is no such page." if status == 404 else "The request cannot be answered in this form."
    return page(request, "problem.html", status=status, title="Not found" if status == 404 else "Not possible",
                message=message, who="")  # fmt: skip


def _unexpected(request: Request, problem: Exception) -> Response:
    # Type and place alone are logged: a message could hold a patient's values.
    places = [
        f"{frame.name} in {Path(frame.filename).name}:{frame.lineno}"
        for frame in extract_tb(problem.__traceback__)
    ]
    log.error("unexpected %s: %s", type(problem).__name__, " < ".join(reversed(places[-6:])))
    return page(
        request, "problem.html", status=500, title="Something broke",
        message="biflora met an error that it does not know; nothing was changed. Tell the person who runs it.",
        who="the operator",
    )  # fmt: skip

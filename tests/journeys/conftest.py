"""A small clinic with synthetic patients, for the journeys: one the whole way, one in review, one stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from biflora.clinic.demo import seed_demo
from biflora.store.store import Store

ROLES = ("clinician", "pharmacist", "patient", "researcher")
CSRF = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Browser:
    """A visitor without scripts: follows redirects, keeps cookies, sends the form's token."""

    def __init__(self, app: Any) -> None:
        self.http = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    def get(self, path: str) -> Any:
        return self.http.get(path)

    def token(self, page: str = "/") -> str:
        found = CSRF.search(self.http.get(page).text)
        assert found is not None, f"no form on {page}"
        return found.group(1)

    def post(self, path: str, data: dict[str, Any] | None = None, *, page: str = "/", **more: Any) -> Any:
        return self.http.post(path, data={"form_token": self.token(page), **(data or {})}, **more)

    def enter_as(self, role: str) -> Browser:
        answer = self.post("/login/demo", {"username": role})
        assert answer.status_code == 200
        return self


@pytest.fixture(scope="session")
def clinic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    store = Store(f"sqlite:///{folder / 'biflora.sqlite'}")
    seed_demo(store, folder, only={"P01", "P04", "P06"})
    store.close()
    return folder


@pytest.fixture(scope="session")
def app(clinic_folder: Path) -> Iterator[Any]:
    from biflora.web.app import create_app

    application = create_app(f"sqlite:///{clinic_folder / 'biflora.sqlite'}", clinic_folder)
    yield application
    application.state.clinic.store.close()


@pytest.fixture
def browser(app: Any) -> Browser:
    return Browser(app)

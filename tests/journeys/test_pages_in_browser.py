"""The pages in a real browser: accessibility, width, no console error, no request to another machine."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("BIFLORA_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; install it or set BIFLORA_CHROMIUM"
)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The pages on a free port of this machine, as long as it is asked for."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True


@pytest.fixture(scope="module")
def address(app: Any) -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def paths_of(role: str | None, store: Any) -> list[str]:
    orders = [f"/pharmacy/orders/{order.id}" for _, order in store.orders()]
    return {
        None: ["/"],
        "clinician": ["/clinic", "/clinic/new", "/clinic/patients/P01", "/clinic/patients/P06",
                      "/clinic/patients/P01/report.html", "/clinic/patients/P01/microbiome"],
        "pharmacist": ["/pharmacy", *orders],
        "patient": ["/me", "/me/check-in", "/me/check-in/thanks"],
        "researcher": ["/research", "/research/evidence", "/research/knowledge"],
    }[role]  # fmt: skip


# Each theme once and each width once: contrast depends on the theme, layout on the width.
@pytest.mark.parametrize(("theme", "width"), [("light", 360), ("dark", 1280)])
def test_every_page_can_be_used_by_everybody(
    chromium: Any, address: str, app: Any, theme: str, width: int
) -> None:
    """No violation of WCAG 2.1 A and AA (axe), nothing wider than the screen, nothing fetched elsewhere."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    problems: list[str] = []
    for role in (None, "clinician", "pharmacist", "patient", "researcher"):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else problems.append(r.url))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.goto(address)
        if role:
            page.click(f"form:has(input[value={role}]) button")
        for path in paths_of(role, app.state.clinic.store):
            answer = page.goto(address + path)
            where = f"{path} at {width} px, {theme}"
            if answer is None or answer.status != 200:
                problems.append(f"{where}: status {answer and answer.status}")
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wider > 0:
                problems.append(f"{where}: {wider} px wider than the screen")
            for violation in axe.run(page, options=RULES).response["violations"]:
                problems.append(f"{where}: {violation['id']}: {violation['nodes'][0]['html'][:120]}")
        context.close()
    assert problems == []


def test_a_prescription_by_keyboard_alone(chromium: Any, address: str) -> None:
    """The keys shown on the page work, and each acts only on what has the focus."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.focus("form:has(input[value=clinician]) button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clinic")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.className") == "open"
    page.keyboard.press("Enter")
    page.wait_for_url("**/clinic/patients/*")
    page.keyboard.press("3")
    assert page.url.endswith("#propose")
    first = page.url.split("#")[0]
    page.keyboard.press("n")
    page.wait_for_url(lambda url: "/clinic/patients/" in url and not url.startswith(first))
    context.close()


def test_a_check_in_on_a_telephone(chromium: Any, address: str, app: Any) -> None:
    """Four pages, one question each; the answers arrive as an outcome and no address ever holds one."""
    from biflora.clinic.review import outcomes_of

    store = app.state.clinic.store
    before = len(outcomes_of(store, "P01"))
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    addresses: list[str] = []
    page.on("request", lambda r: addresses.append(r.url))
    page.goto(address)
    page.click("form:has(input[value=patient]) button")
    page.click("text=Check in")
    page.click("button:has-text('Next')")
    assert page.locator("[role=alert]").inner_text() == "Choose a number from 0 to 10."
    for choice in ("input[name=itch][value='3']", "input[name=use][value=most]", "input[name=event][value=no]"):
        page.check(choice)
        page.click("button:has-text('Next')")
    assert "4 of 4" in page.content()
    page.click("button:has-text('Send')")
    page.wait_for_url("**/thanks")
    outcomes = outcomes_of(store, "P01")
    assert len(outcomes) == before + 1
    assert outcomes[-1].adherence_percent == 80.0
    assert not any("?" in visited for visited in addresses)
    context.close()

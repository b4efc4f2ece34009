"""The bench with scripts: it answers while one types, keeps the focus, and nothing else of the page moves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_pages_in_browser import ARGUMENTS, CHROMIUM, RULES

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "rooms" / "web"))
from bench_clinic import clinic

PATH = "/clinic/patients/demo-001/bench"

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; install it or set BIFLORA_CHROMIUM"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import uvicorn

    from biflora.web.app import create_app

    folder = tmp_path_factory.mktemp("bench")
    app = create_app(clinic(folder), folder)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    running.join(timeout=10)
    app.state.clinic.store.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def open_bench(chromium: Any, address: str, **context: Any) -> tuple[Any, list[str]]:
    page = chromium.new_context(**context).new_page()
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.goto(address)
    page.click("form:has(input[value=clinician]) button")
    page.wait_for_url("**/clinic")
    page.goto(address + PATH)
    return page, problems


def wait_for(page: Any, place: str, words: str) -> None:
    page.wait_for_function(
        "([place, words]) => document.getElementById(place).textContent.includes(words)", arg=[place, words]
    )


def test_it_answers_while_one_types_and_keeps_the_focus(chromium: Any, address: str) -> None:
    page, problems = open_bench(chromium, address)
    page.evaluate("window.still = document.getElementById('bench')")
    # Rows as printed: 1 water (qs), 2 glycerin 7 %, 3 niacinamide 4 %. 64.8 - 3 = 61.8.
    page.focus("#percent-2")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("10")
    wait_for(page, "fills-1", "= 61.80 %")
    wait_for(page, "answer", "Glycerin: 7.00 % → 10.00 %")
    assert page.evaluate("document.activeElement.id") == "percent-2"
    assert page.evaluate("window.still === document.getElementById('bench')"), "the form itself stays"
    assert page.get_attribute("p.said", "aria-live") == "polite"
    # Half a number is told beside its field and mends itself.
    page.keyboard.type("x")
    wait_for(page, "percent-2-problem", "Write the percent as a number")
    assert page.get_attribute("#percent-2", "aria-invalid") == "true"
    page.keyboard.press("Backspace")
    wait_for(page, "percent-2-problem", "")
    page.wait_for_function("() => !document.getElementById('percent-2').hasAttribute('aria-invalid')")
    # Removing a line needs no new page either.
    page.click("tr:has(#percent-3) button")
    wait_for(page, "answer", "Niacinamide: 4.00 % → none")
    # A line typed into the empty one brings another empty one.
    rows = page.locator("#lines tr").count()
    page.fill("#ingredient-10", "Urea")
    page.fill("#percent-10", "5")
    wait_for(page, "answer", "Urea: none → 5.00 %")
    assert page.locator("#lines tr").count() == rows + 1
    assert page.get_attribute("#ingredient-11", "aria-describedby") == "ingredient-11-problem"
    assert problems == []
    page.context.close()


def test_only_the_last_question_is_answered(chromium: Any, address: str) -> None:
    """A slow answer to an earlier question never overwrites the later one."""
    page, _ = open_bench(chromium, address)
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/bench", hold_the_first)
    with page.expect_request("**/bench"):
        page.fill("#percent-2", "11")
    page.fill("#percent-2", "12")
    wait_for(page, "answer", "Glycerin: 7.00 % → 12.00 %")
    held[0].continue_()
    page.wait_for_timeout(1500)
    assert "7.00 % → 12.00 %" in page.inner_text("#answer")
    assert page.get_attribute("#answer", "aria-busy") is None
    page.context.close()


def test_without_scripts_the_button_does_the_same(chromium: Any, address: str) -> None:
    page, _ = open_bench(chromium, address, java_script_enabled=False)
    page.fill("#percent-2", "10")
    page.press("#percent-2", "Enter")
    assert page.text_content("#fills-1") == "= 61.80 %"
    page.click("tr:has(#percent-3) button")
    assert "Niacinamide: 4.00 % → none" in (page.text_content("#answer") or "")
    page.context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 360), ("dark", 900), ("light", 1400)])
def test_the_bench_can_be_used_by_everybody(chromium: Any, address: str, theme: str, width: int) -> None:
    """No violation of WCAG 2.1 A and AA (axe), with and without an answer; nothing wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    page, problems = open_bench(chromium, address, viewport={"width": width, "height": 800}, color_scheme=theme)
    found: list[str] = []
    for path in (PATH, "/clinic/bench", "/clinic/patients/demo-001"):
        page.goto(address + path)
        if path == PATH:
            page.fill("#percent-3", "25")
            page.fill("#ph", "acid")
            wait_for(page, "ph-problem", "must be a number")
            page.fill("#ph", "9")
            wait_for(page, "answer", "pH: 5.2 → 9")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{path}: {wider} px wider than the screen"] if wider > 0 else []
        for violation in Axe().run(page, options=RULES).response["violations"]:
            found.append(f"{path}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
    assert found + problems == []
    page.context.close()

"""Approving a plan without a mouse: an unanswered flag holds the form back, the arrows choose, Enter approves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "rooms" / "web"))
from test_decide_page import small_clinic
from test_pages_in_browser import ARGUMENTS, CHROMIUM, RULES, serving

from biflora.clinic.decide import decision_of
from biflora.web.app import create_app

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; install it or set BIFLORA_CHROMIUM"
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    application = create_app(small_clinic(tmp_path), tmp_path)
    yield application
    application.state.clinic.store.close()


def test_a_plan_is_approved_by_keyboard_alone_once_every_flag_is_answered(app: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    store = app.state.clinic.store
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
        page.goto(address)
        page.focus("form:has(input[value=clinician]) button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/clinic")
        page.goto(f"{address}/clinic/patients/A1")
        button = page.locator("#approve").bounding_box()
        assert button is not None
        assert button["y"] + button["height"] <= 768, "what is decided lies below the fold of a laptop"
        assert Axe().run(page, options=RULES).response["violations"] == []

        page.keyboard.press("a")
        page.keyboard.press("Enter")
        first, second = (page.locator("input[name^='answer.']").nth(place) for place in (0, 1))
        assert page.evaluate("document.activeElement.name") == first.get_attribute("name")
        assert decision_of(store, "A1") is None

        page.keyboard.type("Asked: no such treatment.")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == second.get_attribute("name")
        page.keyboard.type("Looked: clean and dry.")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "oral"
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.value") != "oral"
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        page.wait_for_url("**#done")
        assert "Looked: clean and dry." in page.inner_text("#decide")
        browser.close()
    decision = decision_of(store, "A1")
    assert decision is not None
    assert decision.arm == "oral"
    assert len(decision.answers) == 2

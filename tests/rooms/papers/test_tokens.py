"""The stylesheet holds the look's tokens, and every pair that is read has contrast enough in both themes."""

from __future__ import annotations

import re

import pytest

from biflora.papers.report import asset
from biflora.papers.tokens import DARK, LIGHT

CSS = asset("biflora.css")
TEXT = ("ink", "quiet", "skin", "gut", "both", "care", "stop", "warn", "ok")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_arithmetic_of_contrast() -> None:
    # black on white is 21 by definition; #767676 on white is WCAG's well-known 4.54
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("token", TEXT)
def test_text_is_readable_on_paper(theme: dict[str, str], token: str) -> None:
    assert contrast(theme[token], theme["paper"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_buttons_are_readable(theme: dict[str, str]) -> None:
    assert contrast(theme["paper"], theme["ink"]) >= 4.5
    assert contrast(theme["paper"], theme["stop"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_of_charts_stand_out_from_paper(theme: dict[str, str]) -> None:
    for token in ("skin", "gut", "both", "care", "ink", "quiet"):
        assert contrast(theme[token], theme["paper"]) >= 3


def declared(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", block))


def test_the_stylesheet_holds_the_same_tokens() -> None:
    assert declared(CSS[: CSS.index("@media")]) == LIGHT
    by_system = CSS[CSS.index("prefers-color-scheme: dark") : CSS.index(':root[data-theme="dark"] {')]
    by_choice = CSS[CSS.index(':root[data-theme="dark"] {') : CSS.index("/* Text */")]
    assert declared(by_system) == DARK
    assert declared(by_choice) == DARK


def test_the_stylesheet_asks_for_nothing_outside() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "@font-face" not in CSS

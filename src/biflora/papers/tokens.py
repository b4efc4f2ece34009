"""The colours of look.md by name, for light and for dark; the stylesheet holds the same (a test compares)."""

from __future__ import annotations

import re

from biflora.twin.forecast import Arm

LIGHT: dict[str, str] = {
    "paper": "#fbfaf7",
    "ink": "#1d2320",
    "rule": "#d9d6cd",
    "quiet": "#5f6762",
    "skin": "#b5532a",
    "gut": "#0b6e63",
    "both": "#5b3f94",
    "care": "#5c6670",
    "stop": "#a11d33",
    "warn": "#8a5a00",
    "ok": "#2b6a35",
}
DARK: dict[str, str] = {
    "paper": "#141816",
    "ink": "#e8ebe6",
    "rule": "#2e3531",
    "quiet": "#a3aca6",
    "skin": "#f0a07a",
    "gut": "#5cc9b6",
    "both": "#b7a0ea",
    "care": "#a9b4be",
    "stop": "#f28b9b",
    "warn": "#e3b45c",
    "ok": "#86cf92",
}
ARM_TOKEN: dict[Arm, str] = {"standard_care": "care", "oral": "gut", "topical": "skin", "combination": "both"}
SITE_TOKEN = {"skin": "skin", "gut": "gut"}

SCREEN_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
PRINT_FONT = "Libertinus Serif"
"""The face that Typst carries inside, so that a paper looks the same on every machine."""

_VARIABLE = re.compile(r"var\(--([a-z]+)\)")
_LITERAL = re.compile("|".join(LIGHT.values()), re.IGNORECASE)
_BY_VALUE = {value: name for name, value in LIGHT.items()}


def var(token: str) -> str:
    """The CSS reference to a token, so that a drawing follows the reader's theme."""
    return f"var(--{token})"


def with_variables(svg: str) -> str:
    """The drawing with every literal light colour replaced by its CSS variable."""
    return _LITERAL.sub(lambda found: var(_BY_VALUE[found.group().lower()]), svg)


def with_literals(svg: str) -> str:
    """The drawing with every CSS variable replaced by its literal light colour, for paper and download."""
    return _VARIABLE.sub(lambda found: "#ffffff" if found[1] == "paper" else LIGHT[found[1]], svg)

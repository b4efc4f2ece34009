"""The plan told to two readers: the clinician with numbers and sources, the patient in plain words.

The patient's words promise nothing and alarm nobody; their reading grade is measured (`readability.py`).
"""

from __future__ import annotations

from typing import Literal

from biflora.plan.plan import Plan
from biflora.plan.readability import reading_level
from biflora.profile.profile import Profile
from biflora.twin.forecast import Arm, Forecast
from biflora.values import Value


class Paragraph(Value):
    heading: str
    sentences: tuple[str, ...]


class Explanation(Value):
    """Paragraphs for one reader, with how hard they are to read (headings not counted)."""

    reader: Literal["clinician", "patient"]
    paragraphs: tuple[Paragraph, ...]
    reading_grade: float
    """Flesch-Kincaid, years of school in the USA."""
    smog_grade: float

    @property
    def text(self) -> str:
        """Everything without headings, a line per paragraph."""
        return "\n".join(" ".join(p.sentences) for p in self.paragraphs)


def for_clinician(plan: Plan, profile: Profile, forecast: Forecast) -> Explanation:
    """Numbers with 80 % intervals, and the source of each."""
    from biflora.plan.explain_clinician import paragraphs

    return explained("clinician", paragraphs(plan, profile, forecast))


def for_patient(plan: Plan, profile: Profile, forecast: Forecast, decided: Arm | None = None) -> Explanation:
    """Plain words for a reader of twelve: what is known and not, what to do, when to call, who does what next.

    `decided`: the arm that was decided on; None: the words speak of the proposal.
    """
    from biflora.plan.explain_patient import paragraphs

    return explained("patient", paragraphs(plan, profile, forecast, decided))


def explained(reader: Literal["clinician", "patient"], told: tuple[Paragraph, ...]) -> Explanation:
    """The paragraphs with their measured grades; empty ones are left out."""
    kept = tuple(paragraph for paragraph in told if paragraph.sentences)
    level = reading_level("\n".join(" ".join(p.sentences) for p in kept))
    return Explanation(reader=reader, paragraphs=kept, reading_grade=level.flesch_kincaid, smog_grade=level.smog)

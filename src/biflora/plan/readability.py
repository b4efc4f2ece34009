"""How hard a text is to read, measured: Flesch-Kincaid grade and SMOG grade.

Kincaid 1975 (Navy Research Branch Report 8-75) and McLaughlin 1969 (J Reading 12:639). Both count syllables;
here by rules of English spelling, so that a grade may differ from another program's by some tenths.
"""

from __future__ import annotations

import math
import re
from functools import cache

from biflora.values import Value

LONG_WORD = 3
"""Syllables from which SMOG counts a word as long."""
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n+")
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?|\d+(?:[.,]\d+)*%?")
_VOWELS = re.compile(r"[aeiouy]+")
_SPLIT = re.compile(
    r"(?<![ctsgxl])i[aou]|ie(?=t)|(?<![ctsgx])ie(?=n[ct])|(?<![gp])eo(?!u)|(?<![qg])ua|uou|(?<=[fr])ue(?=l)"
    r"|(?<=[lr])ui(?=[dn])|(?<=[a-z])y[aeiou]|[aeiouy]ing$|(?<=cr)ea(?=t[ie])"
)
"""Two vowels that are spoken apart."""
_SILENT_E = re.compile(
    r"(?<=[a-z])(?<![aeiouy])(?<!(?<=[^aeiouy])l)e$|(?<![td])ed$"
    r"|(?<=[^aeioucsxzg])(?<![cs]h)(?<!(?<=[^aeiouy])l)es$|ely$|eless$|eful$"
)
"""An e at the end, or before an ending, that is not spoken."""
SYLLABLES = {
    "eczema": 3, "acne": 2, "area": 3, "areas": 3, "idea": 3, "every": 2, "everyday": 3, "different": 2,
    "something": 2, "someone": 2, "sometimes": 2, "one": 1, "once": 1, "science": 2, "create": 2, "real": 1,
    "really": 2, "clothes": 1, "business": 2, "does": 1, "shoes": 1, "medicine": 3, "poem": 2, "evening": 2,
    "bowel": 2, "towel": 2, "safety": 2, "hundred": 2, "movement": 2, "statement": 2, "sacred": 2, "naked": 2,
    "reaction": 3, "businessman": 3, "valuable": 3, "forecast": 2, "forecasts": 2, "tongue": 1, "lion": 2,
    "poet": 2, "being": 2, "doing": 2, "going": 2, "rosacea": 3, "evenly": 3,
}  # fmt: skip
"""Words that the rules get wrong or that stand often in what patients read."""
_DIGITS = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1)


class ReadingLevel(Value):
    """Grades are years of school in the USA: a 12-year-old is in grade 6 or 7."""

    sentences: int
    words: int
    syllables: int
    long_words: int
    flesch_kincaid: float
    smog: float


def reading_level(text: str) -> ReadingLevel:
    """Grades of a text; zeros for one without words.

    FK = 0.39 words/sentence + 11.8 syllables/word - 15.59; SMOG = 1.0430 sqrt(30 long/sentences) + 3.1291.
    """
    parts = [words for part in _SENTENCE_END.split(text) if (words := _WORD.findall(part))]
    words = [word for part in parts for word in part]
    if not words:
        return ReadingLevel(sentences=0, words=0, syllables=0, long_words=0, flesch_kincaid=0.0, smog=0.0)
    counts = [syllables(word) for word in words]
    long_words = sum(count >= LONG_WORD for count in counts)
    grade = 0.39 * len(words) / len(parts) + 11.8 * sum(counts) / len(words) - 15.59
    smog = 1.0430 * math.sqrt(30.0 * long_words / len(parts)) + 3.1291
    return ReadingLevel(
        sentences=len(parts), words=len(words), syllables=sum(counts), long_words=long_words,
        flesch_kincaid=round(grade, 2), smog=round(smog, 2),
    )  # fmt: skip


@cache
def syllables(word: str) -> int:
    """Spoken syllables of one word or number, at least one."""
    plain = word.casefold().replace("’", "").replace("'", "")
    if plain in SYLLABLES:
        return SYLLABLES[plain]
    if plain[0].isdigit():
        return _of_number(plain)
    if plain.endswith("s") and plain[:-1] in SYLLABLES:
        return SYLLABLES[plain[:-1]]
    body = _SILENT_E.sub(lambda found: {"ely": "ly", "eless": "less", "eful": "ful"}.get(found[0], ""), plain)
    count = len(_VOWELS.findall(body)) + len(_SPLIT.findall(body))
    return max(count, 1)


def _of_number(text: str) -> int:
    """As spoken: ones and teens by their names, tens with their ones, more digit by digit."""
    percent = 2 if text.endswith("%") else 0
    digits = text.rstrip("%")
    if digits.isdigit() and int(digits) < 100:
        return _below_hundred(int(digits)) + percent
    return sum(_DIGITS[int(each)] if each.isdigit() else 1 for each in digits) + percent


def _below_hundred(number: int) -> int:
    if number < 10:
        return _DIGITS[number]
    if number < 20:
        return (1, 3, 1, 2, 2, 2, 2, 3, 2, 2)[number - 10]
    tens = 3 if number // 10 == 7 else 2
    return tens + (_DIGITS[number % 10] if number % 10 else 0)

"""Reading grades: the published formulas by hand, syllables by the dictionary, another program on known texts."""

from __future__ import annotations

import math

import pytest

from biflora.plan.readability import reading_level, syllables

GETTYSBURG = (
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in "
    "Liberty, and dedicated to the proposition that all men are created equal. Now we are engaged in a great "
    "civil war, testing whether that nation, or any nation so conceived and so dedicated, can long endure. We are "
    "met on a great battlefield of that war. We have come to dedicate a portion of that field, as a final resting "
    "place for those who here gave their lives that that nation might live. It is altogether fitting and proper "
    "that we should do this."
)
BY_THE_DICTIONARY = {
    1: "the years used once changed washed scratched bathes whole tongue guess quick nurse sure chance",
    2: "nation special social patient treated changes tables washes sizes player beyond fluid cruel language "
    "people trial diet quiet doctor itching breathing bowel steroid measured forecast lotion useless safely",
    3: "serious previous reaction usual created eczema period family allergy pharmacy area medium publishing "
    "wonderful",
    4: "experience society variety bacteria psoriasis emergency information education vegetables altogether",
    5: "readability",
}


@pytest.mark.parametrize(
    ("count", "word"),
    [(n, w) for n, words in BY_THE_DICTIONARY.items() for w in words.split()],
)
def test_syllables_are_the_dictionarys(count: int, word: str) -> None:
    assert syllables(word) == count


def test_the_formulas_by_hand() -> None:
    """11 words, 2 sentences, 11 syllables, none long: 0.39 x 5.5 + 11.8 x 1 - 15.59 = -1.645; SMOG 3.1291.

    textstat 0.7.3 gives -1.7 for it.
    """
    level = reading_level("The cat sat on the mat. It was a fine day.")
    assert (level.words, level.sentences, level.syllables, level.long_words) == (11, 2, 11, 0)
    assert level.flesch_kincaid == pytest.approx(-1.645, abs=0.006)
    assert level.smog == pytest.approx(3.13)
    # one word of three syllables in one sentence of four words with 1 + 3 + 1 + 1 = 6 syllables
    level = reading_level("The family was glad.")
    assert level.flesch_kincaid == pytest.approx(0.39 * 4 + 11.8 * 6 / 4 - 15.59, abs=0.006)
    assert level.smog == pytest.approx(1.0430 * math.sqrt(30) + 3.1291, abs=0.006)


def test_a_known_text_agrees_with_another_program() -> None:
    """textstat 0.7.3 (pyphen) measured on it: 102 words, 5 sentences, 9 long words, FK 8.9, SMOG 10.8.

    It hyphenates and so finds 140 syllables; the dictionary has some more.
    """
    level = reading_level(GETTYSBURG)
    assert (level.words, level.sentences, level.long_words) == (102, 5, 9)
    assert level.flesch_kincaid == pytest.approx(8.9, abs=0.5)
    assert level.smog == pytest.approx(10.8, abs=0.1)


def test_lines_and_questions_end_sentences_and_numbers_are_spoken() -> None:
    assert reading_level("One line\nanother line").sentences == 2
    assert reading_level("Are you well? Yes! Good.").sentences == 3
    assert reading_level("The dose is 2.5 g.").sentences == 1
    assert [syllables(n) for n in ("1", "7", "11", "12", "20", "77", "50%")] == [1, 2, 3, 1, 2, 5, 4]


def test_no_words_no_grade() -> None:
    assert reading_level(" .. ").flesch_kincaid == 0.0

"""The container's label: black on white, one page, with its GS1 DataMatrix."""

from __future__ import annotations

from biflora.dispensary.batch import Label
from biflora.papers import datamatrix
from biflora.papers.pharmacy_words import DEMO, day
from biflora.papers.typeset import typeset


def label_pdf(label: Label) -> bytes:
    """The label as PDF, 102 mm wide and as high as its text needs (76 mm at least); equal input, equal bytes.

    Raises PharmacistMust when the GS1 element string breaks a GS1 rule.
    """
    data = label.model_dump(mode="json") | {
        "beyond_use": day(label.beyond_use),
        "matrix": datamatrix.svg(label.gs1),
        "matrix_mm": datamatrix.printed_mm(label.gs1),
        "elements": label.gs1.replace("(", "\u200b(").strip("\u200b").split("\u200b"),
        "demo": DEMO if label.synthetic else "",
    }
    return typeset("label.typ", data)

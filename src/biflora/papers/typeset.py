"""Typesetting: a template of ours and plain data become a PDF; equal input gives equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from biflora.errors import OperatorMust

LAST_OWN_GLYPH = "\u05ff"
"""The fonts inside the typesetter cover Latin, Greek, Cyrillic and Hebrew, up to this character."""
SIGNS = "–—‘’“”•…€°±×≤≥≈→■▲○□☐✓ℓ²³ßẞ\u2009\u00a0\u202f−"


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """PDF of `papers/templates/<template>` with `data` (JSON types only) as its `sys.inputs.data`.

    The data are parsed as JSON inside the template and placed as text, so that nothing a person wrote is ever
    read as typesetting code. The document carries no clock. The machine's own fonts are looked at only for
    scripts that the typesetter's fonts do not hold. Raises OperatorMust when the template cannot be set.
    """
    import typst

    text = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    try:
        pdf: bytes = typst.compile(
            template_source(template).encode(),
            format="pdf",
            ignore_system_fonts=all(char <= LAST_OWN_GLYPH or char in SIGNS for char in text),
            sys_inputs={"data": text},
            timestamp=0,
        )
    except typst.TypstError as problem:
        raise OperatorMust(
            f"The paper template '{template}' could not be set: {problem.message}. "
            "Install biflora again, or report it."
        ) from None
    return pdf


@cache
def template_source(name: str) -> str:
    """Text of a file in `papers/templates`."""
    return (resources.files("biflora.papers") / "templates" / name).read_text(encoding="utf-8")

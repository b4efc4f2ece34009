"""The GS1 DataMatrix: an element string as a square of modules, drawn as SVG."""

from __future__ import annotations

import re

from biflora.errors import PharmacistMust

MODULE_MM = 0.5
"""Edge of one module: four dots of a 203 dpi label printer, so that the edges stay sharp."""
LEAST_MM = 10.0
QUIET_MODULES = 2
"""Empty modules around the symbol; the standard asks for one."""


def modules(elements: str) -> tuple[tuple[bool, ...], ...]:
    """The symbol's modules by row, True is black. `elements` is written with brackets: (01)...(17)...

    Raises PharmacistMust when the elements break a GS1 rule (a wrong check digit, date or character).
    """
    import zint

    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.DATAMATRIX
    symbol.input_mode = zint.InputMode.GS1
    symbol.option_3 = zint.DataMatrixOptions.SQUARE
    symbol.warn_level = zint.WarningLevel.FAIL_ALL
    try:
        symbol.encode(re.sub(r"\((\d{2,4})\)", r"[\1]", elements))
    except (RuntimeError, ValueError) as problem:
        raise PharmacistMust(
            f"The label's GS1 element string cannot be encoded ({problem}); mend the lot or serial number."
        ) from None
    packed = symbol.encoded_data
    return tuple(
        tuple(bool(packed[row, column // 8] >> (column % 8) & 1) for column in range(symbol.width))
        for row in range(symbol.rows)
    )


def printed_mm(elements: str) -> float:
    """Edge of the printed drawing with its quiet zone; the symbol alone measures at least 10 mm."""
    count = len(modules(elements))
    module = max(MODULE_MM, LEAST_MM / count)
    return module * (count + 2 * QUIET_MODULES)


def svg(elements: str) -> str:
    """The symbol with its quiet zone: one path of black squares on white, one unit for a module."""
    grid = modules(elements)
    side = len(grid) + 2 * QUIET_MODULES
    path = "".join(
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h1v1h-1z"
        for y, row in enumerate(grid)
        for x, black in enumerate(row)
        if black
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )

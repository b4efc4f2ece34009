"""What one feasible formula has less than another, in words."""

from __future__ import annotations

from biflora.formula.candidates import Choices
from biflora.formula.design import Found
from biflora.formula.formula import MILLION
from biflora.formula.shelf import Shelf
from biflora.knowledge.checking import effects

LEAST_LOSS = 0.005
"""Benefit points that print as 0.01."""
LEAST_USD = 0.05


def gives_up(best: Found, other: Found, choices: Choices, shelf: Shelf) -> str:
    """One plain sentence: what `other` has less than `best`, and what it has instead."""
    place = "" if other.vehicle == best.vehicle else f"{shelf.vehicles[other.vehicle].label} instead: "
    losses = losses_of(best, other, choices) or ["it gives up nothing that the model counts"]
    sentence = f"{place}{'; '.join(losses)}{swap(best, other, shelf)}."
    return sentence[0].upper() + sentence[1:]


def losses_of(best: Found, other: Found, choices: Choices) -> list[str]:
    """What speaks against `other`, aim by aim, each as a clause; empty when nothing does."""
    lost = [effects()[effect].label for effect in best.serving if effect not in other.serving]
    loss = best.reached.benefit - other.reached.benefit
    clauses: list[str] = []
    if lost:
        clauses.append(f"it does not serve {' and '.join(lost)}")
    if loss > LEAST_LOSS:
        clauses.append(f"it gives up {loss:.2f} of {best.reached.benefit:.2f} benefit points")
    if other.reached.risk > best.reached.risk:
        clauses.append(f"its risk is higher ({other.reached.risk} against {best.reached.risk} points)")
    dearer = usd_per_100g(other, choices) - usd_per_100g(best, choices)
    if dearer > LEAST_USD:
        clauses.append(f"it costs about {dearer:.2f} USD more per 100 g")
    more = len(other.amounts_ppm) - len(best.amounts_ppm)
    if more > 0:
        clauses.append(f"it holds {more} more ingredient{'s' if more > 1 else ''}")
    return clauses


def swap(best: Found, other: Found, shelf: Shelf) -> str:
    """`, without A, with B`: the actives that differ; empty when none do."""
    names = shelf.ingredients
    drops, adds = sorted(best.actives - other.actives), sorted(other.actives - best.actives)
    without = f", without {', '.join(names[key].name for key in drops)}" if drops else ""
    return without + (f", with {', '.join(names[key].name for key in adds)}" if adds else "")


def usd_per_100g(found: Found, choices: Choices) -> float:
    """Materials for 100 g, USD."""
    return sum(
        choices.ingredients[key].usd_per_gram * amount * 100 / MILLION for key, amount in found.amounts_ppm.items()
    )

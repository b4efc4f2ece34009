"""Which column of which table names the rows of another table."""

from __future__ import annotations

from typing import NamedTuple


class Link(NamedTuple):
    """Every entry of `table.column` is a key of `target`, or a prefixed word such as `class:<klass>`."""

    table: str
    column: str
    target: str
    prefix: str = ""
    """A prefix that is also allowed, e.g. `class:`; what follows is a value of `prefix_column` in the target."""
    prefix_column: str = ""


LINKS = (
    Link("ingredients", "incompatible_with", "ingredients"),
    Link("ingredients", "allergen_groups", "allergens"),
    Link("ingredient_effects", "ingredient", "ingredients"),
    Link("ingredient_effects", "effect", "effects"),
    Link("ingredient_effects", "conditions", "conditions"),
    Link("vehicles", "gelling", "ingredients"),
    Link("vehicles", "sites", "site_limits"),
    Link("vehicles", "conditions", "conditions"),
    Link("vehicles", "bud_rule_preserved", "beyond_use_rules"),
    Link("vehicles", "bud_rule_unpreserved", "beyond_use_rules"),
    Link("vehicles", "dosage_form", "iid_dosage_forms"),
    Link("preservative_parts", "system", "preservative_systems"),
    Link("preservative_parts", "ingredient", "ingredients"),
    Link("incompatibilities", "a", "ingredients", "class:", "klass"),
    Link("incompatibilities", "b", "ingredients", "class:", "klass"),
    Link("incompatibilities", "unless_any", "ingredients", "class:", "klass"),
    Link("allergens", "cross_reacts_with", "allergens"),
    Link("strength_limits", "ingredient", "ingredients", "class:", "klass"),
    Link("strength_limits", "sites", "site_limits"),
    Link("strength_limits", "conditions", "conditions"),
    Link("fda_iid_topical", "ingredient", "ingredients"),
    Link("one_of_a_kind", "members", "ingredients"),
    Link("needed_beside", "for_vehicles", "vehicles", "kind:", "kind"),
    Link("needed_beside", "for_ingredients", "ingredients"),
    Link("needed_beside", "any_of", "ingredients"),
    Link("amount_ratios", "a", "ingredients"),
    Link("amount_ratios", "b", "ingredients"),
    Link("gel_strengths", "gelling", "ingredients"),
    Link("solubilities", "ingredient", "ingredients"),
    Link("solubilities", "solvent", "ingredients", "class:", "klass"),
    Link("stability_rates", "ingredient", "ingredients"),
    Link("stability_rates", "beside", "ingredients"),
    Link("live_decay", "ingredients", "ingredients"),
    Link("protection_needs", "ingredient", "ingredients", "class:", "klass"),
    Link("water_binders", "ingredient", "ingredients"),
    Link("interactions", "ingredients", "ingredients", "class:", "klass"),
    Link("need_rules", "effect", "effects"),
    Link("need_rules", "conditions", "conditions"),
    Link("diet_advice", "conditions", "conditions"),
    Link("care_steps", "conditions", "conditions"),
    Link("measures", "conditions", "conditions"),
    Link("meanings", "conditions", "conditions"),
    Link("taxa", "guilds", "guilds"),
    Link("taxa", "not_guilds", "guilds"),
    Link("guilds", "within", "guilds"),
    Link("instrument_items", "instrument", "instruments"),
    Link("score_conversions", "instrument", "instruments"),
    Link("published_figures", "trial", "trial_designs"),
    Link("not_identified", "trial", "trial_designs"),
    Link("published_trials", "overlaps", "published_trials"),
    Link("published_arms", "trial", "published_trials"),
    Link("published_outcomes", "trial", "published_trials"),
    Link("published_outcomes", "arm", "published_arms"),
    Link("published_outcomes", "against", "published_arms"),
    Link("arm_certainty", "condition", "conditions"),
    Link("switch_rules", "conditions", "conditions"),
    Link("gut_screening", "conditions", "conditions"),
    Link("tried_doses", "trial", "oral_strains"),
    Link("balances", "above", "guilds"),
    Link("balances", "below", "guilds"),
    Link("index_taxa", "index", "index_definitions"),
    Link("laboratory_units", "quantity", "laboratory_quantities"),
    Link("laboratory_units", "reads_as", "laboratory_quantities"),
    Link("laboratory_units", "needs", "laboratory_quantities"),
    Link("laboratory_references", "quantity", "laboratory_quantities"),
    Link("condition_trials", "condition", "conditions"),
    Link("condition_effects", "condition", "conditions"),
    Link("arm_evidence", "condition", "conditions"),
)

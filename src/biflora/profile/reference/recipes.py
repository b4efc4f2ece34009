"""Ready-made references from files that a package or the operator provides."""

from __future__ import annotations

from pathlib import Path

from biflora.errors import NameAnother, OperatorMust
from biflora.knowledge.references import ReferenceRecipe, reference_recipes
from biflora.profile.reference.add import NewReference, add_reference
from biflora.profile.reference.library import Library, ReferenceCard


def recipe_named(key: str) -> ReferenceRecipe:
    """Raises NameAnother with the recipes there are."""
    recipes = reference_recipes()
    if key not in recipes:
        raise NameAnother(f"There is no recipe of that name; there are: {', '.join(recipes)}.")
    return recipes[key]


def build_reference(key: str, folder: Path, library: Library, *, replace: bool = False) -> ReferenceCard:
    """The recipe's reference from the files in `folder`. Raises OperatorMust naming the files that are missing."""
    recipe = recipe_named(key)
    folder = Path(folder)
    if not folder.is_dir():
        raise OperatorMust(
            f"--from must name the folder that holds {recipe.table_files[0]}; there is no such folder."
        )
    table = next((name for name in recipe.table_files if (folder / name).is_file()), recipe.table_files[0])
    needed = [name for name in (table, recipe.metadata_file, recipe.persons_file) if name]
    absent = [name for name in needed if not (folder / name).is_file()]
    if absent:
        raise OperatorMust(f"The folder does not hold {', '.join(absent)}. {recipe.get_it}")
    return add_reference(
        folder / table,
        folder / recipe.metadata_file,
        NewReference(
            name=recipe.key,
            label=recipe.label,
            site=recipe.site,
            assay=recipe.assay,
            profiler=recipe.profiler,
            body_site=recipe.body_site,
            body_site_column=recipe.body_site_column,
            age_column=recipe.age_column,
            age_unit=recipe.age_unit if recipe.age_column else "",
            person_column=recipe.person_column,
            order_column=recipe.order_column,
            sample_column=recipe.sample_column,
            where=recipe.where,
            group_column=recipe.group_column,
            healthy=recipe.healthy,
            all_healthy=not recipe.healthy and recipe.lesional is None,
            lesional=recipe.lesional,
            group=recipe.group,
            laboratory=recipe.laboratory,
            licence=recipe.licence,
            source=recipe.citation,
        ),
        library,
        persons=folder / recipe.persons_file if recipe.persons_file else None,
        replace=replace,
    )

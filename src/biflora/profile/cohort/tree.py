"""The rooted tree of a table's features, from a Newick file or a QIIME 2 artifact."""

from __future__ import annotations

from pathlib import Path

from biflora.errors import NameAnother
from biflora.profile.readers.qiime2 import Artifact

LARGEST_TREE = 100_000_000


def read_tree(path: Path) -> str:
    """The tree as Newick text. Raises NameAnother for what is no tree, LaboratoryMust for a damaged artifact."""
    named = path.name[:100]
    try:
        if path.stat().st_size > LARGEST_TREE:
            raise NameAnother(f"{named}: larger than 100 MB, so this is no tree of these features.")
        content = path.read_bytes()
        if content.startswith(b"PK"):
            artifact = Artifact(content, named)
            if not artifact.kind.startswith("Phylogeny[Rooted]"):
                raise NameAnother(
                    f"{named}: a QIIME 2 artifact, but no rooted tree (Phylogeny[Rooted]); name rooted-tree.qza."
                )
            content = artifact.read(artifact.data_file(".nwk"))
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NameAnother(f"{named}: the tree cannot be read as text; name a Newick file or a .qza.") from None

"""Opening the clinic: its store and its folder, as the pages and the terminal use them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biflora.store.store import Store


@dataclass(frozen=True)
class Clinic:
    """One clinic: where its values are kept and where its files lie."""

    store: Store
    folder: Path

    def note_read(self, who: str, what: str, record_id: str) -> None:
        """Write into the audit chain that somebody looked at a person's values, before they are shown."""
        with self.store.act(who, what) as act:
            act.note(what, record_id)


def open_clinic(folder: Path, *, store_url: str | None = None) -> Clinic:
    """The clinic in `folder`; its database is `store_url`, else BIFLORA_DATABASE, else SQLite in the folder."""
    store = Store(store_url) if store_url else Store.in_folder(folder)
    return Clinic(store, folder)

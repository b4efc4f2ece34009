"""Where the clinic's values are kept: SQLite by default, never edited, every write in an audit chain."""

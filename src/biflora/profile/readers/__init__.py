"""One reader per family of laboratory files; each gives a `LabTable`."""

"""Steps that ship with the runbook: one per file, named by the path that a book writes under ``uses``."""

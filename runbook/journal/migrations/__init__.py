"""Numbered SQL scripts; the n-th brings a journal to schema version n."""

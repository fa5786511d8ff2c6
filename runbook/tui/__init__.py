"""The terminal interface: one more client of the engine. It shows the view, submits commands and keeps nothing."""

"""Pure functions from a `RunView` to lines of text with roles. No widget, no clock, no I/O may come in here."""

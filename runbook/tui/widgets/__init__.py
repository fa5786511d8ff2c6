"""Widgets that draw what `present` made."""

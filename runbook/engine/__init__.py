"""The engine: drives a run's nodes through their states. It has no screen; clients submit commands and hear events."""

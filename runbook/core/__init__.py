"""Pure values of the runbook: no I/O and nothing outside the standard library may be imported here."""

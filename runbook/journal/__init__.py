"""The run's own record: append-only, hash-chained, one file per run. The only SQL in the runbook."""

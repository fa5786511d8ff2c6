"""runbook: an interactive, resumable runbook for Azure Private Link. Importing this imports nothing else."""

__version__ = "0.1.0"

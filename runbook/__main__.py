"""``python -m runbook`` is the same as ``runbook``."""

from runbook.cli.main import main

if __name__ == "__main__":
    main()

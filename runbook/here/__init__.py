"""What can be seen from this very machine, as a live run sees it. Importing this package imports nothing."""

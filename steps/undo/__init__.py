"""Taking back what another run made: the steps of a book that is made from that run's journal."""

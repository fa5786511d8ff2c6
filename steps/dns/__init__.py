"""Names: private zones, their links, entries in other people's DNS, and what a name resolves to."""

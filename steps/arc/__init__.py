"""What only Azure Arc-enabled servers have: edition, private link scope, machines and their association."""

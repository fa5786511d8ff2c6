"""Where a run works: subscriptions, rights, locks, resource groups."""

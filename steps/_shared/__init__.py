"""What steps of two domains or more need. Nothing here decides; it reads, compares and words."""

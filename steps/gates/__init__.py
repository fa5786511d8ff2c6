"""Places where only a person's word can end the wait."""

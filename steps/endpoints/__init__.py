"""Private endpoints and the DNS zone groups that belong to them."""

"""Azure Virtual Desktop: what it consists of, what of it is to be private, and what its agents and users notice."""

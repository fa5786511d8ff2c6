"""The virtual network around an endpoint: its way to the premises, its subnet, its outbound rules."""

"""One file per screen. A screen lays out and dispatches; what it shows comes from `present`."""

"""The simulated Azure on loopback HTTPS, for clients that know nothing of it: the Azure CLI, the SDKs, anything else.

``front`` answers requests and ``signin`` signs people in, both without a socket; ``folder`` is what a client needs to
find its way; ``server`` is the only part that listens.
"""

"""A simulated Azure Resource Manager: what a rehearsal runs against.

Never imports the client it is there to try out: a misreading of ARM would then be right on both sides.
"""

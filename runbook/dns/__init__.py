"""The DNS truth table: what each name must be, what each place answers, and why it differs.

``model`` holds the values, ``estate`` what Azure says, ``azure`` what Azure's resolver makes of that, ``judge`` the
verdicts, ``pasted`` and ``export`` the texts that people carry in and out. All of it is pure but ``reading``, which
reads ARM, and ``look``, which puts the reads together. Nothing here writes.
"""

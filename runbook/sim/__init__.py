"""A simulated Azure Resource Manager: what a rehearsal runs against.

Never imports the client it is there to try out: a misreading of ARM would then be right on both sides.

The way of a call: ``transport`` → ``cloud`` (due timers first) → ``pipeline`` (the checks ARM makes) → ``routes`` →
a handler in ``providers`` → ``state.commit`` → back. What ends later is an ``operations`` entry or a timer; ``hooks``
give both their names. ``scenario`` says what there is at the start, ``seeding`` makes it, ``parties`` act from
outside, ``faults`` go wrong.
"""

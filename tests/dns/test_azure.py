"""What is worked out from zones, links and records is what Azure's resolver, as simulated, really answers.

The two share no code: one reads ARM, the other looks into the simulated cloud's own store.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.dns.azure import seen_in
from runbook.dns.estate import names_of, wanted
from runbook.dns.model import Rule
from runbook.dns.reading import read_estate
from runbook.wiring import look_again
from tests.mistakes.table import Mistake, mistakes, plant

ROWS = [row for row in mistakes() if row.args == ("dns",) and not row.rehearse and not row.paste]


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_what_is_worked_out_is_what_a_lookup_gives(row: Mistake, finished: Path) -> None:
    plant(finished, row.start, row.patch)
    lookout = look_again(finished, row.start)
    compared = 0
    async with lookout.reading() as world:
        want = wanted(lookout.view)
        estate = await read_estate(world.arm, want)
        for name in names_of(want, estate):
            for id_ in want.networks:
                network = estate.network(id_)
                answer = await world.dns.resolve(name.fqdn, id_)
                assert answer is not None
                seen = seen_in(network, name, estate)
                if network.is_custom:
                    assert seen.rule is Rule.OK, "Azure itself is right; its servers are not"
                    continue
                told = seen.answer(name, network)
                is_public = bool(answer.addresses) and not answer.addresses[0].startswith("10.")
                assert (seen.rule is Rule.OK) == (answer.addresses == (name.address,)), (seen, answer)
                assert told.status == answer.status, (seen, answer)
                assert told.addresses == (() if is_public else tuple(sorted(answer.addresses))), (seen, answer)
                compared += 1
    assert compared or any(op.get("at") == "dhcpOptions.dnsServers" for op in row.patch)

"""Proves that every name resolves to the endpoint's address from every place that matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.step import Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.look import said
from steps._shared.lookups import Look, checks_of, diagnosis, look_up, place
from steps._shared.records import Record


class Resolution(Step):
    """A lookup of each name from each place.

    A wrong answer cannot be talked away; a place where this program cannot stand is attested.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, troubleshooting;
    "Set up Private Link with Azure Virtual Desktop", 2023-07-17, validation.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``vantages`` are virtual network ids, or ``on-premises``."""

        records: tuple[Record, ...]
        vantages: tuple[str, ...]

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        looks = await look_up(ctx.dns, p.records, p.vantages)
        wrong = [look for look in looks if look.answer is not None and not look.is_private]
        blind = list(dict.fromkeys(look.vantage for look in looks if look.answer is None))
        if wrong:
            return _fix(looks, wrong)
        checks = checks_of(looks)
        if blind and not ctx.attested:
            return self._ask(blind)
        if blind:
            checks.append(
                expect(f"names from {', '.join(map(place, blind))}", "private", said(ctx.attested[-1]), ok=True)
            )
        return Satisfied(checks, {"names": len(p.records), "places": [place(v) for v in p.vantages]})

    def _ask(self, blind: Sequence[str]) -> Waiting:
        lines = "\n".join(f"nslookup {r.fqdn}   must give {r.ip}" for r in self.params.records)
        return Waiting(
            who="you, to look from there",
            message=f"This machine cannot look names up as {' and '.join(map(place, blind))} would. Run the lines "
            "below on a "
            "machine there.",
            then="With your word the names count as proven.",
            draft=lines,
            attest=f"Looked up from {' and '.join(map(place, blind))}: every name gives its private address",
        )


def _fix(looks: Sequence[Look], wrong: Sequence[Look]) -> Waiting:
    reasons = list(dict.fromkeys(diagnosis(look) for look in wrong))
    return Waiting(
        who="DNS",
        message=f"{len(wrong)} of {len(looks)} lookups give something else. {' '.join(reasons[:4])}",
        then="The result is proven as soon as every name gives its private address.",
        poll=Poll(first_s=30, longest_s=1800),
        checks=checks_of(looks),
    )

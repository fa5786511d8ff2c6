"""An estate and its plan in a few lines, however large it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from runbook.step import Blocked, Check, expect
from steps._shared.look import name_of, same_region
from steps._shared.planned import Planned
from steps.avd._names import GOALS, Kind
from steps.avd._placing import Plan, Wish
from steps.avd._stock import NOUNS, Problem, Publication, Thing, few

MOST_PROBLEMS = 6
"""So many broken rules are told at once."""


def subnet_name(e: Planned) -> str:
    """Network and subnet, in lower case."""
    return f"{name_of(e.vnet)}/{name_of(e.subnet)}".lower()


def refused(problems: Sequence[Problem], checks: list[Check]) -> Blocked:
    """Every broken rule, as far as a screen takes them."""
    told = " ".join(f"{message}." for _, message in problems[:MOST_PROBLEMS])
    rest = len(problems) - MOST_PROBLEMS
    rules = sorted({rule for rule, _ in problems})
    return Blocked(
        problems[0][0],
        told + (f" And {rest} more of the kind." if rest > 0 else ""),
        (
            "Start a run whose inputs keep these rules.",
            "Make what is missing, or have a reader role assigned where it cannot be seen, then retry.",
        ),
        [expect("rules that the plan breaks", "none", rules), *checks],
    )


def picked_check(kind: Kind, picked: Sequence[Thing], every: Sequence[Thing], named: Sequence[str]) -> Check:
    """How many of those there are take part."""
    wish = f"the {len(named)} named" if named else "all"
    places = len({t.subscription for t in picked})
    where = "" if places < 2 else f" in {places} subscriptions"
    return expect(f"{NOUNS[kind]}s", wish, f"{len(picked)} of {len(every)}{where}", ok=True)


def plan_checks(wish: Wish, plan: Plan) -> list[Check]:
    """What is planned, and where."""
    goal = GOALS[wish.target]
    by_group = ", ".join(f"{len(plan.of(g))} {g}" for g in goal.groups) or "none"
    room = sum(e.members for e in plan.endpoints)
    checks = [expect("endpoints", goal.title, f"{by_group}; {room} addresses", ok=True)]
    by_subnet = Counter((subnet_name(e), e.location) for e in plan.endpoints)
    placed = [f"{name} in {where or 'an unknown region'}: {n}" for (name, where), n in sorted(by_subnet.items())]
    if placed:
        checks.append(expect("where they go", "region and subscription of the network", few(placed), ok=True))
    fixed = [e for e in plan.endpoints if e.static_addresses]
    if fixed:
        checks.append(expect("endpoints with fixed addresses", "one for each member", len(fixed), ok=True))
    if plan.unused:
        note = f"{few(sorted(set(plan.unused)))}: no endpoint in this scenario"
        checks.append(expect("entries without an endpoint", "left alone", note, ok=True))
    if wish.placeholder is not None:
        note = f"{wish.placeholder.name}; its public access is not set, as the service ignores it there"
        checks.append(expect("placeholder for the discovery", "a workspace of its own", note, ok=True))
    if wish.hosts:
        checks.append(_host_check(wish, plan))
    return checks


def _host_check(wish: Wish, plan: Plan) -> Check:
    unseen, away = [], []
    for e in plan.of("connection"):
        regions = wish.hosts.get(e.target, set())
        if not regions or "" in regions:
            unseen.append(e.name)
        if any(r and not same_region(r, e.location) for r in regions):
            away.append(e.name)
    observed = f"elsewhere for {few(away)}" if away else "as expected"
    if unseen:
        observed += f"; not seen, or no hosts yet: {few(unseen)}"
    return expect("region of the session hosts", "that of the connection endpoint", observed, ok=not away)


def access_checks(wish: Wish) -> list[Check]:
    """How open things are now and will be."""
    goal = GOALS[wish.target]
    rows: tuple[tuple[Kind, Sequence[Thing], str], ...] = (
        ("host_pool", wish.pools, goal.host_pool_access),
        ("workspace", wish.spaces, goal.workspace_access),
    )
    checks = []
    for kind, things, wanted in rows:
        now = Counter(t.access for t in things)
        told = ", ".join(f"{n} {value}" for value, n in sorted(now.items())) or "none"
        checks.append(expect(f"public access of {NOUNS[kind]}s", f"{wanted} in the end", f"{told} now", ok=True))
    return checks


def publication_checks(wish: Wish, published: Sequence[Publication]) -> list[Check]:
    """Findings: pools that nobody can reach, and desktops that cross the border of what was picked."""
    pools, spaces = ({t.id.lower(): t.name for t in things} for things in (wish.pools, wish.spaces))
    idle = [name for key, name in pools.items() if not any(p.host_pool == key for p in published)]
    out = {p.workspace for p in published if p.host_pool in pools and p.workspace and p.workspace not in spaces}
    into = {p.host_pool for p in published if p.workspace in spaces and p.host_pool not in pools}
    checks = [expect("host pools that publish nothing", "known", few(idle), ok=True)] if idle else []
    if out:
        found = few(sorted(name_of(i) for i in out))
        checks.append(expect("workspaces left out that show desktops of these host pools", "any", found, ok=True))
    if into:
        found = few(sorted(name_of(i) for i in into))
        checks.append(expect("host pools left out that these workspaces show", "any", found, ok=True))
    return checks


def counted(things: Sequence[Thing], noun: str) -> str:
    """A number with its noun."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"

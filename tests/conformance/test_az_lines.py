"""What a screen shows as an az line is, to the real Azure CLI, the write that the engine makes for the same change."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.conformance.az import Az
from tests.conformance.desk import Desk, served
from tests.conformance.differences import DIFFERENCES, apart
from tests.conformance.lines import Line, Way, Write, lines_of

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

ARC, AVD = "arc-private-link", "avd-private-link"
EDITIONS = [Way(ARC, "arc-preview"), Way(ARC, "arc-ga"), Way(AVD, "avd-preview"), Way(AVD, "avd-small")]
"""Both books in both editions."""
MORE = [
    Way(ARC, "arc-brownfield"),
    Way(ARC, "arc-trouble"),
    Way(ARC, "arc-ga", (("static_addresses", [f"10.20.1.{n}" for n in range(20, 27)]),)),
    Way(AVD, "avd-brownfield"),
    Way(AVD, "avd-trouble"),
    Way(AVD, "avd-small", (("restart_method", "vm"), ("udp", "keep"), ("deny_public_tag", True))),
]


def faults_of(line: Line, az: Az, desk: Desk) -> tuple[list[str], set[int]]:
    """Run a line in the cloud it was shown in; what is wrong with it, and which allowed differences were met."""
    desk.put_back(line)
    ran = az(*line.az[1:])
    if ran.rc:
        return [f"ended with {ran.rc}: {ran.err[-400:]}", *desk.refusals], set()
    if len(desk.writes) != 1:
        return [f"{len(desk.writes)} writes: {[(w.method, w.path) for w in desk.writes]}"], set()
    return apart(line.write, desk.writes[0])


@pytest.mark.parametrize("way", [*EDITIONS, *MORE], ids=str)
def test_every_az_line_makes_the_write_that_the_engine_makes(way: Way, az: Path, tmp_path: Path, whole: bool) -> None:
    if not whole and way not in EDITIONS:
        pytest.skip("only with --whole: hardly another form of line, but other names")
    every = lines_of(tmp_path, way)  # fails where a line is shown that is never made
    chosen = every if whole else list({line.form: line for line in every}.values())
    wrong, met = {}, set()
    with served(way.scenario) as (here, desk), Az(az, here.announcement["env"], tmp_path / "az.err") as cli:
        for line in chosen:
            faults, allowed = faults_of(line, cli, desk)
            met |= allowed
            if faults:
                wrong[str(line)] = faults
    assert wrong == {}, json.dumps(wrong, indent=2)
    native = [line.write.path.lower() for line in chosen if line.az[:2] != ("az", "rest")]
    possible = {n for n, difference in enumerate(DIFFERENCES) if any(difference.path in path for path in native)}
    assert met == possible, "a difference that nobody makes any more is still listed"


def test_a_difference_that_is_not_listed_would_be_found() -> None:
    path = "/subscriptions/S/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/p"
    ours = Write("PUT", path, {"properties": {"subnet": {"id": "s"}}}, {})
    theirs = Write("PUT", path.upper(), {"properties": {"subnet": {"id": "s"}, "ipVersionType": "IPv4"}}, {})
    assert apart(ours, theirs) == ([], {0})
    for other in (
        Write("PATCH", path, ours.body, {}),
        Write("PUT", path + "2", ours.body, {}),
        Write("PUT", path, {"properties": {"subnet": {"id": "t"}}}, {}),
        Write("PUT", path, {"properties": {"subnet": {"id": "s"}, "ipVersionType": "IPv6"}}, {}),
        Write("PUT", path, ours.body, {"If-None-Match": "*"}),
    ):
        assert len(apart(ours, other)[0]) == 1


EXTENSIONS = ("connectedmachine", "desktopvirtualization", "extension")
"""Groups of commands that come from elsewhere than the package index: nothing here has them."""


def by_hand(line: Line) -> list[list[str]]:
    """The az lines shown beside a line for those who type, word by word from behind ``az``."""
    return [shlex.split(text)[1:] for text in line.by_hand.splitlines() if text.startswith("az ")]


@pytest.mark.parametrize("way", EDITIONS, ids=str)
def test_lines_shown_as_by_hand_work_where_the_azure_cli_has_them(way: Way, az: Path, tmp_path: Path) -> None:
    lines = [line for line in lines_of(tmp_path, way) if by_hand(line)]
    every = {tuple(words[:3]): (line, by_hand(line)) for line in lines for words in by_hand(line)}
    wrong = {}
    tried = 0
    with served(way.scenario) as (here, desk), Az(az, here.announcement["env"], tmp_path / "az.err") as cli:
        for line, typed in every.values():
            assert all(len(words) > 2 for words in typed), line.by_hand
            known = [words for words in typed if words[0] not in EXTENSIONS]
            if len(known) < len(typed):
                continue
            desk.put_back(line)
            for words in known:
                ran = cli(*words)
                tried += 1
                if ran.rc:
                    wrong[" ".join(words)] = [ran.err[-400:], *desk.refusals]
    assert wrong == {}, json.dumps(wrong, indent=2)
    assert tried

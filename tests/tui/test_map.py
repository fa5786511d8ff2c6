"""The map: what it says, how it is drawn, how one moves in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.report.topology import Kind, topology
from runbook.tui.present.boxes import Box, Drawing, Row, Section, Wire, beside, stand
from runbook.tui.present.map import Map, draw, told
from runbook.tui.present.map_words import AFAR, NEAR, THINGS, addresses_in_short, find, group_key, outwards, summary
from runbook.tui.present.text import ROLES, as_text
from runbook.tui.screens.map import MapScreen
from runbook.tui.screens.run import RunScreen
from runbook.tui.widgets.map_view import MapView
from tests.maps import first, many, rehearsed, renamed, with_state
from tests.tui.conftest import every_size, idle, press, screen_text, showing, write
from tests.tui.sample import Store

S = NodeState
WIDTHS = (24, 40, 80, 110, 165, 200)


def drawn(view: RunView, width: int = 80, focus: str = "", detail: int | None = None) -> Map:
    return draw(topology(view), view, width, focus, detail)


def text_of(drawing: Drawing) -> str:
    return as_text(drawing.lines)


def line_with(text: str, part: str) -> str:
    found = [row for row in text.split("\n") if part in row]
    assert found, f"{part!r} is not in\n{text}"
    return found[0]


def below(text: str, part: str) -> str:
    """The line after the first one with this part."""
    rows = text.split("\n")
    return rows[next(n for n, row in enumerate(rows) if part in row) + 1]


# ---------------------------------------------------------------- what it says


def test_which_endpoint_has_which_address_in_which_subnet() -> None:
    text = text_of(drawn(rehearsed("arc-ga")[-1]).drawing)
    rows = text.split("\n")
    subnet = next(n for n, row in enumerate(rows) if "✓ pe · subnet · 10.20.1.0/27" in row)
    assert "✓ pe-arc" in rows[subnet + 1]
    assert "→ pls-arc" in rows[subnet + 1]
    assert "10.20.1.4" in rows[subnet + 2]
    assert "gbl.his.arc.azure.com" in rows[subnet + 2]


def test_which_zone_is_not_linked() -> None:
    link = "links[privatelink.his.arc.azure.com]"
    view = first(rehearsed("arc-ga"), link, S.SETTLING)
    text = text_of(drawn(view).drawing)
    assert "not linked to vnet-hub yet" in below(text, "privatelink.his.arc")
    text = text_of(drawn(with_state(view, S.FAILED, link)).drawing)
    assert "✗ NOT LINKED to vnet-hub" in below(text, "privatelink.his.arc")
    assert "failed" in below(text, "privatelink.his.arc")
    assert "links missing" in as_text(summary(topology(view))[1:])
    text = text_of(drawn(rehearsed("arc-ga")[-1]).drawing)
    assert "✓ linked to vnet-hub" in below(text, "privatelink.his.arc")


def test_what_is_not_known_yet_is_said_to_be_so() -> None:
    views = rehearsed("arc-ga")
    early = text_of(drawn(views[0]).drawing)
    assert "prefix not known yet" in early
    assert "its endpoint: not known yet" in early
    text = text_of(drawn(first(views, "endpoint", S.READY)).drawing)
    assert "7 addresses not known yet" in line_with(text, "? pe-arc")
    assert "ready" in line_with(text, "? pe-arc")
    pools = text_of(drawn(first(rehearsed("avd-small"), "estate", S.DONE)).drawing)
    assert "hosts not known yet" in line_with(pools, "← pe-hp-finance-connection")


def test_a_map_of_nothing_says_so() -> None:
    assert "Nothing is known of the estate yet" in text_of(drawn(RunView()).drawing)


def test_addresses_that_follow_each_other_are_one_span() -> None:
    things = {t.name: t for t in topology(rehearsed("avd-small")[-1]).of_kind(Kind.ENDPOINT)}
    assert addresses_in_short(things["pe-hp-finance-connection"]) == "10.40.1.4–7"
    assert addresses_in_short(things["pe-ws-discovery-global"]) == "10.40.1.16"
    apart = replace(things["pe-ws-office-feed"], addresses=(*things["pe-ws-office-feed"].addresses[:1],) * 2)
    assert addresses_in_short(apart) == "10.40.1.14"


def test_from_afar_groups_are_counted_and_what_is_urgent_is_named() -> None:
    view = with_state(many(), S.FAILED, "hosts[rg-avd/hp-007]")
    view = with_state(view, S.READY, *(f"hosts[rg-avd/hp-{n:03}]" for n in range(20, 40)))
    map_ = drawn(view)
    text = text_of(map_.drawing)
    assert map_.detail == AFAR
    assert "202 host pools" in text
    assert "✗ 1 failed" in text
    assert "? 20 ready" in text
    assert "✗ hp-007" in text
    assert "and 16 more under way" in text
    assert "hp-100" not in text
    assert len(map_.drawing.lines) < 60


def test_closer_a_group_is_a_list_and_a_thing_shows_its_nodes() -> None:
    view = many()
    group = drawn(view, 200, group_key(Kind.POOL))
    assert group.detail == THINGS
    assert "Host pools · 1 to 68 of 202" in text_of(group.drawing)
    assert len(group.drawing.lines) == 70
    pool = next(t for t in topology(view).of_kind(Kind.POOL) if t.name == "hp-007")
    near = drawn(view, 80, pool.key)
    text = text_of(near.drawing)
    assert near.detail == NEAR
    assert "← " in line_with(text, "pe-hp-007-connection")
    assert "10.41.7.8–11" in line_with(text, "pe-hp-007-connection")
    assert "✓ Restart the agents of hp-007" in text
    assert near.nodes["node restart[rg-avd/hp-007]"] == "restart[rg-avd/hp-007]"
    assert [name for name, _ in near.trail] == ["Everything", "Host pools", "hp-007"]
    assert outwards(topology(view), pool.key) == group_key(Kind.POOL)
    assert outwards(topology(view), group_key(Kind.POOL)) == ""


def test_things_are_found_by_name_kind_address_and_public_name() -> None:
    map_ = topology(rehearsed("avd-small")[-1])

    def found(asked: str) -> list[str]:
        return [map_.things[k].name for k in find(map_, asked)]

    assert found("10.40.1.16") == ["pe-ws-discovery-global"]
    assert found("rdweb.wvd pe-ws-discovery") == ["pe-ws-discovery-global"]
    assert found("HOST pool office") == ["hp-office"]
    assert found("nothing like it") == found("  ") == []


def test_what_is_selected_is_told_with_what_enter_does() -> None:
    view = rehearsed("arc-ga")[-1]
    map_, known = drawn(view), topology(view)
    endpoint = known.of_kind(Kind.ENDPOINT)[0].key
    head, more, enter = (as_text([row]) for row in told(known, map_, view, endpoint))
    assert head == "pe-arc private endpoint ✓ done"
    assert "10.20.1.4, 10.20.1.5" in more
    assert enter == "Enter goes to Create private endpoint pe-arc, done"
    for spot in map_.drawing.spots:
        assert len(told(known, map_, view, spot.key)) == 3


# ---------------------------------------------------------------- how it is drawn


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scenario", ["arc-ga", "avd-small", "avd-brownfield", "avd-trouble"])
def test_every_line_is_as_wide_as_the_map_and_every_spot_lies_in_it(scenario: str, width: int) -> None:
    views = rehearsed(scenario)
    for view in views[:: len(views) // 6]:
        known = topology(view)
        for focus in ("", *known.things, *map(group_key, (Kind.ZONE, Kind.POOL))):
            map_ = draw(known, view, width, focus)
            check(map_.drawing, width)
            assert map_ == draw(known, view, width, focus)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_estate_of_hundreds_is_drawn_whole_at_every_zoom(width: int) -> None:
    view = many()
    known = topology(view)
    for focus in ("", group_key(Kind.POOL), group_key(Kind.ZONE), known.of_kind(Kind.SUBNET)[0].key):
        for detail in (AFAR, THINGS, NEAR, None):
            check(draw(known, view, width, focus, detail).drawing, width)


def check(drawing: Drawing, width: int) -> None:
    assert drawing.width == width
    for row in drawing.lines:
        assert sum(cell_len(text) for text, _ in row) == width, as_text([row])
        assert {role for _, role in row} <= {"", *ROLES}
    taken: set[tuple[int, int]] = set()
    for spot in drawing.spots:
        assert 0 <= spot.x < spot.x + spot.width <= width
        assert 0 <= spot.y < spot.y + spot.height <= len(drawing.lines)
        lines = {(spot.x, y) for y in range(spot.y, spot.y + spot.height)}
        assert not lines & taken
        taken |= lines
    assert len({s.key for s in drawing.spots}) == len(drawing.spots)


def test_wide_characters_markup_and_control_characters_stay_text() -> None:
    view = rehearsed("avd-small")[-1]
    odd = "端点[b]\x1b[31m\u202e\ud800端"
    nodes = {name: renamed(node, "hp-office", odd) for name, node in view.nodes.items()}
    view = replace(view, nodes=nodes)
    for width in WIDTHS:
        for focus in ("", group_key(Kind.POOL)):
            map_ = drawn(view, width, focus)
            check(map_.drawing, width)
            text = text_of(map_.drawing)
            assert "\x1b" not in text
            assert "\u202e" not in text
            text.encode()
    assert "端点[b]" in text_of(drawn(view, 200).drawing)


def test_addresses_are_never_shortened_while_anything_else_can_give_way() -> None:
    view = rehearsed("avd-small")[-1]
    for width in (40, 60, 80, 120):
        text = text_of(drawn(view, width).drawing)
        for last in range(4, 17):
            assert f"10.40.1.{last} " in text or f"10.40.1.{last}–" in text


def wired(left: list[str], right: list[str], wires: list[tuple[str, str]], gutter: int = 6) -> list[str]:
    def box(name: str, keys: list[str]) -> Box:
        return Box(Row("", cells=((name, ""),)), (Section(tuple(Row(k, cells=((k, ""),)) for k in keys)),))

    drawing = stand([[box("left", left)], [box("right", right)]], 40, gutter, [Wire(*w) for w in wires])
    check(drawing, 40)
    return text_of(drawing).split("\n")


def test_wires_lead_from_row_to_row_and_never_cross() -> None:
    rows = wired(["a", "b", "c"], ["d", "e", "f"], [("a", "e"), ("b", "f"), ("c", "d")])
    assert rows[1].count("├") == rows[2].count("├") == 1
    assert rows[2].endswith("▸│   e           │")
    assert rows[3].endswith("▸│   f           │")
    assert "├" not in rows[3]
    assert not any("┼" in row for row in rows)


def test_wires_may_meet_at_their_end_and_may_lead_to_the_left() -> None:
    rows = wired(["a", "b"], ["c", "d"], [("c", "a"), ("d", "a")])
    assert rows[1].startswith("│   a           │◂")
    assert "┤   c" in rows[1]
    assert "┤   d" in rows[2]


def test_where_there_is_no_room_a_wire_is_left_out() -> None:
    rows = wired(["a", "b", "c"], ["x", "y", "z", "d", "e", "f"], [("a", "d"), ("b", "e"), ("c", "f")], gutter=3)
    assert sum(row.count("├") for row in rows) == 1


def test_one_moves_to_what_stands_beside() -> None:
    spots = drawn(rehearsed("arc-ga")[-1], 200).drawing.spots
    first_ = spots[0]
    assert beside(spots, first_, "up") is None
    down = beside(spots, first_, "down")
    assert down is not None
    assert beside(spots, down, "up") == first_
    right = beside(spots, down, "right")
    assert right is not None
    assert right.x > down.x


# ---------------------------------------------------------------- on the screen


def canvas(pilot: Pilot[None]) -> MapView:
    return pilot.app.screen.query_one(MapView)


@every_size
async def test_the_map_opens_at_the_selected_node_and_enter_goes_to_another(size: tuple[int, int]) -> None:
    view = first(rehearsed("arc-ga"), "endpoint", S.READY)
    async with showing(Store(view), size) as (pilot, app):
        text = await press(pilot, "m")
        assert isinstance(app.screen, MapScreen)
        assert "pe-arc" in text
        assert "Enter goes to Create private endpoint pe-arc" in text
        assert "? ready" in text
        await press(pilot, "up", "up")
        text = await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.node is not None
        assert app.screen.node.id != "endpoint"


@every_size
async def test_the_map_follows_the_run(size: tuple[int, int]) -> None:
    views = rehearsed("arc-ga")
    store = Store(first(views, "endpoint", S.READY))
    async with showing(store, size) as (pilot, app):
        assert "7 addresses not known yet" in await press(pilot, "m")
        store.put(first(views, "endpoint", S.DONE))
        await idle(pilot)
        text = screen_text(app)
        assert "10.20.1.4" in text
        assert "not known yet  →" not in text


@every_size
async def test_zooming_in_and_out_of_a_large_estate(size: tuple[int, int]) -> None:
    store = Store(with_state(many(), S.FAILED, "hosts[rg-avd/hp-077]"))
    async with showing(store, size) as (pilot, _):
        await press(pilot, "m")
        canvas(pilot).select_thing(group_key(Kind.POOL))
        text = await press(pilot, "plus")
        assert "Everything › Host pools" in text
        text = await press(pilot, "n")
        assert "hp-077" in text
        text = await press(pilot, "plus")
        assert "Everything › Host pools › hp-077" in text
        assert "✗ Check the session hosts of hp-077" in text
        text = await press(pilot, "minus")
        assert "hp-077 host pool ✗ failed" in text
        text = await press(pilot, "backspace")
        assert "202 host pools" in text


@every_size
async def test_searching_goes_to_what_is_found(size: tuple[int, int]) -> None:
    async with showing(Store(many()), size) as (pilot, app):
        await press(pilot, "m", "slash")
        text = await write(pilot, "10.41.77.8", "enter")
        assert "pe-hp-077-connection" in text
        assert "1 of 1" in text
        text = await write(pilot, "zzz", "enter")
        assert "nothing like that is on it" in text
        await press(pilot, "escape")
        assert app.focused is canvas(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.node is not None
        assert app.screen.node.id == "connection_endpoint[rg-avd/hp-077]"


async def test_escape_goes_back_without_moving() -> None:
    async with showing(Store(rehearsed("arc-ga")[-1])) as (pilot, app):
        run = app.screen
        assert isinstance(run, RunScreen)
        at = run.key
        await press(pilot, "m", "down", "escape")
        assert run.key == at
        assert app.screen is run


@every_size
async def test_the_map_is_a_page_of_the_run_at_the_selected_node(size: tuple[int, int]) -> None:
    view = first(rehearsed("arc-ga"), "endpoint", S.READY)
    async with showing(Store(view), size) as (pilot, app):
        text = await press(pilot, "6")
        assert "[Map]" in text
        assert "pe-arc" in text
        screen = app.screen
        assert isinstance(screen, RunScreen)
        screen.select(("node", "scope"))
        screen.draw_text()
        await idle(pilot)
        assert canvas(pilot).key.endswith("/privatelinkscopes/pls-arc")
        canvas(pilot).focus()
        await press(pilot, "up", "enter")
        assert screen.node is not None
        assert screen.node.id != "scope"
        assert "[Guide]" in await press(pilot, "1")


async def test_a_click_selects_and_a_double_click_goes_to_the_node() -> None:
    view = first(rehearsed("arc-ga"), "endpoint", S.READY)
    async with showing(Store(view), (120, 36)) as (pilot, app):
        await press(pilot, "m")
        map_ = canvas(pilot)
        spot = next(
            s for s in (map_.map.drawing.spots if map_.map else ()) if s.key.endswith("privatelinkscopes/pls-arc")
        )
        at = (spot.x + 3, spot.y - map_.scroll_offset.y)
        await pilot.click(MapView, offset=at)
        await idle(pilot)
        assert map_.key == spot.key
        await pilot.click(MapView, offset=at, times=2)
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.node is not None
        assert app.screen.node.id == "scope"


@every_size
async def test_odd_names_do_not_break_the_screen(size: tuple[int, int]) -> None:
    view = rehearsed("avd-small")[-1]
    nodes = {name: renamed(node, "hp-office", "端点[b]\x1b[31m端") for name, node in view.nodes.items()}
    async with showing(Store(replace(view, nodes=nodes)), size) as (pilot, _):
        await press(pilot, "m")
        text = await press(pilot, *["down"] * 6, "plus", "minus")
        assert "\x1b" not in text


@every_size
async def test_a_resize_draws_for_the_new_width(size: tuple[int, int]) -> None:
    async with showing(Store(rehearsed("arc-ga")[-1]), size) as (pilot, _):
        await press(pilot, "m")
        await pilot.resize_terminal(100, 30)
        await idle(pilot)
        map_ = canvas(pilot)
        assert map_.map is not None
        assert map_.map.drawing.width == map_.scrollable_content_region.width


async def test_a_map_that_was_opened_before_the_run_goes_on_with_the_run() -> None:
    views = rehearsed("arc-ga")
    real = Store(first(views, "endpoint", S.DONE))
    async with showing(Store(first(views, "endpoint", S.READY))) as (pilot, app):
        run = app.screen
        assert isinstance(run, RunScreen)
        assert "7 addresses not known yet" in await press(pilot, "m")
        run.adopt(real)
        await idle(pilot)
        assert "10.20.1.4" in screen_text(app)


async def test_a_map_that_is_opened_again_reads_nothing_again() -> None:
    async with showing(Store(rehearsed("arc-ga")[-1])) as (pilot, _):
        await press(pilot, "m")
        before = canvas(pilot).topology
        await press(pilot, "escape", "m")
        assert canvas(pilot).topology is before


async def test_help_explains_the_map() -> None:
    async with showing(Store(rehearsed("arc-ga")[-1])) as (pilot, _):
        text = await press(pilot, "m", "question_mark")
        assert "The map" in text
        assert "Look closer" in text

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from runbook.web.gate import Gate

GATE = Gate(frozenset({"127.0.0.1:8000", "localhost:8000"}), "a-token-that-is-the-same-for-every-worker-of-these-tests")
OWN = {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}


def admits(path: str = f"/{GATE.token}/ws", *, is_socket: bool = True, **headers: str | None) -> bool:
    said = {k: v for k, v in {**OWN, **{k.replace("_", "-"): v for k, v in headers.items()}}.items() if v is not None}
    return GATE.admits(path, CIMultiDict(said), is_socket=is_socket)


def test_the_page_itself_is_let_in() -> None:
    assert admits()
    assert admits(Host="localhost:8000", Origin="http://localhost:8000")
    assert admits(f"/{GATE.token}/", is_socket=False, Origin=None, Sec_Fetch_Site="none")
    assert admits(f"/{GATE.token}/", is_socket=False, Origin=None, Sec_Fetch_Site=None)


@pytest.mark.parametrize("path", ["", "/", "//", "/ws", "/x/ws", f"/{GATE.token[:-1]}/ws", f"/x/{GATE.token}/ws"])
def test_nothing_is_served_without_the_token(path: str) -> None:
    assert not admits(path)


@pytest.mark.parametrize("path", ["/é/ws", "/\udce9/ws", f"/?{GATE.token}"])
def test_paths_of_any_letters_are_refused_and_break_nothing(path: str) -> None:
    assert not admits(path)


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.nip.io:8000", "localhost:8000.", "", None]
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str | None) -> None:
    assert not admits(Host=host, Origin=f"http://{host}")
    assert not admits(f"/{GATE.token}/", is_socket=False, Host=host, Origin=None)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8000", "http://localhost:8000", "null"],
)
def test_another_page_of_the_same_browser_is_refused(origin: str) -> None:
    assert not admits(Origin=origin)
    assert not admits(f"/{GATE.token}/", is_socket=False, Origin=origin)


def test_a_socket_has_to_say_where_from() -> None:
    assert not admits(Origin=None)


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_what_another_site_asks_for_is_refused_even_with_the_token(where: str) -> None:
    assert not admits(Sec_Fetch_Site=where)


def test_each_server_has_a_token_of_its_own_and_does_not_show_it() -> None:
    assert Gate(frozenset()).token != Gate(frozenset()).token
    assert len(Gate(frozenset()).token) >= 32
    assert GATE.token not in repr(GATE)

"""The served screens in a real browser. Needs a Chromium, which no package index of Python's has: off by default.

``BROWSER_PICTURES`` names a folder for what the browser showed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.cli.reading import view_of
from runbook.cli.serve import child
from runbook.tui.served import DRIVER
from runbook.web.server import serving
from tests.web.chromium import Page, browsing, installed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(110),
    pytest.mark.skipif(installed() is None, reason="No Chromium is installed on this machine (Debian: chromium)."),
]

_BLANK = 20_000
"""A picture of so many bytes shows no text worth the name."""


async def _pictured(page: Page, name: str) -> int:
    picture = await page.picture()
    if folder := os.environ.get("BROWSER_PICTURES"):
        Path(folder, f"{name}.png").write_bytes(picture)  # noqa: ASYNC240
    return len(picture)


async def test_a_rehearsal_moves_by_keys_pressed_in_a_browser(parked: Path, tmp_path: Path) -> None:
    argv = child(parked, "", may_write=True)
    async with serving(argv, {"TEXTUAL_DRIVER": DRIVER}) as (address, pages):
        async with browsing(str(installed()), tmp_path / "profile") as page:
            await page.open(address)
            await page.until("needs you")
            assert await _pictured(page, "home") > _BLANK
            await page.press("Enter", 13)
            await page.until("Approve:")
            await page.until("you drive")
            assert await _pictured(page, "run") > _BLANK
            page.forget()
            await page.type("a")
            await page.until("being recorded")
            page.forget()
            await page.type("?")
            await page.until("Approve")
            assert await _pictured(page, "help") > _BLANK
            origin = address.split(pages.gate.token)[0]
            elsewhere = [a for a in page.asked if not a.startswith((origin, origin.replace("http", "ws"), "data:"))]
            assert elsewhere == []
            assert page.told == []
    view, _ = view_of(parked, "arc")
    assert any(node.approved or node.applied for node in view.nodes.values())


_TRY = """new Promise(end => {
  const tried = new WebSocket(ADDRESS);
  tried.onopen = () => end("open");
  tried.onerror = () => end("refused");
})"""


async def test_another_page_of_the_browser_opens_no_socket(parked: Path, tmp_path: Path) -> None:
    """Even one that knows the token: its origin gives it away."""
    async with serving(child(parked, "", may_write=True), {"TEXTUAL_DRIVER": DRIVER}) as (address, _):
        async with browsing(str(installed()), tmp_path / "profile") as page:
            script = _TRY.replace("ADDRESS", repr(address.replace("http", "ws") + "ws"))
            await page.open("about:blank")
            assert await page.evaluate(script) == "refused"
            await page.open(address)
            await page.until("needs you")
            assert await page.evaluate(script) == "open"

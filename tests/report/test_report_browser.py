"""The HTML report in a real browser, from the disk and without a network. Off by default, as there must be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell, finished, finished_home, home, shell
from tests.web.chromium import browsing, installed

__all__ = ["finished", "finished_home", "home", "shell"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(110),
    pytest.mark.skipif(installed() is None, reason="No Chromium is installed on this machine (Debian: chromium)."),
]

_LOADED = """new Promise(told => {
    const tell = () => told(document.body.innerText);
    document.readyState === "complete" ? tell() : addEventListener("load", tell);
})"""
_BLANK = 20_000
"""A picture of so many bytes shows no text worth the name."""


async def test_a_report_renders_from_the_disk_and_asks_for_nothing(
    shell: Shell, finished: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    assert shell("report", "arc", "--format", "html", "--out", str(report)).code == 0
    async with browsing(str(installed()), tmp_path / "profile") as page:
        await page.open("about:blank")
        page.asked.clear()
        conditions = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        await page.call("Network.emulateNetworkConditions", **conditions)
        await page.call("Page.navigate", url=report.as_uri())
        text = str(await page.evaluate(_LOADED))
        assert "Report of run arc" in text
        assert "What was left out, and why" in text
        assert len(await page.picture()) > _BLANK
        assert [address for address in page.asked if address != report.as_uri()] == []
        assert page.told == []
        printed = await page.call("Page.printToPDF")
        assert len(str(printed["data"])) > _BLANK

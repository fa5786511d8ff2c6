"""A headless Chromium, driven over its own debugging protocol: no other tool is needed.

Source: https://chromedevtools.github.io/devtools-protocol/ (domains Target, Page, Network, Input, Runtime).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;?<>=$]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")


def installed() -> str | None:
    """The path of a Chromium on this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page.

    Attributes:
        drawn: all text that its sockets have received, without what moves the cursor or colours.
        asked: the addresses of everything that it wanted to load.
        told: errors of its scripts and what was refused to it.
    """

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._number = 0
        self._session = ""
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Event()
        self.drawn = ""
        self.asked: list[str] = []
        self.told: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        """One call of the protocol, and its answer."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        doc = {"id": self._number, "method": method, "params": params}
        await self._wire.send_json(doc | ({"sessionId": self._session} if self._session else {}))
        return await asyncio.wait_for(answer, 30)

    async def listen(self) -> None:
        """Hear what the browser says, until it ends."""
        async for message in self._wire:
            doc = json.loads(message.data)
            if "id" in doc:
                self._answers.pop(doc["id"]).set_result(doc.get("result", doc.get("error")))
            else:
                self._heard(doc["method"], doc["params"])
            self._news.set()

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.webSocketFrameReceived" if params["response"]["opcode"] == 2:
                text = base64.b64decode(params["response"]["payloadData"]).decode("utf-8", "replace")
                self.drawn += _ESCAPES.sub(" ", text)
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(params["url"])
            case "Runtime.exceptionThrown":
                self.told.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.told.append(params["entry"]["text"])

    async def open(self, address: str) -> None:
        """Open an address in a tab of its own."""
        self._session = ""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        for domain in ("Network", "Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def until(self, text: str, timeout_s: float = 40.0) -> None:
        """Until a text has been drawn since the page was opened, or last forgotten."""
        async with asyncio.timeout(timeout_s):
            while text not in " ".join(self.drawn.split()):
                self._news.clear()
                await self._news.wait()

    def forget(self) -> None:
        """What was drawn so far does not count any more."""
        self.drawn = ""

    async def type(self, text: str) -> None:
        """Type letters."""
        for letter in text:
            await self.call("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=letter)

    async def press(self, key: str, code: int) -> None:
        """Press a key that is no letter."""
        text = {"text": "\r"} if key == "Enter" else {}
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **about, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def picture(self) -> bytes:
        """A picture of the page, PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@contextlib.asynccontextmanager
async def browsing(program: str, folder: Path) -> AsyncIterator[Page]:
    """A browser with nothing in it, and a page of it; both are gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless=new",
        "--no-sandbox",  # tests may run as root, where it cannot be had
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "--window-size=1200,800",
        "--no-first-run",
        "--disable-background-networking",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = await asyncio.wait_for(_debugger(process), 60)
        async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as wire:
            page = Page(wire)
            listening = asyncio.create_task(page.listen())
            yield page
            await page.call("Browser.close")
            await listening
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _debugger(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if b"DevTools listening on " in line:
            return line.decode().partition("listening on ")[2].strip()
    raise AssertionError("Chromium ended before it listened.")

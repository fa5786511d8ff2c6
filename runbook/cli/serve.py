"""``runbook serve``: the screens in a browser on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.signals import hearing
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.web.server import Pages

_STOPS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@click.command()
@click.argument("run", default="", shell_complete=complete_run)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="A loopback address. [default: 127.0.0.1]")
@click.option("--port", default=0, metavar="N", type=click.IntRange(0, 65_535), help="[default: any that is free]")
@click.option("--write", "may_write", is_flag=True, help="Let the page drive runs and start rehearsals.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, host: str, port: int, may_write: bool) -> Exit:
    """Serve the screens to a browser on this machine, until Ctrl-C; with RUN, opened at that run.

    Prints the page's address, one line: whoever has it is let in, and nobody else. The page only looks on, unless
    --write is given. Needs the extra `serve`.
    """
    home = settings.home
    if run:
        from runbook.home import journal_path

        journal_path(home, run)  # an unknown run is told before anything listens
    serving = _server()
    asyncio.run(_serve(serving, child(home, run, may_write), host, port, may_write))
    return Exit.DONE


def _server() -> Any:
    try:
        from runbook.web.server import serving
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("textual_serve", "aiohttp_jinja2"):
            raise
        raise UsageError(
            "What serves a browser is not installed: it is the extra `serve`.",
            f"Install it: {Path(sys.executable).name} -m pip install 'runbook[serve]', or in a clone pip install "
            "'.[serve]'.",
        ) from error
    return serving


def child(home: Path, run: str, may_write: bool) -> list[str]:
    """What draws for a page. ``-P``: not from a folder that happens to be the current one."""
    argv = [sys.executable, "-P", "-m", "runbook.cli.served", "--home", str(home), "--program", output.program()]
    return [*argv, *(["--write"] if may_write else []), *(["--run", run] if run else [])]


async def _serve(serving: Any, argv: list[str], host: str, port: int, may_write: bool) -> None:
    stop = asyncio.Event()
    served: list[Pages] = []

    def heard() -> None:
        if stop.is_set():
            for pages in served:
                pages.kill()
        stop.set()

    with hearing(_STOPS, heard, is_once=False), contextlib.suppress(asyncio.CancelledError):
        from runbook.tui.served import DRIVER

        async with serving(argv, {"TEXTUAL_DRIVER": DRIVER}, host=host, port=port) as (address, pages):
            served.append(pages)
            output.data(address)
            how = "can drive your runs" if may_write else "only looks on; --write lets it drive"
            output.talk(f"The page {how}. The address is a key: give it to nobody.")
            output.talk("Ctrl-C ends it and lets calls in flight finish; a second one stops at once.")
            await stop.wait()

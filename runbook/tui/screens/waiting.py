"""The waiting screen: whom a node waits for, and the texts that can be handed over meanwhile.

Nothing is sent from here: a text is copied, saved, or put into the operator's own mail program, each on its key.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from runbook.tui.keys import bindings
from runbook.tui.messages import HandedOver
from runbook.tui.outside import open_link, why_no_mail, write_new
from runbook.tui.present import waiting as pages
from runbook.tui.present.letter import Letter, file_name, fits, mail_link
from runbook.tui.present.text import Line, clean
from runbook.tui.question import Answers
from runbook.tui.screens import questions
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.matter import MatterScreen
from runbook.tui.widgets.prose import Prose

_NAMES = {"first": "The text to hand over", "second": "The text to ask again with"}


class WaitingScreen(MatterScreen):
    """About one wait."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("waiting")
    screen_name = "waiting"

    _which: pages.Which | None = None
    """The text the operator chose to see; None: the one that fits."""

    def compose_matter(self) -> ComposeResult:
        yield Prose(id="matter-text")
        yield Prose(id="waiting-text")

    def sources(self) -> Sequence[str]:
        return pages.sources(self.view, self.node)

    @property
    def waited(self) -> pages.Waited:
        return pages.Waited(self.view, self.node, self.attachment.now_ms(), self.meanwhile, self.entries, self.due)

    @cached_property
    def _no_mail(self) -> str:
        """Why no mail program can be opened where this runs; looked up once."""
        return why_no_mail(sys.platform, os.environ, is_web=self.app.is_web)

    def which(self, of: pages.Waited) -> pages.Which:
        """The text that is shown."""
        return self._which or ("second" if pages.is_long(of) else "first")

    def head(self) -> list[Line]:
        return pages.head(self.waited)

    def can(self) -> frozenset[str]:
        known = pages.texts(self.waited)
        more = {"copy", "save"} | (set() if self._no_mail else {"mail"}) if known else set()
        return super().can() | more | ({"text"} if len(known) > 1 else set())

    def draw_matter(self) -> None:
        of = self.waited
        text = pages.text_page(of, self._shown(of))
        # Beside each other where there is room; else the text stands where it is needed, before what is for later.
        self.query_one("#matter-text", Prose).show(pages.page(of, text if self.is_narrow else None))
        beside = self.query_one("#waiting-text", Prose)
        beside.display = not self.is_narrow
        beside.show(text)

    def _shown(self, of: pages.Waited) -> pages.Which:
        """The text that is shown: what was chosen, where it exists."""
        known, which = pages.texts(of), self.which(of)
        return which if which in known or not known else next(iter(known))

    # ------------------------------------------------------------ keys

    def action_act(self, id_: str) -> None:
        of = self.waited
        which = self._shown(of)
        found = pages.texts(of).get(which)
        match id_:
            case "copy" | "mail" | "save" | "text" if found is None:
                self.say("There is no text to hand over here.", "warning")
            case "copy" if found:
                self.runbook_app.copy(found.text, _NAMES[which])
            case "mail" if found:
                self._mail(found)
            case "save" if found:
                self._save(found, file_name(self.view.id, self.node_id, which))
            case "text":
                self._which = "second" if which == "first" else "first"
                if self._which not in pages.texts(of):
                    self.say("There is only this text.")
                self.draw()
            case _:
                super().action_act(id_)

    def why_not(self, act: str) -> str:
        if act == "attest" and self.waited.wait is not None:
            return "Your word cannot end this wait: it ends by itself as soon as Azure shows it."
        return super().why_not(act)

    def _mail(self, text: Letter) -> None:
        if why := self._no_mail:
            self.say(f"{why} c copies the text, w saves it to a file.", "warning")
            return
        link = mail_link(text)
        told = "Your mail program was asked to open the text. Nothing is sent before you send it there."
        if not fits(link):
            self.runbook_app.copy(text.body, "The text")
            link = mail_link(text, has_body=False)
            told = "The text is too long for a mail link: paste it into the message that opens. Nothing is sent yet."
        if not text.address:
            told += " Whom it goes to is for you to fill in: no address is known here."
        self.run_worker(partial(self._open, link, told), thread=True, group="hand", name="mail")

    def _open(self, link: str, told: str) -> None:
        """In a worker thread."""
        try:
            open_link(link)
        except OSError as error:
            why = clean(error.strerror or error)
            told = f"The mail program cannot be opened: {why}. c copies the text, w saves it to a file."
            self.post_message(HandedOver(told, is_problem=True))
            return
        self.post_message(HandedOver(told))

    def _save(self, text: Letter, name: str) -> None:
        def given(answers: Answers | None) -> None:
            if answers is not None:
                work = partial(self._write, answers["path"], text.text)
                self.run_worker(work, thread=True, group="hand", name="save")

        self.app.push_screen(Dialog(questions.save(name, str(Path.cwd()))), given)

    def _write(self, path: str, text: str) -> None:
        """In a worker thread."""
        try:
            place = write_new(path, text)
        except FileExistsError:
            self.post_message(HandedOver(f"{clean(path)} exists already and was left as it is.", is_problem=True))
        except (OSError, RuntimeError) as error:
            why = clean(getattr(error, "strerror", None) or error)
            self.post_message(HandedOver(f"The text cannot be saved: {why}", is_problem=True))
        else:
            self.post_message(HandedOver(f"Saved: {clean(place)}"))

    @on(HandedOver)
    def _handed(self, message: HandedOver) -> None:
        self.say(message.text, "error" if message.is_problem else "information")

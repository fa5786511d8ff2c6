"""Texts that are handed over: as they are read, as mail links, as files; and resource ids in short."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from runbook.tui import outside
from runbook.tui.present.ids import ids_in, short_forms, shortened
from runbook.tui.present.letter import LONGEST_LINK, file_name, fits, letter, mail_link, reminder
from tests.tui.sample import NOW

DRAFT = "To: the Arc team at Microsoft\nSubject: Approval, please & soon\n\nHello,\n\nplease approve.\n\nThank you."


def test_a_draft_is_read_into_head_and_body() -> None:
    read = letter(DRAFT)
    assert (read.to, read.subject) == ("the Arc team at Microsoft", "Approval, please & soon")
    assert read.body == "Hello,\n\nplease approve.\n\nThank you."
    assert read.text == DRAFT


def test_a_text_without_a_head_is_all_body() -> None:
    read = letter("azcmagent check --location westeurope\nTo: nobody")
    assert (read.to, read.subject) == ("", "")
    assert read.body == read.text == "azcmagent check --location westeurope\nTo: nobody"


def test_a_mail_link_carries_subject_and_body_and_no_address_that_nobody_named() -> None:
    parts = urlsplit(mail_link(letter(DRAFT)))
    fields = parse_qs(parts.query, keep_blank_values=True)
    assert (parts.scheme, parts.path) == ("mailto", "")
    assert fields["subject"] == ["Approval, please & soon"]
    assert fields["body"] == ["Hello,\r\n\r\nplease approve.\r\n\r\nThank you."]
    assert "+" not in mail_link(letter(DRAFT)), "RFC 6068 knows no plus sign for a blank"


def test_an_address_in_the_text_is_the_receiver_and_nothing_but_the_head_names_one() -> None:
    named = letter("To: the DNS team <dns@contoso.example>\nSubject: s\n\nor ask bob@contoso.example")
    assert named.address == "dns@contoso.example"
    assert mail_link(named).startswith("mailto:dns@contoso.example?subject=s")
    assert letter("To: the team\n\nask bob@contoso.example").address == ""


def test_a_head_cannot_smuggle_fields_into_the_link() -> None:
    link = mail_link(letter("To: x\nSubject: a?&bcc=evil@x.example\r\n\nbody&cc=evil"))
    assert set(parse_qs(urlsplit(link).query)) == {"subject", "body"}
    assert "evil@x.example" in unquote(link)


def test_a_long_text_does_not_fit_into_a_link_and_its_subject_does() -> None:
    long = letter("Subject: s\n\n" + "x" * LONGEST_LINK)
    assert not fits(mail_link(long))
    assert mail_link(long, has_body=False) == "mailto:?subject=s"


def test_a_reminder_says_when_it_was_asked_and_quotes_what_was_sent() -> None:
    second = reminder(letter(DRAFT), "the Arc team", "Wait for the approval", NOW, "15 d")
    assert second.to == "the Arc team at Microsoft"
    assert second.subject == "Reminder: Approval, please & soon"
    assert "2026-10-26 07:33Z" in second.body
    assert "15 d without an answer" in second.body
    assert "> please approve." in second.body
    assert letter(second.text) == second


def test_a_reminder_without_a_first_text_names_whom_and_what() -> None:
    second = reminder(None, "the firewall team", "Have the firewall opened", None, "3 d")
    assert second.to == "the firewall team"
    assert "Have the firewall opened" in second.subject
    assert "The first message" not in second.body


def test_a_file_name_holds_nothing_that_a_shell_or_a_file_system_minds() -> None:
    assert file_name("arc-1", "approval[11111111-aaaa]", "second") == "arc-1-approval-second.txt"
    assert file_name("../r", "a/b c", "x") == "r-a-b-c-x.txt"


# ---------------------------------------------------------------- to the desktop and the disk


@pytest.mark.parametrize(
    ("env", "is_web", "why"),
    [
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 22"}, False, "SSH"),
        ({}, False, "no display"),
        ({"DISPLAY": ":0", "PATH": "/nowhere"}, False, "no program"),
        ({"DISPLAY": ":0"}, True, "in a browser"),
    ],
)
def test_where_nobody_would_see_it_no_mail_program_is_opened(env: dict[str, str], is_web: bool, why: str) -> None:
    assert why in outside.why_no_mail("linux", env, is_web)


def test_a_desktop_with_an_opener_can_open_mail(tmp_path: Path) -> None:
    program = tmp_path / "xdg-open"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    env = {"WAYLAND_DISPLAY": "wayland-0", "PATH": str(tmp_path)}
    assert outside.why_no_mail("linux", env) == ""
    assert outside.opener("linux", env) == ("xdg-open",)
    assert outside.opener("win32", {}) == ("start",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens links by itself")
def test_the_link_reaches_the_opener_as_one_argument_and_a_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "open" if sys.platform == "darwin" else "xdg-open"
    program = tmp_path / name
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$#" "$1" > {tmp_path}/got\nexit "$(cat {tmp_path}/status)"\n')
    program.chmod(0o755)
    (tmp_path / "status").write_text("0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    outside.open_link("mailto:?subject=$(touch%20x)&body=a;b")
    assert (tmp_path / "got").read_text() == "1|mailto:?subject=$(touch%20x)&body=a;b|"
    (tmp_path / "status").write_text("3")
    with pytest.raises(OSError, match="status 3"):
        outside.open_link("mailto:")


def test_a_text_is_written_to_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    place = outside.write_new(str(tmp_path / "a.txt"), "Hello")
    assert place.read_text("utf-8") == "Hello\n"
    with pytest.raises(FileExistsError):
        outside.write_new(str(place), "other")
    assert place.read_text("utf-8") == "Hello\n"


# ---------------------------------------------------------------- resource ids

SUB = "/subscriptions/11111111-1111-4111-8111-111111111111"
NET = f"{SUB}/resourceGroups/rg-net/providers/Microsoft.Network"


def test_ids_are_shortened_to_their_ends() -> None:
    vnet, zone = f"{NET}/virtualNetworks/vnet-hub", f"{NET}/privateDnsZones/z"
    forms = short_forms([vnet, zone])
    assert forms == {vnet: "…/virtualNetworks/vnet-hub", zone: "…/privateDnsZones/z"}
    assert shortened(f"id: {vnet}, then", forms) == "id: …/virtualNetworks/vnet-hub, then"


def test_ids_with_the_same_end_keep_what_tells_them_apart() -> None:
    one = f"{NET}/virtualNetworks/a/subnets/pe"
    two = f"{NET}/virtualNetworks/b/subnets/pe"
    three = one.replace("rg-net", "rg-other")
    forms = short_forms([one, two, three])
    assert forms[two] == "…/virtualNetworks/b/subnets/pe"
    assert forms[one] != forms[three]
    assert "rg-net" in forms[one]
    assert "rg-other" in forms[three]


def test_ids_in_other_letter_case_are_one_and_short_paths_stay() -> None:
    one = f"{NET}/virtualNetworks/a"
    assert short_forms([one, one.upper()])[one] == "…/virtualNetworks/a"
    assert short_forms(["/subscriptions/abc-def-ghi-jkl"]) == {
        "/subscriptions/abc-def-ghi-jkl": "/subscriptions/abc-def-ghi-jkl"
    }
    assert ids_in([f'["{one}", "{one}"] /etc/passwd']) == [one]

from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest

from runbook.cli.diagnose import report
from runbook.cli.exits import Exit
from runbook.core.error import BookError, Damaged, Driven, Unwritable, UsageError

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("No such thing.", "Try another."), Exit.USAGE, "No such thing.\nTry another.\n"),
        (BookError("unknown key", file="b.yaml", line=3, column=5), Exit.USAGE, "b.yaml:3:5: unknown key\n"),
        (Driven("Anna drives it."), Exit.DRIVEN, "Anna drives it.\n"),
        (Damaged("Row 3 was altered."), Exit.FAILED, "Row 3 was altered.\n"),
        (Unwritable("The disk is full."), Exit.FAILED, "The disk is full.\n"),
        (click.UsageError("no such option"), Exit.USAGE, "no such option\n"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "Interrupted.\n"),
        (click.Abort(), Exit.INTERRUPTED, "Interrupted.\n"),
    ],
)
def test_each_error_has_its_words_and_its_code(
    error: BaseException, code: Exit, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, tmp_path) is code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == words


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_will_not_take_it_is_told_in_a_sentence(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(OSError(number, "x", "/some/file"), tmp_path) is Exit.FAILED
    assert "The disk is" in capsys.readouterr().err
    assert not (tmp_path / "logs").exists()


def _broken() -> Exception:
    try:
        raise ZeroDivisionError(f"Bearer {TOKEN} in \x1b[31mred")
    except ZeroDivisionError as error:
        return error


def test_what_nobody_foresaw_is_kept_in_a_file_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(_broken(), tmp_path) is Exit.FAILED
    said = capsys.readouterr().err
    (kept,) = (tmp_path / "logs").iterdir()
    assert "ZeroDivisionError" in said
    assert str(kept) in said
    assert "Traceback" not in said
    text = kept.read_text("utf-8")
    assert "Traceback" in text
    assert TOKEN not in text
    assert kept.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_cannot_be_written_hides_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert report(_broken(), tmp_path / "file") is Exit.FAILED
    assert "could not be written anywhere" in capsys.readouterr().err


def test_outside_text_in_an_error_cannot_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(UsageError("\x1b]0;title\x07 \u202eabc"), tmp_path)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said

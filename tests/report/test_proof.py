"""A report is held against its journal, and its signature against its key."""

from __future__ import annotations

import copy
import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from runbook.core.error import UsageError
from runbook.report.signature import check_signature, public_key, sign
from tests.cli.conftest import Shell, finished, finished_home, home, parked, parked_home, shell

__all__ = ["finished", "finished_home", "home", "parked", "parked_home", "shell"]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    return path


def written(shell: Shell, path: Path, *more: str) -> dict[str, Any]:
    assert shell("report", "arc", "--format", "json", "--out", str(path), *more).code == 0
    doc: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return doc


def test_a_report_belongs_to_its_journal(shell: Shell, finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    doc = written(shell, path)
    for part in ("map", "names", "skipped", "changes", "waits", "attestations"):
        assert doc[part], part
    assert all(change["by"] and change["hash"] and change["answer_hash"] for change in doc["changes"])
    ended = shell("journal", "check", str(path))
    assert ended.code == 0
    assert "OK, all it says" in ended.out
    assert "not signed" in ended.out


def test_a_report_of_earlier_still_belongs_to_a_journal_that_went_on(
    shell: Shell, parked: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    written(shell, path)
    shell("resume", "arc", "--headless", "--yes")
    ended = shell("journal", "check", str(path))
    assert ended.code == 0
    assert "entries followed since" in ended.out


def _outcome(doc: dict[str, Any]) -> None:
    doc["changes"][0]["outcome"] = "answered, they say"


def _hash(doc: dict[str, Any]) -> None:
    doc["changes"][1]["answer_hash"] = "0" * 64


def _head(doc: dict[str, Any]) -> None:
    doc["journal"]["head"] = "0" * 64


def _check(doc: dict[str, Any]) -> None:
    nodes = [n for p in doc["phases"] for n in p["nodes"] if n["checks"]]
    nodes[0]["checks"][0]["observed"] = "something nicer"


def _more(doc: dict[str, Any]) -> None:
    doc["totals"]["failed"] = 3


def _less(doc: dict[str, Any]) -> None:
    del doc["attestations"][0]


def _driver(doc: dict[str, Any]) -> None:
    doc["drivers"][0]["account"] = "kim@contoso.com"


@pytest.mark.parametrize(
    ("alter", "place"),
    [
        (_outcome, "changes[0].outcome"),
        (_hash, "changes[1].answer_hash"),
        (_head, "has the hash"),
        (_check, "checks[0].observed"),
        (_more, "totals.failed"),
        (_less, "attestations: "),
        (_driver, "drivers: "),
    ],
)
def test_every_altered_claim_is_told_with_its_place(
    shell: Shell, finished: Path, tmp_path: Path, alter: Any, place: str
) -> None:
    path = tmp_path / "r.json"
    doc = written(shell, path)
    alter(doc)
    path.write_text(json.dumps(doc), encoding="utf-8")
    ended = shell("journal", "check", str(path), "--journal", "arc")
    assert ended.code == 1
    assert place in ended.out


def test_what_is_no_report_is_wrong_usage(shell: Shell, finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("[]", encoding="utf-8")
    assert shell("journal", "check", str(path)).code == 2
    assert shell("journal", "check", str(tmp_path / "absent.json")).code == 2


def test_a_signed_report_is_verified_with_the_key_given(
    shell: Shell, finished: Path, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, public = tmp_path / "r.json", tmp_path / "public.pem"
    monkeypatch.setenv("RUNBOOK_SIGNING_KEY", str(key))
    written(shell, path)
    ended = shell("journal", "check", str(path), "--public-key", str(public))
    assert ended.code == 0
    assert "signed by the key given" in ended.out
    told = [shell("report", "arc", "--format", form).out for form in ("md", "html", "json")]
    secret = "".join(key.read_text(encoding="utf-8").splitlines()[1:-1])
    kept = [p.read_bytes() for p in finished.rglob("*") if p.is_file()]
    assert all("is signed by SHA256:" in text for text in told[:2])
    assert not any(secret in text for text in told)
    assert not any(secret.encode() in data for data in kept)


def test_a_signature_fails_for_another_key_and_for_an_altered_report(tmp_path: Path, key: Path) -> None:
    doc = sign({"journal": {"entries": 1}, "run": {"id": "r"}}, key)
    public = public_key(tmp_path / "public.pem")
    assert check_signature(doc, public)[1] == []
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert "not by the key given" in check_signature(doc, other)[1][0]
    altered = copy.deepcopy(doc)
    altered["run"]["id"] = "s"
    assert "was altered" in check_signature(altered, public)[1][0]
    assert "was altered" in check_signature(altered, None)[1][0]
    bare = {name: value for name, value in doc.items() if name != "signature"}
    assert check_signature(bare, public)[1] == ["the report is not signed, and a public key was given"]
    assert check_signature({**doc, "signature": {"value": 1}}, None)[1] == ["the signature cannot be read"]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such rights")
def test_a_key_that_others_may_read_is_refused(key: Path) -> None:
    key.chmod(0o640)
    with pytest.raises(UsageError, match="read by others"):
        sign({}, key)


def test_a_file_that_is_no_key_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(UsageError) as raised:
        sign({}, path)
    assert "c2VjcmV0" not in f"{raised.value}{raised.value.hint}"
    with pytest.raises(UsageError):
        sign({}, tmp_path / "absent.pem")


class _Page(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = ""
        self.style = ""
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_style = tag == "style"
        if tag in ("script", "link", "img", "iframe", "object", "embed", "form", "base", "a", "audio", "video", "svg"):
            self.found.append(tag)
        self.found += [name for name in given if name in ("src", "href", "srcset", "action", "style", "background")]
        self.found += [name for name in given if name.startswith("on")]
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])

    def handle_data(self, data: str) -> None:
        self.style += data if self._in_style else ""

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def test_the_html_form_references_nothing_outside_and_runs_nothing(shell: Shell, finished: Path) -> None:
    page = _Page()
    page.feed(shell("report", "arc", "--format", "html").out)
    assert page.found == []
    assert page.policy.startswith("default-src 'none'")
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert "@media print" in page.style

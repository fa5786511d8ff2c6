"""Reads what people paste: output of nslookup, Resolve-DnsName, dig, host and resolvectl, in any language. Pure.

Invariant: what cannot be understood is an error that says so, never a guess. Only lines of a known shape are taken;
labels that systems translate are known by a list of words, and failures also by the codes that are never translated.

Source: output of BIND 9.18 nslookup, dig and host, of systemd's resolvectl, of Windows nslookup and of the module
DnsClient, as their manuals show it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from runbook.core.error import UsageError
from runbook.dns.model import Answer

LONGEST: Final = 1_000_000
"""Characters that are read."""
MOST_LINKS: Final = 16
"""CNAMEs followed in one answer."""

_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?:\.\.\.|…)?"
_IP: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PROMPT: Final = re.compile(r"(?:^|[>$#%]\s*)(nslookup|dig|host|Resolve-DnsName)(?:\.exe)?\s+(\S.*)$", re.IGNORECASE)
_DIG_HEAD: Final = re.compile(r"^; <<>> DiG \S+.*<<>>\s*(.*)$")
_DIG_STATUS: Final = re.compile(r"^;; ->>HEADER<<-.*status: ([A-Z]+)")
_DIG_FLAGS: Final = re.compile(r"^;; flags: ([a-z ]+);")
_DIG_QUESTION: Final = re.compile(rf"^;({_HOST})\.?\s+IN\s+A\s*$")
_DIG_SERVER: Final = re.compile(r"^;; SERVER: ([^\s#]+)#(\d+)")
_ROW: Final = re.compile(rf"^({_HOST})\.?\s+(\d+)\s+IN\s+(A|CNAME)\s+(\S+?)\.?$")
_TABLE: Final = re.compile(rf"^({_HOST})\s+(A|CNAME)\s+(\d+)\s+\S+\s+(\S+?)\.?$")
_CANONICAL: Final = re.compile(rf"^({_HOST})\.?\s+canonical name = (\S+?)\.?$")
_IS_ALIAS: Final = re.compile(rf"^({_HOST})\.? is an alias for (\S+?)\.?$")
_HAS_ADDRESS: Final = re.compile(rf"^({_HOST})\.? has address (\S+)$")
_LINKED: Final = re.compile(rf"^({_HOST}): (\S+)\s+-- link: \S+$")
_TYPED: Final = re.compile(rf"^>\s+({_HOST})\.?\s*$")
_LABEL: Final = re.compile(r"^\s*([^\s:][^:]{0,24}?)\s*:\s*(\S+)\s*$")
_MORE: Final = re.compile(r"^\s+(\S+)\s*$")
_SHELL_ERROR: Final = re.compile(rf"Resolve-DnsName\s*:\s*({_HOST})\s*:\s*(.*)$")
_ERROR_ID: Final = re.compile(r"FullyQualifiedErrorId\s*:\s*([A-Z0-9_]+)")

_SERVER: Final = frozenset(
    {"server", "serveur", "servidor", "serwer", "szerver", "服务器", "伺服器", "サーバー", "сервер"}
)
_NAME: Final = frozenset({"name", "nom", "nombre", "nome", "naam", "nazwa", "név", "名称", "名稱", "名前", "имя"})
_ADDRESS: Final = frozenset(
    {"address", "addresses", "adresse", "adressen", "adresses", "dirección", "direcciones", "indirizzo", "endereço"}
    | {"adres", "adresy", "cím", "ip4address", "ipaddress", "ipv4address", "地址", "アドレス"}
)
_ALIAS: Final = frozenset({"alias", "aliases", "aliasnamen", "namehost", "别名", "エイリアス"})
_FAILURES: Final = (
    (
        re.compile(
            r"NXDOMAIN|non-existent domain|NAME_ERROR|does not exist|nicht vorhanden|n.existe pas|no existe", re.I
        ),
        "NXDOMAIN",
    ),
    (re.compile(r"refused|verweigert", re.I), "REFUSED"),
    (re.compile(r"timed[ -]?out|TIMEOUT|no servers could be reached|no response", re.I), "TIMEOUT"),
    (re.compile(r"SERVFAIL|server failed|server failure|SERVER_FAILURE", re.I), "SERVFAIL"),
    (re.compile(r"No answer|No internal type|NO_RECORDS", re.I), "NOERROR"),
)


@dataclass(slots=True)
class _Block:
    """What belongs to one question, or to several that nothing separates."""

    server: str = ""
    title: str = ""
    """The server's name, as Windows gives it above its address."""
    asked: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    ttl: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    is_own: bool | None = None
    status: str = ""

    def answers(self) -> Iterator[Answer]:
        targets = set(self.aliases.values())
        starts = [*self.asked, *self.aliases, *self.addresses]
        for name in dict.fromkeys([*(s for s in starts if s not in targets or s in self.asked), *self.failed]):
            if (found := self._answer(name)) is not None:
                yield found

    def _answer(self, name: str) -> Answer | None:
        chain: list[str] = []
        here = name
        while here in self.aliases and len(chain) < MOST_LINKS:
            here = self.aliases[here]
            chain.append(here)
        addresses = tuple(sorted(self.addresses.get(here, ())))
        status = self.failed.get(here) or self.failed.get(name) or self.status
        if not addresses and not status and not chain:
            return None
        ttls = [self.ttl[n] for n in (name, *chain) if n in self.ttl]
        return Answer(
            name,
            "NOERROR" if addresses else status or "NOERROR",
            tuple(chain),
            addresses,
            self.server,
            min(ttls) if ttls else None,
            self.is_own,
        )


class _Reader:
    """Line by line. ``_owner`` is the name that an address belongs to, ``_last`` the kind of the last label."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self.blocks: list[_Block] = [_Block()]
        self._owner = self._last = self._shell_name = ""

    def read(self, line: str) -> None:
        for take in (self._failures, self._heads, self._rows, self._labels, self._more):
            if take(line):
                return
        if not line.strip():
            self._last = "" if self._last != "server" else self._last

    @property
    def _block(self) -> _Block:
        return self.blocks[-1]

    def _begin(self, server: str = "") -> None:
        self.blocks.append(_Block(server))
        self._owner = self._last = ""

    # ------------------------------------------------------------ kinds of lines

    def _heads(self, line: str) -> bool:
        if found := _DIG_HEAD.match(line) or _PROMPT.search(line):
            self._begin()
            words = found[found.lastindex or 1].split()
            is_shell = found.re is _PROMPT and found[1].lower() == "resolve-dnsname"
            servers = [w[1:] for w in words if w.startswith("@")]
            servers += [words[i + 1] for i, w in enumerate(words[:-1]) if w.lower() == "-server"]
            plain = [
                w for i, w in enumerate(words) if w[0] not in "-+@" and (not i or not words[i - 1].startswith("-"))
            ]
            named = [w for w in words if w[0] not in "-+@" and "." in w and not _IP.fullmatch(w)]
            if not servers and not is_shell and found.re is _PROMPT and len(plain) > 1 and _IP.fullmatch(plain[1]):
                servers = [plain[1]]
            self._block.server = servers[0] if servers else ""
            self._block.asked += [_clean(w) for w in named[:1]]
            return True
        if (found := _TYPED.match(line)) and "." in found[1]:
            self._begin()
            self._block.asked.append(_clean(found[1]))
            return True
        if found := _DIG_STATUS.match(line):
            if self._block.status:
                self._begin()
            self._block.status = found[1]
            return True
        if found := _DIG_FLAGS.match(line):
            self._block.is_own = "aa" in found[1].split()
            return True
        if found := _DIG_QUESTION.match(line):
            self._block.asked = list(dict.fromkeys([*self._block.asked, _clean(found[1])]))
            return True
        if found := _DIG_SERVER.match(line):
            self._block.server = found[1] if found[2] == "53" else f"{found[1]}:{found[2]}"
            return True
        return False

    def _rows(self, line: str) -> bool:
        text = line.strip()
        if found := _ROW.match(text):
            return self._record(found[1], found[3], found[4], int(found[2]))
        if found := _TABLE.match(text):
            return self._record(found[1], found[2], found[4], int(found[3]))
        if found := _CANONICAL.match(text) or _IS_ALIAS.match(text):
            return self._record(found[1], "CNAME", found[2])
        if found := _HAS_ADDRESS.match(text) or _LINKED.match(text):
            return self._record(found[1], "A", found[2])
        return False

    def _record(self, owner: str, kind: str, value: str, ttl: int | None = None) -> bool:
        name = _clean(owner)
        if kind == "CNAME":
            self._block.aliases[name] = _clean(value)
        elif not _is_address(value):
            return False
        else:
            self._block.addresses.setdefault(name, []).append(value)
        if ttl is not None:
            self._block.ttl[name] = ttl
        return True

    def _failures(self, line: str) -> bool:
        if found := _SHELL_ERROR.search(line):
            self._shell_name = _clean(found[1])
            self._block.failed[self._shell_name] = _failure(found[2]) or "SERVFAIL"
            return True
        if (found := _ERROR_ID.search(line)) and self._shell_name:
            self._block.failed[self._shell_name] = _failure(found[1]) or "SERVFAIL"
            return True
        is_loud = line.lstrip().startswith(("***", "**", ";; connection", ";; communications", ";; no servers"))
        if not is_loud and not (line.startswith("Host ") and "not found" in line):
            return False
        status = _failure(line)
        hosts = [_clean(w) for w in re.findall(_HOST, line) if "." in w and not _IP.fullmatch(w)]
        named = [h for h in hosts if h not in (self._block.server, self._block.title)]
        whom = [h for h in named if h in self._known][-1:] or named[-1:] or self._block.asked[-1:]
        if status and whom and whom[0] not in self._block.addresses:
            self._block.failed[whom[0]] = status
        return bool(status)

    def _labels(self, line: str) -> bool:
        found = _LABEL.match(line)
        if found is None:
            return False
        label, value = re.sub(r"\s", "", found[1]).lower(), found[2]
        if label in _SERVER:
            asked = self._block.asked if not self._block.addresses and not self._block.server else []
            self._begin(_clean(value))
            self._block.title = _clean(value)
            self._block.asked += asked
            self._last = "server"
            return True
        if label in _NAME:
            self._owner, self._last = _clean(value), "name"
            return True
        if label in _ADDRESS:
            return self._address(value)
        if label in _ALIAS:
            return self._alias(value, is_host=label == "namehost")
        if label == "ttl" and value.isdigit() and self._owner:
            self._block.ttl[self._owner] = int(value)
            return True
        return False

    def _more(self, line: str) -> bool:
        found = _MORE.match(line)
        if found is None:
            return False
        if self._last == "address":
            return self._address(found[1])
        return self._last == "alias" and self._alias(found[1], is_host=False)

    def _address(self, value: str) -> bool:
        if self._last == "server":
            address = value.partition("#")[0]
            self._block.server = address if _is_address(address) else self._block.server
            self._last = ""
            return True
        self._last = "address"
        if self._owner and _is_address(value):
            self._block.addresses.setdefault(self._owner, []).append(value)
            return True
        return ":" in value  # an IPv6 address, which no private endpoint has

    def _alias(self, value: str, *, is_host: bool) -> bool:
        """Windows lists the aliases behind the name that they lead to, the asked one first."""
        if not self._owner:
            return False
        if is_host:
            self._block.aliases[self._owner] = _clean(value)
            return True
        alias, self._last = _clean(value), "alias"
        before = next((a for a, target in self._block.aliases.items() if target == self._owner), None)
        if before is not None:
            self._block.aliases[before] = alias
        self._block.aliases[alias] = self._owner
        return True


def read_paste(text: str, known: Iterable[str] = (), label: str = "the pasted text") -> tuple[Answer, ...]:
    """Every answer in a pasted text, one for each name and server.

    Args:
        text: what was pasted, whole.
        known: names that may stand there cut short, as Windows tables show them.
        label: what it is called in errors.

    Raises:
        UsageError: it is too long, or nothing in it can be understood.
    """
    if len(text) > LONGEST:
        raise UsageError(f"{label} is longer than {LONGEST} characters.", "Paste only the lookups of this run's names.")
    whole = tuple(known)
    reader = _Reader(frozenset(whole))
    for line in text.replace("\r", "\n").replace("\x00", "").splitlines():
        reader.read(line.rstrip())
    found: dict[tuple[str, str], Answer] = {}
    for block in reader.blocks:
        for answer in block.answers():
            name = _whole(answer.name, whole, label)
            found[name, answer.server] = Answer(
                name, answer.status, answer.chain, answer.addresses, answer.server, answer.ttl_s, answer.is_own
            )
    if not found:
        raise UsageError(
            f"Nothing in {label} reads as an answer of nslookup, Resolve-DnsName, dig or host.",
            "Paste the whole output, with the names: `dig +short` leaves them out. For example: "
            "nslookup gbl.his.arc.azure.com",
        )
    return tuple(found.values())


def decode(data: bytes) -> str:
    """A file as text: UTF-16 as Windows PowerShell writes it, else UTF-8; what is neither is replaced."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _whole(name: str, known: tuple[str, ...], label: str) -> str:
    """A name that a table cut short, completed from the known ones.

    Raises:
        UsageError: none or several fit.
    """
    start = name.removesuffix("…").removesuffix("...")
    if start == name:
        return name
    fitting = [k for k in known if k.startswith(start)]
    if len(fitting) == 1:
        return fitting[0]
    raise UsageError(
        f"{label} has a name that was cut short, {name}, and {len(fitting)} names of this run begin so.",
        "Paste it with whole names: Resolve-DnsName NAME | Format-List",
    )


def _failure(text: str) -> str:
    return next((status for pattern, status in _FAILURES if pattern.search(text)), "")


def _clean(name: str) -> str:
    cut = name.endswith(("...", "…"))
    return name.strip().lower() if cut else name.strip().lower().rstrip(".")


def _is_address(text: str) -> bool:
    if not _IP.fullmatch(text):
        return False
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True

"""What people paste is read as it is; what cannot be read is told, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.error import UsageError
from runbook.dns.model import Answer
from runbook.dns.pasted import LONGEST, decode, read_paste

GBL = "gbl.his.arc.azure.com"
INNER = "gbl.privatelink.his.arc.azure.com"


def only(text: str, *known: str) -> Answer:
    (found,) = read_paste(text, known)
    return found


WINDOWS = """\
Server:  dc01.contoso.local
Address:  10.0.0.4

Non-authoritative answer:
Name:    gbl.privatelink.his.arc.azure.com
Address:  10.20.1.4
Aliases:  gbl.his.arc.azure.com

"""
FRENCH = """\
Serveur :   UnKnown
Address:  192.168.1.1

Réponse ne faisant pas autorité :
Nom :    gbl.privatelink.his.arc.azure.com
Address:  10.20.1.4
Aliases:  gbl.his.arc.azure.com
"""
GERMAN = """\
Server:  UnKnown
Address:  192.168.1.1

Nicht autorisierende Antwort:
Name:    gbl.privatelink.his.arc.azure.com
Address:  10.20.1.4
Aliases:  gbl.his.arc.azure.com
"""
LINUX = """\
Server:\t\t127.0.0.53
Address:\t127.0.0.53#53

Non-authoritative answer:
gbl.his.arc.azure.com\tcanonical name = gbl.privatelink.his.arc.azure.com.
Name:\tgbl.privatelink.his.arc.azure.com
Address: 10.20.1.4
"""
HOST = """\
gbl.his.arc.azure.com is an alias for gbl.privatelink.his.arc.azure.com.
gbl.privatelink.his.arc.azure.com has address 10.20.1.4
"""
SHELL = """\
PS C:\\> Resolve-DnsName gbl.his.arc.azure.com -Server 10.0.0.4

Name                           Type   TTL   Section    NameHost
----                           ----   ---   -------    --------
gbl.his.arc.azure.com          CNAME  60    Answer     gbl.privatelink.his.arc.azure.com

Name       : gbl.privatelink.his.arc.azure.com
QueryType  : A
TTL        : 10
Section    : Answer
IP4Address : 10.20.1.4


"""
SHELL_LIST = """\
Name     : gbl.his.arc.azure.com
Type     : CNAME
TTL      : 60
Section  : Answer
NameHost : gbl.privatelink.his.arc.azure.com

Name       : gbl.privatelink.his.arc.azure.com
QueryType  : A
TTL        : 10
Section    : Answer
IP4Address : 10.20.1.4
"""


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (WINDOWS, "10.0.0.4"),
        (WINDOWS.replace("\n", "\r\n"), "10.0.0.4"),
        (FRENCH, "192.168.1.1"),
        (GERMAN, "192.168.1.1"),
        (LINUX, "127.0.0.53"),
        (HOST, ""),
        (SHELL, "10.0.0.4"),
        (SHELL_LIST, ""),
    ],
    ids=["windows", "crlf", "french", "german", "linux", "host", "powershell", "powershell-list"],
)
def test_each_tool_in_each_language_gives_the_same_answer(text: str, server: str) -> None:
    found = only(text)
    assert (found.name, found.chain, found.addresses, found.status) == (GBL, (INNER,), ("10.20.1.4",), "NOERROR")
    assert found.server == server


def test_a_session_of_typed_names_is_read_question_by_question() -> None:
    text = f"""C:\\>nslookup
Standardserver:  dc01.contoso.local
Address:  10.0.0.4

> {GBL}
{GERMAN.replace("192.168.1.1", "10.0.0.4")}
> we.his.arc.azure.com
Server:  dc01.contoso.local
Address:  10.0.0.4

*** we.his.arc.azure.com wurde von dc01.contoso.local nicht gefunden: Non-existent domain.
> silent.his.arc.azure.com
Server:  dc01.contoso.local
Address:  10.0.0.4

DNS request timed out.
*** Request to dc01.contoso.local timed-out
"""
    found = {a.name: (a.status, a.addresses, a.server) for a in read_paste(text)}
    assert found == {
        GBL: ("NOERROR", ("10.20.1.4",), "10.0.0.4"),
        "we.his.arc.azure.com": ("NXDOMAIN", (), "10.0.0.4"),
        "silent.his.arc.azure.com": ("TIMEOUT", (), "10.0.0.4"),
    }


def test_of_several_hosts_in_a_failure_the_runs_own_name_is_meant() -> None:
    text = f"*** {GBL}: Non-existent domain, said relay.contoso.local"
    assert [a.name for a in read_paste(text, [GBL])] == [GBL]


def test_what_resolvectl_says_is_read_too() -> None:
    text = f"{GBL}: 10.20.1.4    -- link: eth0\n      ({INNER})\n\n-- Information acquired via protocol DNS in 2.1ms.\n"
    assert (only(text).name, only(text).addresses) == (GBL, ("10.20.1.4",))


def test_the_shortest_time_of_a_chain_is_the_time_that_counts() -> None:
    assert only(SHELL).ttl_s == 10


def test_several_addresses_stand_below_one_another() -> None:
    text = WINDOWS.replace("Address:  10.20.1.4", "Addresses:  2603:1030::1\n\t  10.20.1.4\n\t  10.20.1.5")
    assert only(text).addresses == ("10.20.1.4", "10.20.1.5")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"*** dc01.contoso.local can't find {GBL}: Non-existent domain", "NXDOMAIN"),
        (f"*** dc01.contoso.local wurde {GBL} nicht gefunden: Non-existent domain.", "NXDOMAIN"),
        (f"** server can't find {GBL}: NXDOMAIN", "NXDOMAIN"),
        (f"** server can't find {GBL}: SERVFAIL", "SERVFAIL"),
        (f"*** UnKnown can't find {GBL}: Query refused", "REFUSED"),
        (f"Host {GBL} not found: 3(NXDOMAIN)", "NXDOMAIN"),
        (f"> nslookup {GBL} 10.0.0.9\n;; connection timed out; no servers could be reached", "TIMEOUT"),
        (f"C:\\> nslookup {GBL}\nDNS request timed out.\n*** Request to UnKnown timed-out", "TIMEOUT"),
        (f"*** Can't find {GBL}: No answer", "NOERROR"),
        (f"Resolve-DnsName: {GBL} : DNS name does not exist.", "NXDOMAIN"),
        (
            f"Resolve-DnsName : {GBL} : Ce délai d’attente\n    + FullyQualifiedErrorId : "
            "ERROR_TIMEOUT,Microsoft.DnsClient",
            "TIMEOUT",
        ),
    ],
)
def test_a_failure_is_read_for_the_name_that_failed(text: str, status: str) -> None:
    found = only(text)
    assert (found.name, found.addresses, found.status) == (GBL, (), status)


def test_dig_tells_whose_data_it_is_and_how_long_it_may_be_kept() -> None:
    text = (
        ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n"
        ";; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n"
        f";; ANSWER SECTION:\n{GBL}.\t3600\tIN\tA\t10.20.7.7\n;; SERVER: 127.0.0.1#5353(127.0.0.1) (UDP)\n"
    )
    found = only(text)
    assert (found.is_own, found.ttl_s, found.server) == (True, 3600, "127.0.0.1:5353")


def test_dig_that_found_nothing_still_names_what_was_asked() -> None:
    text = f";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n;; QUESTION SECTION:\n;{GBL}.\t\tIN\tA\n"
    assert (only(text).name, only(text).status) == (GBL, "NXDOMAIN")


def test_a_name_that_a_table_cut_short_is_completed_when_only_one_fits() -> None:
    row = "agentserviceapi.guestconfigu... A      10    Answer     10.20.1.7"
    name = "agentserviceapi.guestconfiguration.azure.com"
    assert only(row, GBL, name).name == name
    with pytest.raises(UsageError, match="cut short"):
        read_paste(row, [GBL])


@pytest.mark.parametrize(
    "text", ["", "   \n", "10.20.1.4\n", "it works for me", "{}", "Name:\nAddress:\n", "\x00\x01\x02"]
)
def test_what_is_no_lookup_is_refused_with_what_to_paste(text: str) -> None:
    with pytest.raises(UsageError, match="reads as an answer") as caught:
        read_paste(text)
    assert "nslookup" in caught.value.hint


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than"):
        read_paste("x" * (LONGEST + 1))


def test_an_alias_that_leads_to_itself_ends() -> None:
    found = only(f"{GBL} is an alias for {GBL}.\n> nslookup {GBL}\n{GBL} is an alias for {GBL}.\n")
    assert found.addresses == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_as_windows_and_others_write_it(encoding: str) -> None:
    assert only(decode(FRENCH.encode(encoding))).addresses == ("10.20.1.4",)


@given(st.text(max_size=400))
def test_garbage_is_an_error_or_an_answer_and_nothing_else(text: str) -> None:
    try:
        found = read_paste(text)
    except UsageError:
        return
    assert all(answer.name for answer in found)


@given(st.lists(st.sampled_from([*WINDOWS.splitlines(), *LINUX.splitlines(), *SHELL.splitlines()]), max_size=30))
def test_lines_in_any_order_never_break_the_reader(lines: list[str]) -> None:
    try:
        found = read_paste("\n".join(lines))
    except UsageError:
        return
    assert all(set(a.addresses) <= {"10.20.1.4", "10.0.0.4", "127.0.0.53"} for a in found)

"""Whatever a place answers, it is right only when it is exactly the endpoint's address."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook.dns.estate import Estate, Network
from runbook.dns.judge import Hints, Looked, judge
from runbook.dns.model import Answer, Name, Place, Rule

NAME = Name("gbl.his.arc.azure.com", "10.0.0.4", "10.0.0.4", "privatelink.his.arc.azure.com", "gbl", "/pe", "a test")
VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub"
ESTATE = Estate(networks={VNET.lower(): Network(VNET)}, owners={"10.0.0.9": "pe-other"})
addresses = st.lists(
    st.sampled_from(["10.0.0.4", "10.0.0.9", "10.9.9.9", "203.0.113.9", "100.64.0.1", "0.0.0.0", "x"]), max_size=3
)
answers = st.builds(
    Answer,
    name=st.just(NAME.fqdn),
    status=st.sampled_from(["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "TIMEOUT", "FORMERR", "NOTIMP"]),
    addresses=addresses.map(lambda found: tuple(sorted(set(found)))),
    ttl_s=st.one_of(st.none(), st.integers(0, 86_400)),
    is_own=st.one_of(st.none(), st.booleans()),
)
places = st.sampled_from(
    [
        Place("on-premises", "premises", "the premises"),
        Place("resolver:x", "resolver", "x"),
        Place(f"network:{VNET.lower()}", "network", "hub", network=VNET),
        Place("paste:1", "paste", "a paste"),
    ]
)


@given(answers, st.one_of(st.none(), answers), places, st.booleans(), st.booleans())
def test_only_the_endpoints_own_address_is_right_and_every_wrong_answer_has_cause_and_fix(
    answer: Answer, inner: Answer | None, place: Place, sibling: bool, inner_ok: bool
) -> None:
    cell = judge(NAME, place, Looked(answer, inner), ESTATE, Hints(sibling, inner_ok))
    assert (cell.rule is Rule.OK) == (answer.addresses == (NAME.address,))
    if cell.state == "wrong":
        assert cell.cause
        assert cell.fix
        assert cell.observed


@given(answers)
def test_where_a_machine_stands_outside_nothing_is_ever_wrong(answer: Answer) -> None:
    here = Place("here", "here", "this machine", why_not="outside", counts=False)
    assert judge(NAME, here, Looked(answer), ESTATE).state in ("ok", "unseen")


def test_a_place_without_an_answer_says_why() -> None:
    place = Place("on-premises", "premises", "the premises", why_not="nobody stands there")
    cell = judge(NAME, place, None, ESTATE)
    assert (cell.rule, cell.cause) == (Rule.NOT_PROVABLE, "nobody stands there")

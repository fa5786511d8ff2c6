from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.sim.cloud import Call, Reply
from runbook.sim.routes import all_routes, type_of
from runbook.sim.wire import BAD_JSON
from tests.sim.world import RG, SUB, World

SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"


def test_an_unknown_path_type_namespace_method_or_version_is_an_error_that_names_it() -> None:
    world = World()
    cases = [
        ("GET", "/nowhere/at/all", "2021-04-01", 404, "InvalidRequestUri", "/nowhere/at/all"),
        ("GET", RG + "/providers/Microsoft.Fancy/things/x", "2021-04-01", 404, "InvalidResourceNamespace", "Fancy"),
        ("GET", RG + "/providers/Microsoft.HybridCompute/toys/x", "2022-12-27", 404, "InvalidResourceType", "toys"),
        ("POST", SCOPE, "2022-12-27", 405, "UnsupportedHttpMethod", "POST"),
        ("GET", SCOPE, "1999-01-01", 400, "NoRegisteredProviderFound", "1999-01-01"),
        ("GET", RG, "1999-01-01", 400, "InvalidApiVersionParameter", "1999-01-01"),
        ("GET", RG, "", 400, "MissingApiVersionParameter", "api-version"),
    ]
    for method, path, version, status, code, word in cases:
        found = world.refused(method, path, version, {})
        assert found[:2] == (status, code), path
        assert word in found[2]


def test_a_version_that_is_unknown_is_told_the_known_ones() -> None:
    assert "2022-12-27" in World().refused("GET", SCOPE, "1999-01-01")[2]


def test_the_type_of_a_path_is_what_comes_after_the_last_providers() -> None:
    assert type_of(SCOPE) == "Microsoft.HybridCompute/privateLinkScopes"
    assert (
        type_of(RG + "/providers/A.B/c/d/providers/Microsoft.Authorization/locks/l") == "Microsoft.Authorization/locks"
    )
    assert type_of(RG) == "Microsoft.Resources/subscriptions/resourceGroups"
    assert type_of("/subscriptions/x") == "Microsoft.Resources/subscriptions"


def test_every_route_names_versions_and_a_right() -> None:
    for entry in all_routes():
        assert entry.versions, entry.template
        assert "/" in entry.action, entry.template
        assert "{" not in entry.action.replace("{ns}", ""), entry.template


WORDS = ["rg", "nope", "Microsoft.Network", "", "%00", "ü", "a" * 300, "..", "'", "*", SUB, "westeurope", "x y", "{x}"]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["location", "properties", "tags", "id", "name", "subnet", "securityRules", "subnets"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
World()  # registers every route
TEMPLATES = [(r.method, r.template, max(r.versions)) for r in all_routes()]


def sound(reply: Reply) -> None:
    """An answer that is not a success is an error envelope, and never a 500."""
    assert 200 <= reply.status < 500, reply
    if reply.status >= 400 and reply.body is not None:
        error = reply.body["error"]
        assert error["code"]
        assert isinstance(error["message"], str)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_garbage_in_a_known_path_gives_an_envelope_never_a_traceback(data: st.DataObject) -> None:
    method, template, version = data.draw(st.sampled_from(TEMPLATES))
    world = _world()
    path = (
        "/".join(
            data.draw(st.sampled_from([*WORDS, "s"])) if part.startswith("{") and part != "{sub}" else part
            for part in template.split("/")
        )
        .replace("{sub}", SUB)
        .replace("//", "/x/")
    )
    body = data.draw(JSON | st.just(BAD_JSON))
    query = {"api-version": version} | data.draw(
        st.dictionaries(
            st.sampled_from(["$filter", "$skiptoken", "$select", "$expand"]), st.text(max_size=20), max_size=2
        )
    )
    headers = data.draw(
        st.dictionaries(st.sampled_from(["if-match", "if-none-match", "x-ms-client-request-id"]), st.text(max_size=9))
    )
    sound(world.cloud.handle(Call(method, path, query, headers, body)))


@settings(max_examples=200, deadline=None)
@given(method=st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "BREW", ""]), path=st.text(max_size=60))
def test_garbage_for_a_path_gives_an_envelope_never_a_traceback(method: str, path: str) -> None:
    sound(_world().cloud.handle(Call(method, path, {"api-version": "2021-04-01"}, {}, None)))


_SHARED: list[World] = []


def _world() -> World:
    """One world for all examples: garbage must not break it for the next call either."""
    if not _SHARED:
        _SHARED.append(World())
        _SHARED[0].ok("PUT", SCOPE, "2022-12-27", {"location": "westeurope"})
    return _SHARED[0]


def test_slashes_in_a_row_count_as_one() -> None:
    world = World()
    assert world.get(f"/subscriptions/{SUB}//resourceGroups///rg/", "2021-04-01")["name"] == "rg"

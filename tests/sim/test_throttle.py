from __future__ import annotations

from tests.sim.world import RG, World, scenario

V = "2021-04-01"
SMALL = {"size": 2, "refill": 0.5}


def test_an_empty_bucket_refuses_with_a_wait_after_which_one_token_is_back() -> None:
    world = World(scenario(throttle={"reads": SMALL}))
    left = [world.call("GET", RG, V).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(2)]
    assert left == ["1", "0"]
    reply = world.call("GET", RG, V)
    assert (reply.status, reply.body["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert reply.headers["Retry-After"] == "2"
    world.wait(1)
    assert world.call("GET", RG, V).status == 429
    world.wait(1)
    assert world.call("GET", RG, V).status == 200


def test_reads_writes_and_deletes_have_buckets_of_their_own() -> None:
    world = World(scenario(throttle={"reads": {"size": 1, "refill": 0}}))
    world.get(RG, V)
    assert world.call("GET", RG, V).headers["Retry-After"] == "3600"
    assert world.call("PUT", RG, V, {"location": "westeurope"}).status == 200


def test_a_rehearsal_is_not_throttled_unless_its_scenario_says_so() -> None:
    world = World()
    assert {world.call("GET", RG, V).status for _ in range(500)} == {200}

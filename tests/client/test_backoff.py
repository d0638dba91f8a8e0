from antiphon.client.backoff import Backoff


def test_the_limit_doubles_up_to_the_cap_and_the_wait_is_anywhere_below() -> None:
    limits: list[tuple[float, float]] = []

    def pick(low: float, high: float) -> float:
        limits.append((low, high))
        return high / 2

    backoff = Backoff(base_s=1, cap_s=5, pick=pick)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1, 2, 2.5, 2.5]
    assert {low for low, _ in limits} == {0.0}


def test_what_the_server_asks_comes_on_top_and_success_starts_over() -> None:
    backoff = Backoff(base_s=1, cap_s=100, pick=lambda _low, high: high)
    backoff.next_s()
    assert backoff.next_s(at_least_s=10) == 12
    backoff.reset()
    assert backoff.next_s() == 1


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(cap_s=15, pick=lambda _low, high: high)
    assert [backoff.next_s() for _ in range(2000)][-1] == 15

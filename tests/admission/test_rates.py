"""A user may publish so fast and no faster."""

from __future__ import annotations

import pytest

from antiphon.errors import Busy
from antiphon.server.access import LOCAL, User
from antiphon.server.rates import Rates

ANN, BOB = User("ann"), User("bob")


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def accepted(rates: Rates, user: User, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            rates.take(user)
            count += 1
        except Busy:
            pass
    return count


def test_one_second_is_in_the_bucket() -> None:
    clock = Clock()
    rates = Rates(10, clock=clock)
    assert accepted(rates, ANN, 100) == 10
    clock.now += 0.5
    assert accepted(rates, ANN, 100) == 5
    clock.now += 60
    assert accepted(rates, ANN, 100) == 10


def test_users_do_not_share() -> None:
    rates = Rates(10, clock=Clock())
    assert (accepted(rates, ANN, 100), accepted(rates, BOB, 100)) == (10, 10)


def test_slow_rates_let_one_through() -> None:
    clock = Clock()
    rates = Rates(0.1, clock=clock)
    assert accepted(rates, ANN, 5) == 1
    clock.now += 9
    assert accepted(rates, ANN, 5) == 0
    clock.now += 1
    assert accepted(rates, ANN, 5) == 1


def test_local_and_unlimited_are_never_refused() -> None:
    assert accepted(Rates(1, clock=Clock()), LOCAL, 100) == 100
    assert accepted(Rates(None), ANN, 100) == 100


def test_the_refusal_names_the_setting() -> None:
    rates = Rates(1, clock=Clock())
    rates.take(ANN)
    with pytest.raises(Busy, match=r"limits\.publishes_per_s"):
        rates.take(ANN)

"""lenet.server.shares: turns in a lane, and what a visitor may spend."""

import asyncio
import math
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from support import finished

from lenet.server import shares
from lenet.server.shares import Allowance, Crowded, Lane, visitor


async def ask(lane: Lane, who: str, done: list[str], wait: threading.Event | None = None) -> None:
    """A visitor's call, noted when it is done."""

    def work() -> None:
        if wait:
            assert wait.wait(60)
        done.append(who)

    visitor.set(who)
    await lane.run(work)


async def each_after_the_other(*calls: Coroutine[Any, Any, Any]) -> list[asyncio.Task]:
    """Begin calls in this order."""
    tasks = []
    for call in calls:
        tasks.append(asyncio.create_task(call))
        await asyncio.sleep(0)
    return tasks


def test_visitors_take_turns_however_many_calls_one_makes():
    async def visit() -> list[str]:
        lane, done, wait = Lane(50), [], threading.Event()
        many = [ask(lane, "many", done, wait), *(ask(lane, "many", done) for _ in range(5))]
        one = [ask(lane, "one", done), ask(lane, "one", done)]
        tasks = await each_after_the_other(*many, *one, ask(lane, "other", done))
        wait.set()
        await asyncio.gather(*tasks)
        return done

    assert finished(visit()) == [
        *("many", "one", "other", "many", "one", "many", "many", "many", "many")
    ]


def test_a_call_works_in_a_thread_and_the_loop_goes_on():
    async def visit() -> bool:
        lane = Lane(50)
        call = asyncio.create_task(lane.run(lambda: time.sleep(0.2) or threading.get_ident()))
        looped = 0
        while not call.done():
            await asyncio.sleep(0.001)
            looped += 1
        assert looped > 5
        return call.result() != threading.get_ident()

    assert finished(visit())


def test_on_the_loop_visitors_take_turns_too_and_the_loop_goes_on_between_calls():
    async def visit() -> tuple[list[str], int]:
        lane, done, looped = Lane(50, on_loop=True), [], 0
        thread = threading.get_ident()

        def work(who: str) -> None:
            assert threading.get_ident() == thread
            done.append(who)

        async def call(who: str) -> None:
            visitor.set(who)
            await lane.run(work, who)

        tasks = [asyncio.create_task(call("many")) for _ in range(6)]
        tasks.append(asyncio.create_task(call("one")))
        while not all(task.done() for task in tasks):
            looped += 1
            await asyncio.sleep(0)
        await call("later")
        return done, looped

    done, looped = finished(visit())
    assert done == ["many", "one", "many", "many", "many", "many", "many", "later"]
    assert looped >= 6


def test_a_visitor_with_too_many_calls_is_refused_and_others_are_not():
    async def visit() -> list[str]:
        lane, done, wait = Lane(waiting=2), [], threading.Event()
        tasks = await each_after_the_other(
            ask(lane, "many", done, wait), *(ask(lane, "many", done) for _ in range(2))
        )
        with pytest.raises(Crowded, match="2 of your requests wait already"):
            await ask(lane, "many", done)
        tasks += await each_after_the_other(ask(lane, "one", done))
        wait.set()
        await asyncio.gather(*tasks)
        return done

    assert finished(visit()) == ["many", "one", "many", "many"]


def test_a_call_that_fails_or_is_given_up_leaves_the_lane_free():
    async def visit() -> list[str]:
        lane, done, wait = Lane(50), [], threading.Event()
        first, second, third, fourth = await each_after_the_other(
            ask(lane, "a", done, wait),
            ask(lane, "b", done),
            ask(lane, "c", done),
            ask(lane, "d", done),
        )
        second.cancel()
        wait.set()
        await first
        third.cancel()  # as it gets its turn
        await asyncio.gather(second, third, return_exceptions=True)
        await fourth
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 / 0)
        await ask(lane, "e", done)
        return done

    done = finished(visit())
    assert done[0] == "a" and done[-2:] == ["d", "e"]


# ---------------------------------------------------------------- allowances


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shares, "time", clock)
    return clock


def spend(allowance: Allowance, who: str, amount: float) -> float:
    visitor.set(who)
    return allowance.spend(amount)


def test_what_was_spent_comes_back_in_time(clock: Clock):
    allowance = Allowance(each=100, seconds=10)
    assert spend(allowance, "one", 100) == 0
    assert spend(allowance, "one", 50) == 5
    assert spend(allowance, "two", 100) == 0
    clock.now += 5
    assert spend(allowance, "one", 0) == 0
    assert spend(allowance, "one", 10) == 1
    clock.now += 100
    assert spend(allowance, "one", 100) == 0


def test_all_together_have_a_limit_too(clock: Clock):
    allowance = Allowance(each=100, together=150, seconds=15)
    assert [spend(allowance, who, 60) for who in ("one", "two", "three")] == [0, 0, 3]
    clock.now += 3
    assert spend(allowance, "four", 0) == 0


def test_visitors_of_long_ago_are_forgotten(clock: Clock):
    allowance = Allowance(each=1, together=math.inf, seconds=1)
    for number in range(10_000):
        clock.now += 0.01
        spend(allowance, str(number), 1)
    assert len(allowance._spent) <= 1101

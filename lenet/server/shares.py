"""Fair shares of the server: what one visitor does costs the others little, however much it is.

A visitor is an address. Dear calls wait in lanes, where visitors take turns; what is sent is
counted by the byte. This file knows nothing of what anybody asks for.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from itertools import chain
from typing import ParamSpec, TypeVar

import anyio
from anyio.to_thread import run_sync

P = ParamSpec("P")
Answer = TypeVar("Answer")

_ALL = "everybody"  # no address
_REMEMBERED = 1000  # visitors, before those are forgotten who have not come for a while

visitor: ContextVar[str] = ContextVar("visitor", default="")  # who asks, in each request


class Crowded(RuntimeError):
    """What a visitor cannot have now, for having had so much: one sentence."""


class Lane:
    """A thread of its own for dear calls, off the event loop. Visitors take turns, so that nobody
    waits for more than one call of each other visitor.

    Args:
        waiting: how many calls of one visitor may wait.
    """

    def __init__(self, waiting: int = 50) -> None:
        self.waiting = waiting
        self._busy = False
        self._turns: dict[str, deque[asyncio.Future[None]]] = {}  # the calls that wait
        self._order: list[str] = []  # of these visitors, who had a turn, the latest last
        self._thread = anyio.CapacityLimiter(1)

    async def run(self, function: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """Call a function when this visitor's turn has come.

        Raises:
            Crowded: so many of the visitor's calls wait already.
        """
        await self._wait()
        self._order = [who for who in self._order if who in self._turns and who != visitor.get()]
        self._order.append(visitor.get())
        try:
            return await run_sync(lambda: function(*args, **kwargs), limiter=self._thread)
        finally:
            self._pass_on()

    async def _wait(self) -> None:
        if not self._busy:
            self._busy = True
            return
        own = self._turns.setdefault(visitor.get(), deque())
        if len(own) >= self.waiting:
            raise Crowded(f"{self.waiting} of your requests wait already: wait for their answers.")
        turn = asyncio.get_running_loop().create_future()
        own.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it had just been this call's turn
            raise

    def _pass_on(self) -> None:
        while self._turns:
            new = (who for who in self._turns if who not in self._order)
            old = (who for who in self._order if who in self._turns)
            who = next(chain(new, old))
            turn = self._turns[who].popleft()
            if not self._turns[who]:
                del self._turns[who]
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._busy = False


QUICK = Lane()  # what takes milliseconds: long drawings, films, pictures
SLOW = Lane()  # what may take seconds: evaluating networks, loading data sets


class Allowance:
    """So much for each visitor, and for all together; what was spent comes back steadily.

    Args:
        each: what one visitor may spend at once.
        together: what all may.
        seconds: in which all of it comes back.
    """

    def __init__(self, each: float, together: float = math.inf, seconds: float = 1) -> None:
        self._each, self._together, self._seconds = each, together, seconds
        self._spent: dict[str, tuple[float, float]] = {}  # how much, and when that was so

    def spend(self, amount: float) -> float:
        """Spend so much, and return the seconds until a visitor who waits that long is even."""
        now = time.monotonic()
        if len(self._spent) > _REMEMBERED:
            self._forget(now)
        limits = {visitor.get(): self._each, _ALL: self._together}
        return max(self._spend(who, limit, amount, now) for who, limit in limits.items())

    def _spend(self, who: str, limit: float, amount: float, now: float) -> float:
        if limit == math.inf:
            return 0.0
        before, then = self._spent.get(who, (0.0, now))
        spent = max(0.0, before - limit / self._seconds * (now - then)) + amount
        self._spent[who] = spent, now
        return max(0.0, (spent - limit) * self._seconds / limit)

    def _forget(self, now: float) -> None:
        for who, (_, then) in [*self._spent.items()]:
            if now - then > self._seconds:
                del self._spent[who]

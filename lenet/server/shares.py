"""Fair shares of the server: however much one visitor asks for, it costs the others little.

A visitor is an address. Expensive calls wait in lanes, where visitors take turns; what is sent is
counted by the byte. This file knows nothing of what anybody asks for.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import chain
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Answer = TypeVar("Answer")

_ALL = "everybody"  # no address
_REMEMBERED = 1000  # visitors; beyond, those who have not come for a while are forgotten

visitor: ContextVar[str] = ContextVar("visitor", default="")  # who asks, in each request
large: ContextVar[bool] = ContextVar("large", default=False)  # whether it came through `LARGE`


class Crowded(RuntimeError):
    """A visitor has used up a share for now: one sentence."""


class Lane:
    """Where calls are answered one after the other. Visitors take turns, so that nobody waits for
    more than a call or two of each other visitor.

    Args:
        waiting: how many calls of one visitor may wait.
        on_loop: whether they are answered on the event loop, which looks for new requests between
            two of them, or in a thread.
    """

    def __init__(self, waiting: int, on_loop: bool = False) -> None:
        self.waiting = waiting
        self._busy = False
        self._turns: dict[str, deque[asyncio.Future[None]]] = {}  # the calls that wait
        self._order: list[str] = []  # of these visitors, who had a turn, the latest last
        # One thread alone: each thread of a pool would keep memory of its own for torch.
        self._thread = None if on_loop else ThreadPoolExecutor(1)

    async def run(self, function: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """Call a function when this visitor's turn has come.

        Raises:
            Crowded: so many of the visitor's calls wait already.
        """
        async with self.turn():
            if self._thread is None:
                return function(*args, **kwargs)
            call = partial(copy_context().run, function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """This visitor's turn, for what is not one function.

        Raises:
            Crowded: as `run`.
        """
        await self._wait()
        self._order = [who for who in self._order if who in self._turns and who != visitor.get()]
        self._order.append(visitor.get())
        try:
            yield
        finally:
            asyncio.get_running_loop().call_soon(self._pass_on)

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


AT_ONCE = Lane(1000, on_loop=True)  # usual drawings: a millisecond, less than a thread costs
GRADIO = Lane(1000, on_loop=True)  # what Gradio parses on the event loop
LARGE = Lane(1000, on_loop=True)  # of that, what takes ten times its size as Python's objects
QUICK = Lane(50)  # what takes some milliseconds: long drawings, films, pictures, a look inside
SLOW = Lane(50)  # what may take seconds: evaluating networks, loading data sets


class Allowance:
    """An allowance for each visitor and for all together, which refills steadily.

    Args:
        each: what one visitor may spend at once.
        together: what all may.
        seconds: in which all of it comes back.
    """

    def __init__(self, each: float, together: float = math.inf, seconds: float = 1) -> None:
        self._each, self._together, self._seconds = each, together, seconds
        self._spent: dict[str, tuple[float, float]] = {}  # how much, and when that was so

    def spend(self, amount: float) -> float:
        """Spend an amount, and return the seconds until it is no longer more than the allowance."""
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

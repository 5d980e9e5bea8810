"""Gradio's queue, made safe: no visitor can fill it or slow the others.

Gradio lets everybody wait in one line, and until it forgets a page it keeps what the page sent and
the answers that nobody fetched. Here each visitor has a share, and of a call only its answer is
kept, for a minute. Lanes (`lenet.server.shares`) say who waits for whom: the queue itself lets
every call begin at once.
"""

import asyncio
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage, ProcessCompletedMessage
from gradio.state_holder import SessionState, StateHolder
from gradio.utils import run_coro_in_background
from starlette.requests import Request

from lenet.server.guard import HELD_UP
from lenet.server.shares import large, visitor

ALL = 500  # calls of everybody that are under way or have not been fetched
EACH = 100  # the same of one visitor to a public server
EACH_BYTES = 4 << 20  # that these sent
KEPT = 60.0  # seconds that an answer waits for its visitor
TIDY_EVERY = 10.0  # seconds


@dataclass
class _Call:
    """A call that is under way or whose answer waits.

    Attributes:
        visitor: who made it.
        size: the bytes that it sent.
        session: the stream that its answer goes to.
        ended: when it was first seen to have ended.
    """

    visitor: str
    size: int
    session: str
    ended: float | None = None


class FairQueue(Queue):
    """Takes the place of a queue that Gradio has made.

    Args:
        made: that queue.
        public: whether strangers use the server, so that each visitor gets a share only.
    """

    def __init__(self, made: Queue, public: bool) -> None:
        vars(self).update(vars(made))
        self.public = public
        self.sleep_when_free = 0.005  # seconds; Gradio's 0.001 takes 3 % of a core
        self._calls: dict[str, _Call] = {}  # by the event's id
        self._sessions: dict[str, float] = {}  # when each was used last

    def start(self) -> None:
        """Begin to work, and to tidy regularly."""
        self.max_thread_count = ALL
        super().start()
        run_coro_in_background(self._tidy_regularly)

    async def push(self, body: PredictBodyInternal, request: Request, username: str | None) -> Any:
        """Take a call, or return False, a sentence that says why not and Gradio's word for that."""
        self.tidy()
        size = len(await request.body())
        own = [call for call in self._calls.values() if call.visitor == visitor.get()]
        if len(self._calls) >= ALL:
            return False, "The server is busy: try again in a minute.", "queue_full"
        too_much = len(own) >= EACH or sum(call.size for call in own) + size > EACH_BYTES
        if self.public and own and too_much:
            return False, "Wait for the answers to your other calls first.", "queue_full"
        for content in ("_body", "_json"):  # the request is kept while the call is under way
            vars(request).pop(content, None)
        answer = await super().push(body, request, username)
        taken, event = answer[:2]
        if taken and isinstance(event, str) and body.session_hash:
            self._calls[event] = _Call(visitor.get(), size, body.session_hash)
            self._sessions[body.session_hash] = time.monotonic()
            if large.get():
                await self._end_of(event)
        return answer

    async def _end_of(self, event: str) -> None:
        """Wait until a large call has ended, but not for long: as long as its request is not
        answered, the guard lets Gradio have no other.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(HELD_UP):
                while event in self.event_ids_to_events:
                    await asyncio.sleep(self.sleep_when_free)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """Let a message wait for its visitor, an answer in a small form."""
        if isinstance(event_message, ProcessCompletedMessage):
            event_message = _Packed.of(event_message)
        super().send_message(event, event_message)

    def tidy(self) -> None:
        """Forget calls that were answered, and answers that nobody fetches."""
        now = time.monotonic()
        for event, call in [*self._calls.items()]:
            if event in self.event_ids_to_events:
                continue
            answers = self.pending_event_ids_session.get(call.session, set())
            if event in answers:
                call.ended = call.ended or now
                if now - call.ended < KEPT:
                    continue
                answers.discard(event)
            del self._calls[event]
        for session, used in [*self._sessions.items()]:
            if now - used > KEPT and not self.pending_event_ids_session.get(session):
                self.pending_event_ids_session.pop(session, None)
                self.pending_messages_per_session.pop(session, None)
                del self._sessions[session]

    async def _tidy_regularly(self) -> None:
        while not self.stopped:
            await asyncio.sleep(TIDY_EVERY)
            self.tidy()

    async def start_progress_updates(self) -> None:
        """Do nothing: none of our functions reports progress this way, and looking takes time."""

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Nothing: Gradio would make a table of all records after each call."""
        return {}


class _Packed(ProcessCompletedMessage):
    """An answer that waits, compressed: as the thousands of objects that it consists of it would
    take a hundred times as much, and keep the memory around them from being used again.
    """

    packed: bytes

    @classmethod
    def of(cls, message: ProcessCompletedMessage) -> "_Packed":
        output = zlib.compress(orjson.dumps(message.output, default=str), 1)
        return cls(**{**dict(message), "output": {}, "packed": output})

    def model_dump(self, **options: Any) -> dict[str, Any]:
        dumped = super().model_dump(**options)
        return {**dumped, "output": orjson.loads(zlib.decompress(dumped.pop("packed")))}


class NoSessions(StateHolder):
    """Keeps no state of a page: each event of ours sends all that it needs."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self._one = _Forgetful(page)  # takes a while, and events of the page may come already
        self.set_blocks(page)

    def __getitem__(self, session_id: str) -> SessionState:
        return self._one


class _Forgetful(SessionState):
    """A component that an event has updated is read once, for the event's answer; Gradio would keep
    it, and one more for each event.
    """

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self._updated: dict[int, Any] = {}

    def __setitem__(self, key: int, value: Any) -> None:
        self._updated = {key: value}

    def __getitem__(self, key: int) -> Any:
        return self._updated.pop(key) if key in self._updated else super().__getitem__(key)

    def _update_config(self, key: int) -> None:
        """Do nothing: it would be read here."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Do nothing: what an event sends and returns is forgotten with it."""

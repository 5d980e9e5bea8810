"""How requests are read from a connection: what costs much time for its bytes ends the connection.

uvicorn reads with h11, which is written in Python: a body in chunks of one byte takes as long as a
thousand times its size in one piece, and a head of four bytes a line as long as a hundred usual
ones. All that has come is read before anybody else is answered. This file knows nothing of what
requests ask for.
"""

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 16 << 10  # bytes of a request's first line and its headers
LINES = 100  # of them
CHUNKS = 100  # of a body, and one more for each of its CHUNK bytes
CHUNK = 1 << 10


class _Reader(h11.Connection):
    """Reads requests, and refuses what would take long."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD)
        self._chunks = self._size = 0  # of the body that is being read

    def next_event(self) -> Any:
        """The next part of a request, as h11's.

        Raises:
            h11.RemoteProtocolError: it is malformed, or would take long.
        """
        if self.their_state is h11.IDLE:
            received, _ = self.trailing_data
            end = received.find(b"\r\n\r\n")
            end = len(received) if end < 0 else end
            if end > HEAD or received.count(b"\n", 0, end) > LINES:
                raise h11.RemoteProtocolError("a long head")
            self._chunks = self._size = 0
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._chunks += 1
            self._size += len(event.data)
            if self._chunks > CHUNKS + self._size // CHUNK:
                raise h11.RemoteProtocolError("many small chunks")
        return event


class Connection(H11Protocol):
    """uvicorn's, for requests as `_Reader` reads them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Reader()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request, or end the connection where its answer has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()

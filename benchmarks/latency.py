"""How fast answers follow the pen of a visitor who is far away from the server.

`python -m benchmarks.latency [--drawings N] [--ms MS …] [--json]` starts the page on this machine
and puts a proxy between it and a headless Chromium. The proxy delays every byte, half of the round
trip each way, and the first bytes of a connection by one round trip more, for opening it. Digits
are drawn with the mouse at each distance. Printed are the medians of the milliseconds from the last
movement of the pen to the answer on the screen, and of the answers a second. Needs
`tests/requirements.txt` and a Chromium.
"""

import argparse
import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from statistics import median
from urllib.parse import urlsplit

from benchmarks.responsiveness import chromium, draw, open_pad, quick_examples, served

DISTANCES = 0, 100, 300  # milliseconds there and back
PIECE = 1 << 16  # bytes


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, first: float
) -> None:
    """Pass on what comes, each piece `delay` seconds after it came, the first ones no sooner than
    `first` seconds from now.
    """
    loop = asyncio.get_running_loop()
    opened = loop.time() + first
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, piece = await on_the_way.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    with suppress(ConnectionError):
        piece = b"begin"
        while piece:
            piece = await reader.read(PIECE)
            on_the_way.put_nowait((max(loop.time(), opened) + delay, piece))
        await arriving
    arriving.cancel()


@contextmanager
def far_away(address: str, milliseconds: float) -> Iterator[str]:
    """The address of a proxy through which a server is that far away, there and back."""
    server = urlsplit(address)
    delay = milliseconds / 2000
    listening: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(server.hostname, server.port)
        there = relay(reader, far_writer, delay, 2 * delay)
        back = relay(far_reader, writer, delay, 0)
        with suppress(asyncio.CancelledError):  # the visitor is gone
            await asyncio.gather(there, back)

    async def listen() -> None:
        proxy = await asyncio.start_server(connect, "127.0.0.1", 0)
        over = asyncio.Event()
        here = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        listening.set_result((here, asyncio.get_running_loop(), over))
        await over.wait()
        proxy.close()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    here, loop, over = listening.result()
    try:
        yield here
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def measure(drawings: int, distances: list[float]) -> dict[float, dict[str, float]]:
    """Draw at each distance; the medians of each."""
    examples = quick_examples(density=1)  # drawn in two seconds
    found: dict[float, list[dict[str, float]]] = {distance: [] for distance in distances}
    with served("app.py") as (address, _), chromium() as browser:
        for distance in distances:
            with far_away(address, distance) as there:
                page = open_pad(browser, there)
                for number in range(drawings + 1):  # the first one finds the distance out
                    page.click("#pad-clear")
                    found[distance].append(draw(page, "#pad", examples[number % 10], distance))
                page.close()
    return {
        distance: {key: median(run[key] for run in runs[1:]) for key in runs[0]}
        for distance, runs in found.items()
    }


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--drawings", type=int, default=5, metavar="N", help="at each distance")
    parser.add_argument(
        "--ms", type=float, nargs="+", default=DISTANCES, help="round trips in milliseconds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    result = measure(options.drawings, options.ms)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print("| round trip | ms from the last movement to the answer | answers a second |")
    print("|---|---|---|")
    for distance, row in result.items():
        print(f"| {distance:g} ms | {row['delay_ms']:.0f} | {row['answers_per_second']:.0f} |")


if __name__ == "__main__":
    main()

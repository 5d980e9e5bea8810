"""What one attacker can do to a visitor who draws.

`python -m benchmarks.attack [NAME …] [--seconds S]` starts the app as a public server and lets one
visitor draw as in `benchmarks.serving`, alone and while one attacker, from another address and over
twenty connections, sends the same expensive request as fast as it is answered. For each attack it
prints the visitor's 50th and 95th percentile of the milliseconds from a call to its answer, before
and during the attack, the calls that failed, the attacker's requests that were answered, refused
and broken off, and by how much the server's memory grew. The attacker runs on the same machine, at
a lower priority.

`--soak` sends 10,000 requests whose content or answers an earlier version kept in memory, from a
hundred addresses, and prints what the server holds before, in between and a minute after.
"""

import argparse
import asyncio
import base64
import io
import itertools
import multiprocessing
import os
import pickle
import random
import time
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

import httpx
import torch
from PIL import Image, ImageDraw

from benchmarks.responsiveness import started
from benchmarks.serving import (
    SETTLE,
    component_of,
    configuration,
    event_of,
    left_behind,
    memory,
    pad_of,
    percentile,
    press,
    requests,
    visit,
    wait_for,
)
from lenet import LeNet
from lenet.checkpoint import SHIPPED
from lenet.preprocess import MAX_POINTS
from lenet.recognize import MAX_DRAWINGS
from lenet.server.guard import MAX_PIECES
from lenet.server.hands import MOST
from lenet.synthetic import example_strokes

CONNECTIONS = 20
PATIENCE = 60  # seconds for an answer
ADDRESS = "9.9.9.9"  # of the attacker, as a proxy would name it
PASSWORD = "the owner's"
NETWORKS = 20
SOAK, ADDRESSES, FORGOTTEN = 10_000, 100, 75.0  # requests; of the attacker; seconds


@dataclass(frozen=True)
class Target:
    """What the attacker knows of the server: what the page is built from, and how to ask."""

    config: dict
    client: httpx.AsyncClient

    async def function(self, name: str, data: Any) -> httpx.Response:
        """Call a function as the page's scripts do."""
        component = component_of(self.config, name)
        call = {"component_id": component, "fn_name": name, "session_hash": "a", "data": data}
        return await self.client.post("/gradio_api/component_server/", json=call)

    async def ask(self, name: str, data: Any) -> httpx.Response:
        """Call an endpoint for programs, and do not fetch its answer."""
        return await self.client.post(f"/gradio_api/call/{name}", json={"data": [data]})

    async def answer(self, name: str, data: Any) -> httpx.Response:
        """Call an endpoint for programs, and fetch its answer."""
        asked = await self.ask(name, data)
        if asked.status_code != 200:
            return asked
        return await self.client.get(f"/gradio_api/call/{name}/{asked.json()['event_id']}")

    async def event(self, element: str, kind: str, data: list, session: str) -> httpx.Response:
        """Do something to an element of the page, and wait until it is done."""
        event = event_of(self.config, element, kind)
        body = {"data": data, "fn_index": event, "session_hash": session}
        joined = await self.client.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return joined
        return await self.client.get(f"/gradio_api/queue/data?session_hash={session}")


# ---------------------------------------------------------------- what the attacker sends


def scribble(points: int, strokes: int = 1) -> list[list[list[int]]]:
    """A drawing that nobody has sent before."""
    each = points // strokes
    return [[[random.randrange(1000), random.randrange(1000)] for _ in range(each)]] * strokes


def on_pad(strokes: Any, **more: Any) -> dict[str, Any]:
    return {"checkpoint": SHIPPED.name, "strokes": strokes, **more}


HUGE = [scribble(MAX_POINTS) for _ in range(3)]
MANY = [[scribble(30) for _ in range(MAX_DRAWINGS)] for _ in range(3)]
HANDS = [
    "".join(f'{{"label": 7, "strokes": {scribble(60)}}}\n' for _ in range(MOST)) for _ in range(3)
]
NOTHING = "[" + "[]," * (MAX_PIECES // 2 - 1000) + "[]]"


def large_picture() -> str:
    """A picture of nearly 25 million pixels in a few kilobytes, in base64."""
    picture = Image.new("L", (4990, 4990), 255)
    ImageDraw.Draw(picture).line([(1000, 1000), (3500, 1000), (2000, 4000)], 0, 300)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


PICTURE = large_picture()


def hostile_files() -> list[bytes]:
    """Files that cost much memory or time, or that run code, sent as networks."""
    million = pickle.dumps([[]] * 1_000_000, 2)[: 1 << 20]
    flipped = bytearray(SHIPPED.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    return [
        b"\x80\x02c__builtin__\nbytearray\nJ" + (1 << 30).to_bytes(4, "little") + b"\x85R.",
        b"cos\nsystem\n(X\x04\0\0\0exittR.",
        b"\x80\x02]" + b"]" * 49_000 + b"a" * 48_999 + b".",
        million,
        _archive(zipfile.ZIP_DEFLATED, {"x/data.pkl": bytes(64 << 20)}),
        _archive(zipfile.ZIP_STORED, {f"x/data/{n}": b"" for n in range(10_000)}),
        os.urandom(2 << 20),
        bytes(flipped),
        SHIPPED.read_bytes(),  # and one that is kept
    ]


def _archive(kind: int, files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


HOSTILE = hostile_files()


async def film(target: Target, number: int) -> httpx.Response:
    return await target.function("read_moments", {"strokes": HUGE[number % 3], "known": []})


async def evaluations(target: Target, number: int) -> httpx.Response:
    names = [f"network-{(number + other) % NETWORKS}.pt" for other in (0, 1)]
    asked = {"data": "mnist", "network": names[0], "other": names[1]}
    return await target.function("evaluate_networks", asked)


async def gallery(target: Target, number: int) -> httpx.Response:
    names = [f"network-{number % NETWORKS}.pt", ""]
    asked = {"data": "mnist", "network": names[0], "other": names[1]}
    return await target.function("test_digits", {**asked, "show": "mistakes", "start": 0})


async def variations(target: Target, number: int) -> httpx.Response:
    asked = {"data": "mnist", "half": "train", "index": number, "seed": number}
    return await target.function("vary_digit", asked)


async def batches(target: Target, number: int) -> httpx.Response:
    return await target.answer("recognize_batch", MANY[number % 3])


async def unfetched(target: Target, number: int) -> httpx.Response:
    return await target.ask("recognize_batch", MANY[number % 3])


async def forgotten(target: Target, number: int) -> httpx.Response:
    """A request of 2 kB, whose answer has a hundred times as many."""
    return await target.ask("recognize_batch", [[]] * MAX_DRAWINGS)


async def pictures(target: Target, number: int) -> httpx.Response:
    return await target.answer("recognize_image", PICTURE)


async def long_drawings(target: Target, number: int) -> httpx.Response:
    return await target.function("read_drawing", on_pad(HUGE[number % 3]))


async def short_drawings(target: Target, number: int) -> httpx.Response:
    return await target.function("read_drawing", on_pad(scribble(200, 20)))


async def insides(target: Target, number: int) -> httpx.Response:
    return await target.function("read_drawing", on_pad(example_strokes()[number % 10], inside={}))


async def silenced(target: Target, number: int) -> httpx.Response:
    pair = [["conv1", number % 6], ["fc1", number // 6 % 120]]
    asked = {"checkpoint": SHIPPED.name, "silenced": pair}
    return await target.function("accuracy_without", asked)


async def others(target: Target, number: int) -> httpx.Response:
    asked = {"data": "mnist", "network": f"network-{number % NETWORKS}.pt", "other": ""}
    return await target.function("evaluate_others", asked)


async def hands(target: Target, number: int) -> httpx.Response:
    asked = {"checkpoint": SHIPPED.name, "drawings": HANDS[number % 3]}
    return await target.function("read_hand", asked)


async def tables(target: Target, number: int) -> httpx.Response:
    return await target.client.get("/runs")


async def files(target: Target, number: int) -> httpx.Response:
    """A file of the same run, fifty times over."""
    (run, *_) = (await target.client.get("/runs")).json()["rows"]
    return await target.client.get("/runs.csv", params={"run": [run["name"]] * 50})


async def uploads(target: Target, number: int) -> httpx.Response:
    files = {"files": ("mine.pt", HOSTILE[number % len(HOSTILE)])}
    sent = await target.client.post("/gradio_api/upload", files=files)
    if sent.status_code != 200:
        return sent
    file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    return await target.event("upload", "upload", [file, None], f"upload{number}")


async def passwords(target: Target, number: int) -> httpx.Response:
    return await target.event("train-stop", "click", [f"guess {number}"], f"guess{number}")


async def bodies(target: Target, number: int) -> httpx.Response:
    event = event_of(target.config, "checkpoint", "change")
    body = f'{{"data": {NOTHING}, "fn_index": {event}, "session_hash": "body{number}"}}'
    return await target.client.post("/gradio_api/queue/join", content=body, headers=JSON)


async def pages(target: Target, number: int) -> httpx.Response:
    path = ("/", "/config", "/gradio_api/info")[number % 3]
    return await target.client.get(path, headers={"Accept-Encoding": "gzip"})


async def news(target: Target, number: int) -> httpx.Response:
    return await target.client.get("/news?now")


JSON = {"Content-Type": "application/json"}
ATTACKS: dict[str, Callable[[Target, int], Awaitable[httpx.Response]]] = {
    "film": film,
    "evaluations": evaluations,
    "gallery": gallery,
    "variations": variations,
    "batches": batches,
    "unfetched": unfetched,
    "pictures": pictures,
    "long drawings": long_drawings,
    "short drawings": short_drawings,
    "inside view": insides,
    "silenced": silenced,
    "others": others,
    "hands": hands,
    "tables": tables,
    "files of runs": files,
    "hostile files": uploads,
    "passwords": passwords,
    "large bodies": bodies,
    "pages": pages,
    "news": news,
}


# ---------------------------------------------------------------- the attacker


async def besiege(name: str, address: str, config: dict, begun: Event, end: Event) -> Counter:
    """Ask until `end` is set; how many requests were answered, refused and broken off."""
    counts = Counter()
    numbers = itertools.count()

    async def press_on(client: httpx.AsyncClient) -> None:
        while not end.is_set():
            try:
                answer = await ATTACKS[name](Target(config, client), next(numbers))
                refused = answer.status_code != 200 or '{"error"' in answer.text[:10]
                counts["refused" if refused else "answered"] += 1
            except httpx.HTTPError:
                counts["broken"] += 1
            begun.set()

    headers = {"X-Forwarded-For": ADDRESS}
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=address, headers=headers, timeout=PATIENCE, limits=limits
    ) as client:
        tasks = [asyncio.create_task(press_on(client)) for _ in range(CONNECTIONS)]
        while not end.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return counts


def attacker(
    name: str, address: str, config: dict, begun: Event, end: Event, said: multiprocessing.Queue
) -> None:
    """What the attacker's process does."""
    os.nice(10)
    said.put(asyncio.run(besiege(name, address, config, begun, end)))


# ---------------------------------------------------------------- the visitor


def drawn(address: str, pad: int, seconds: float) -> tuple[list[str], int]:
    """Draw for so many seconds; the 50th and the 95th percentile, and the calls that failed."""
    digits = requests(urlsplit(address).netloc, pad, "visitor")
    seen = asyncio.run(visit(address, digits, seconds))
    return [f"{percentile(seen.delays, share):.0f}" for share in (0.5, 0.95)], seen.failed


def measure(name: str, address: str, config: dict, server: Any, seconds: float) -> list[str]:
    """The cells of an attack's row."""
    pad, context = pad_of(config), multiprocessing.get_context("spawn")
    begun, end, said = context.Event(), context.Event(), context.Queue()
    before, _ = drawn(address, pad, seconds)
    held = memory(server)
    process = context.Process(target=attacker, args=(name, address, config, begun, end, said))
    process.start()
    try:
        begun.wait(PATIENCE)
        during, failed = drawn(address, pad, seconds)
    finally:
        end.set()
    counts = said.get(timeout=2 * PATIENCE)
    process.join()
    time.sleep(SETTLE)
    grown = f"{memory(server) - held:+.0f}"
    ends = [str(counts[kind]) for kind in ("answered", "refused", "broken")]
    return [name, *before, *during, str(failed), *ends, grown]


HEAD = (
    "| attack | before: 50 % | 95 % | during: 50 % | 95 % | failed | answered | refused | broken "
    "| MB |"
)


def compare(names: list[str], seconds: float) -> None:
    """The table of the attacks."""
    print(HEAD, "|---" * 10 + "|", sep="\n")
    variables = {"LENET_TRAINING": "owner", "LENET_PASSWORD": PASSWORD}
    with started("app.py", **variables) as (process, address, folder):
        config = configuration(address)
        press(address, config, "start", ["fast", "mnist", 1, 64, 0.06, 0, 60_000, 0, PASSWORD])
        while not (logs := list(folder.glob("*.jsonl"))):
            time.sleep(0.1)
        wait_for(logs[0], "done")  # for its film
        for number in range(NETWORKS):
            torch.manual_seed(time.time_ns() + number)  # no evaluation of it is kept
            torch.save(LeNet().state_dict(), folder / f"network-{number}.pt")
        asyncio.run(warm(address, config))
        for name in names:
            print(
                "|", " | ".join(measure(name, address, config, process, seconds)), "|", flush=True
            )


async def warm(address: str, config: dict) -> None:
    """Let the server load what it loads once, such as MNIST."""
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        target = Target(config, client)
        for ask in ATTACKS.values():
            await ask(target, 0)


# ---------------------------------------------------------------- soak


def soak() -> None:
    """What is left of requests that are large, or whose answers nobody fetches."""
    variables = {"LENET_TRAINING": "owner", "LENET_PASSWORD": PASSWORD}
    with started("app.py", **variables) as (process, address, _):
        config = configuration(address)
        asyncio.run(send_many(address, config, ADDRESSES))
        time.sleep(SETTLE)
        print(f"after {ADDRESSES} requests: {left_behind(process)}", flush=True)
        for part in range(1, 5):
            begin = time.monotonic()
            counts = asyncio.run(send_many(address, config, SOAK // 4))
            took = time.monotonic() - begin
            sent = f"{part * SOAK // 4:,} ({dict(counts)} in {took:.0f} s)"
            print(f"after {sent}: {left_behind(process)}", flush=True)
        time.sleep(FORGOTTEN)
        print(f"{FORGOTTEN:.0f} s later: {left_behind(process)}", flush=True)


async def send_many(address: str, config: dict, count: int) -> Counter:
    """Send so many requests over some connections, and count the answers by their status."""
    counts = Counter()
    numbers = iter(range(count))

    async def press_on(client: httpx.AsyncClient) -> None:
        target = Target(config, client)
        for number in numbers:
            client.headers["X-Forwarded-For"] = f"9.9.9.{number % ADDRESSES}"
            ask = (bodies, forgotten, passwords)[number % 3]
            counts[(await ask(target, number)).status_code] += 1

    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        await asyncio.gather(*(press_on(client) for _ in range(CONNECTIONS)))
    return counts


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ATTACKS))
    parser.add_argument("--seconds", type=float, default=15, metavar="S", help="before and during")
    parser.add_argument("--soak", action="store_true", help="what 10,000 hostile requests leave")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in ATTACKS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no attack: choose {', '.join(ATTACKS)}")
    if options.soak:
        soak()
    else:
        compare(options.names or [*ATTACKS], options.seconds)


if __name__ == "__main__":
    main()

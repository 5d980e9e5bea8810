"""How many visitors can draw at once, and what they leave behind.

`python -m benchmarks.serving [--clients N …] [--idle N] [--seconds S]` starts the app and lets 1,
10, 100 and 300 visitors draw, without and with a training run going. A visitor draws for two
seconds, calling as the pad does: 20 times a second, one call at a time, always with the newest
drawing; then pauses for one second. 100 idle pages are measured, too: alone, and beside as many
visitors who draw. Printed are the answers a second of all and of the visitor that got fewest while
drawing, the time from a call to its answer, the longest from pen-up to the last answer, failed
calls, the server's CPU time an answer and its memory, and how busy the generator was: its clients
run on the same machine, in processes of their own, over plain sockets.

`--soak` instead counts memory, threads, processes, open files and temporary files before and after
100,000 answers, 500 page loads and 20 training runs.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from urllib.parse import urlsplit

from benchmarks.responsiveness import started
from lenet.synthetic import example_strokes

PROCESSES = 2  # of the generator
DRAWING, PAUSE = 2.0, 1.0  # seconds
CALLS = 20  # a second while a visitor draws
SETTLE = 6.0  # seconds: what the server does as it starts is over
IDLE = 4.0  # seconds between two questions of an idle page

Strokes = list[list[list[float]]]


@dataclass
class Visit:
    """What one visitor saw: milliseconds of each call, and of each drawing from pen-up to its end.

    `drawn` counts the seconds of drawing, `failed` the calls that were not answered as they should.
    """

    delays: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    drawn: float = 0.0
    failed: int = 0


# ---------------------------------------------------------------- the generator


def drawing_so_far(strokes: Strokes, share: float) -> Strokes:
    """The first points of a drawing."""
    left = max(1, round(share * sum(map(len, strokes))))
    part = []
    for stroke in strokes:
        if left > 0:
            part.append(stroke[:left])
        left -= len(stroke)
    return part


def requests(host: str, pad: int, session: str) -> list[list[bytes]]:
    """For each digit, the requests of a drawing as it grows."""
    calls = round(DRAWING * CALLS)
    all_requests = []
    for _, drawn in sorted(example_strokes().items()):
        strokes = [[[1000 * v for v in p] for p in s] for s in drawn]
        all_requests.append(
            [
                request(host, pad, session, drawing_so_far(strokes, (i + 1) / calls))
                for i in range(calls)
            ]
        )
    return all_requests


def request(host: str, pad: int, session: str, strokes: Strokes) -> bytes:
    """The bytes of a call of the pad."""
    call = {
        "data": {"checkpoint": "lenet.pt", "strokes": strokes},
        "component_id": pad,
        "fn_name": "read_drawing",
        "session_hash": session,
    }
    body = json.dumps(call).encode()
    head = (
        f"POST /gradio_api/component_server/ HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes
) -> tuple[bool, bytes]:
    """Send one request over an open connection; whether it was answered well, and the body."""
    writer.write(content)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    return head.startswith(b"HTTP/1.1 200"), await reader.readexactly(int(length))


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> bool:
    """Send one request over an open connection; whether it was answered with a digit."""
    well, body = await exchange(reader, writer, content)
    return well and b'"digit":' in body


async def idle(address: str, seconds: float) -> Visit:
    """Be an idle page for so many seconds: it asks for news of the run."""
    target = urlsplit(address)
    seen = Visit()
    await asyncio.sleep(random.uniform(0, IDLE))  # not all in step
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        question = f"GET /news HTTP/1.1\r\nHost: {target.netloc}\r\n\r\n"
        well, body = await exchange(reader, writer, question.encode())
        seen.failed += not well
        await asyncio.sleep(json.loads(body)["wait"] / 1000 if well else IDLE)
    writer.close()
    return seen


async def visit(address: str, digits: list[list[bytes]], seconds: float) -> Visit:
    """Draw and pause for so many seconds."""
    target = urlsplit(address)
    seen = Visit()
    await asyncio.sleep(random.uniform(0, DRAWING + PAUSE))  # not all in step
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        calls = random.choice(digits)
        begin = time.perf_counter()
        sent = -1
        while sent < len(calls) - 1:  # until the whole drawing is read
            newest = min(int((time.perf_counter() - begin) * CALLS), len(calls) - 1)
            if newest == sent:
                await asyncio.sleep(begin + (sent + 1) / CALLS - time.perf_counter())
                continue
            sent = newest
            start = time.perf_counter()
            seen.failed += not await call(reader, writer, calls[sent])
            seen.delays.append(1000 * (time.perf_counter() - start))
        over = time.perf_counter() - begin
        seen.ends.append(1000 * max(0.0, over - DRAWING + 1 / CALLS))
        seen.drawn += max(over, DRAWING)
        await asyncio.sleep(PAUSE)
    writer.close()
    return seen


def visits(
    address: str, pad: int, clients: int, pages: int, seconds: float
) -> tuple[list[Visit], float]:
    """Some visitors and some idle pages in this process; what they saw, and the share of a core
    that they took.
    """
    digits = requests(urlsplit(address).netloc, pad, f"visitors{os.getpid()}")

    async def together() -> list[Visit]:
        return await asyncio.gather(
            *(visit(address, digits, seconds) for _ in range(clients)),
            *(idle(address, seconds) for _ in range(pages)),
        )

    used, begin = time.process_time(), time.perf_counter()
    seen = asyncio.run(together())
    return seen, (time.process_time() - used) / (time.perf_counter() - begin)


# ---------------------------------------------------------------- the server


def configuration(address: str) -> dict:
    """What the page is built from."""
    with urllib.request.urlopen(f"{address}/config") as answer:
        return json.load(answer)


def pad_of(config: dict) -> int:
    """The component of the pad."""
    return component_of(config, "read_drawing")


def component_of(config: dict, function: str) -> int:
    """The component that calls a function of the server."""
    return next(c["id"] for c in config["components"] if function in str(c["props"]))


def event_of(config: dict, element: str, kind: str) -> int:
    """The event of an element of the page, by the element's id."""
    identity = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == element)
    return next(d["id"] for d in config["dependencies"] if [identity, kind] in d["targets"])


def press(address: str, config: dict, button: str, data: list) -> None:
    """Press a button of the Train tab."""
    event = event_of(config, f"train-{button}", "click")
    body = json.dumps({"data": data, "fn_index": event, "session_hash": "benchmark"}).encode()
    headers = {"Content-Type": "application/json"}
    join = urllib.request.Request(f"{address}/gradio_api/queue/join", body, headers)
    urllib.request.urlopen(join).close()


def train(address: str, config: dict, folder: Path) -> Path:
    """Start a long run, as soon as the one before has ended; its log, once it has a first loss."""
    before = set(folder.glob("*.jsonl"))
    while not (new := set(folder.glob("*.jsonl")) - before):
        press(address, config, "start", ["fast", "synthetic", 200, 64, 0.06, 0, 60_000, 0, ""])
        time.sleep(1)
    wait_for(log := new.pop(), "batch")
    return log


def wait_for(log: Path, kind: str) -> None:
    """Wait until a log holds an event of a kind."""
    while f'"event": "{kind}"' not in log.read_text():
        time.sleep(0.1)


def cpu(process: Popen) -> float:
    """The CPU seconds of the server's process."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: Popen) -> float:
    """The resident megabytes of the server's process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


# ---------------------------------------------------------------- load


def load(
    process: Popen, address: str, pad: int, clients: int, pages: int, seconds: float
) -> tuple[list[Visit], float, float]:
    """Let visitors draw beside idle pages; what all saw, the server's seconds of CPU time, and how
    much of a core the generator took.
    """
    parts = [(_share(clients, part), _share(pages, part)) for part in range(PROCESSES)]
    parts = [part for part in parts if any(part)]
    before = cpu(process)
    with multiprocessing.get_context("spawn").Pool(len(parts)) as pool:
        done = pool.starmap(visits, [(address, pad, *part, seconds) for part in parts])
    used = cpu(process) - before
    return [visit for seen, _ in done for visit in seen], used, sum(busy for _, busy in done)


def _share(number: int, part: int) -> int:
    return number // PROCESSES + (part < number % PROCESSES)


def row(
    process: Popen, address: str, pad: int, clients: int, pages: int, seconds: float
) -> list[str]:
    """The cells of a row of the table."""
    seen, used, busy = load(process, address, pad, clients, pages, seconds)
    delays = [delay for visit in seen for delay in visit.delays]
    return [
        f"{clients}",
        f"{pages}",
        f"{len(delays) / seconds:.0f}",
        f"{min(len(visit.delays) / visit.drawn for visit in seen if visit.drawn):.1f}",
        *(f"{percentile(delays, share):.0f}" for share in (0.5, 0.95, 0.99)),
        f"{max(end for visit in seen for end in visit.ends):.0f}",
        f"{sum(visit.failed for visit in seen)}",
        f"{1000 * used / len(delays):.2f}",
        f"{memory(process):.0f}",
        f"{busy:.0%}",
    ]


HEAD = (
    "| run | visitors | idle pages | answers a second | fewest of a visitor | median ms | 95 % "
    "| 99 % | pen-up to end ms | failed | CPU ms an answer | MB | generator |"
)


def compare(clients: list[int], pages: int, seconds: float) -> None:
    """What idle pages cost, and the table of the load, without and with a run."""
    with started("app.py") as (process, address, folder):
        config = configuration(address)
        pad = pad_of(config)
        time.sleep(SETTLE)
        if pages:
            cost = cost_of_idle(process, address, pad, pages, seconds)
            print(f"Each of {pages} idle pages takes {cost:.2f} ms of CPU time a second.\n")
        print(HEAD, "|---" * 13 + "|", sep="\n")
        for run in ("no", "yes"):
            if run == "yes":
                train(address, config, folder)
            for count in clients:
                for beside in (0, pages) if count == pages else (0,):
                    cells = row(process, address, pad, count, beside, seconds)
                    print(f"| {run} |", " | ".join(cells), "|")


def cost_of_idle(process: Popen, address: str, pad: int, pages: int, seconds: float) -> float:
    """The milliseconds of CPU time a second that an idle page takes of the server."""
    before = cpu(process)
    time.sleep(seconds)
    alone = (cpu(process) - before) / seconds
    begin = time.perf_counter()
    _, used, _ = load(process, address, pad, 0, pages, seconds)
    return 1000 * (used - alone * (time.perf_counter() - begin)) / seconds / pages


# ---------------------------------------------------------------- soak


def left_behind(process: Popen) -> dict[str, float]:
    """What the server holds: memory, threads, processes, open files, temporary files."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    cache = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
    return {
        "MB": round(memory(process), 1),
        "threads": len(os.listdir(f"/proc/{process.pid}/task")),
        "processes": len(children),
        "open files": len(os.listdir(f"/proc/{process.pid}/fd")),
        "temporary files": len(list(cache.rglob("*"))),
    }


def soak(answers: int, loads: int, runs: int) -> None:
    """Print what the server holds after a little and after heavy use."""
    with started("app.py") as (process, address, folder):
        config = configuration(address)
        pad = pad_of(config)

        def report(what: str) -> None:
            time.sleep(SETTLE)
            print(f"{what}: {left_behind(process)}")

        def answer(count: int) -> None:
            asyncio.run(answer_many(address, pad, count))

        def train_and_stop(count: int) -> None:
            for _ in range(count):
                log = train(address, config, folder)
                press(address, config, "stop", [""])
                wait_for(log, "stopped")

        answer(1000)
        open_pages(address, 20)
        train_and_stop(1)
        report("after a little use")
        for what, do, count in (
            ("answers", answer, answers),
            ("page loads", lambda count: open_pages(address, count), loads),
            ("runs", train_and_stop, runs),
        ):
            do(count)
            report(f"after {count:,} {what}")


async def answer_many(address: str, pad: int, count: int) -> None:
    """Call the pad's function from eight visitors at a time, a new one after 50 calls."""
    target = urlsplit(address)

    async def part(number: int) -> None:
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        for i in range(number):
            content = request(target.netloc, pad, f"{id(reader)}-{i // 50}", example_strokes()[3])
            assert await call(reader, writer, content)
        writer.close()

    await asyncio.gather(*(part(count // 8) for _ in range(8)))


def open_pages(address: str, count: int) -> None:
    """Fetch the page with the scripts and styles that it names."""
    for _ in range(count):
        with urllib.request.urlopen(address) as answer:
            page = answer.read().decode()
        for path in re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page):
            urllib.request.urlopen(f"{address}/{path}").close()


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 100, 300], metavar="N")
    parser.add_argument("--idle", type=int, default=100, metavar="N", help="idle pages")
    parser.add_argument("--seconds", type=float, default=20, metavar="S", help="each row")
    parser.add_argument("--soak", action="store_true", help="what heavy use leaves behind")
    options = parser.parse_args()
    if options.soak:
        soak(100_000, 500, 20)
    else:
        compare(options.clients, options.idle, options.seconds)


if __name__ == "__main__":
    main()

"""The speed of training by one process and by two, with one thread each.

`python -m benchmarks.ranks [--rounds N]` trains for an epoch with `torchrun`, in turn with one and
with two processes, and prints the images a second of both and their ratio.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from lenet.events import Batch, read_log


def speed(ranks: int) -> float:
    """The median of the images a second over an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks)]
        command += ["-m", "--", "lenet.train", "--epochs", "1"]
        command += ["--log", str(log), "--out", f"{folder}/run.pt"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        events = read_log(log)
    return median(event.images_per_second for event in events if isinstance(event, Batch))


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    one, two = zip(*((speed(1), speed(2)) for _ in range(parser.parse_args().rounds)), strict=True)
    ratio = median(b / a for a, b in zip(one, two, strict=True))
    print(f"images a second: {median(one):.0f} with one process, {median(two):.0f} with two")
    print(f"two are {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()

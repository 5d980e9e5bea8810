"""The lesson's own training loop and ours, alternately on the same machine.

`python -m benchmarks.training [--seeds N] [--json]` prints a table of seconds, accuracies and
ratios. Every run is a process of its own; start-up and evaluation are left out of all times.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

from lenet.events import Epoch, read_log

ROOT = Path(__file__).parent.parent
LESSON_EPOCHS = 5


def lesson(seed: int) -> dict[str, list[float]]:
    """The loop of the lesson: a DataLoader with two workers, transforms image by image."""
    import torch
    import torch.nn.functional as F
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import MNIST

    from lenet.data import load_mnist
    from lenet.files import data_folder
    from lenet.model import LeNet

    load_mnist()  # fetched and checked once
    torch.manual_seed(seed)
    transform = transforms.Compose(
        [
            transforms.Resize((32, 32)),
            transforms.ToTensor(),
            transforms.Normalize((0.1307,), (0.3081,)),
        ]
    )

    class Net(LeNet):
        """The lesson's order of the layers; the same parameters."""

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            x = F.max_pool2d(F.relu(self.conv1(inputs)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            x = x.view(-1, 16 * 5 * 5)
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))

    sets = [MNIST(data_folder(), train=train, transform=transform) for train in (True, False)]
    loaders = [DataLoader(part, batch_size=64, shuffle=True, num_workers=2) for part in sets]
    net = Net()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    seconds, accuracies = [], []
    for _ in range(LESSON_EPOCHS):
        begin = time.perf_counter()
        running_loss = 0.0
        for images, labels in loaders[0]:
            optimizer.zero_grad()
            loss = criterion(net(images), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        seconds.append(time.perf_counter() - begin)
        with torch.no_grad():
            right = sum(
                (net(images).argmax(1) == labels).sum().item() for images, labels in loaders[1]
            )
        accuracies.append(right / len(sets[1]))
    return {"seconds": seconds, "accuracies": accuracies}


def ours(seed: int, *options: str) -> dict[str, list[float]]:
    """`python -m lenet.train` with these options: the seconds at each epoch's end, as above."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        out = Path(folder) / "run.pt"
        command = [sys.executable, "-m", "lenet.train", "--seed", str(seed), "--log", str(log)]
        subprocess.run(
            [*command, "--out", str(out), *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        epochs = [event for event in read_log(log) if isinstance(event, Epoch)]
    ends = [0.0] + [event.elapsed for event in epochs]
    return {
        "seconds": [end - begin for begin, end in pairwise(ends)],
        "accuracies": [event.test_accuracy for event in epochs],
    }


def _lesson_in_a_process(seed: int) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.training", "--lesson", str(seed)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


RUNS = {
    "the lesson": _lesson_in_a_process,
    "ours, recipe tutorial": lambda seed: ours(seed, "--recipe", "tutorial"),
    "ours, recipe fast, 1 epoch": lambda seed: ours(seed, "--recipe", "fast", "--epochs", "1"),
    "ours, recipe fast": lambda seed: ours(seed, "--recipe", "fast"),
}


def measure(seeds: int) -> dict[str, dict[str, float]]:
    """Every kind of run with every seed, in turn, and what follows from them."""
    found: dict[str, list[dict[str, list[float]]]] = {name: [] for name in RUNS}
    for seed in range(seeds):
        for name, run in RUNS.items():
            found[name].append(run(seed))
            print(f"seed {seed}, {name}: {_short(found[name][-1])}", file=sys.stderr)
    # Pair by pair, since the speed of a shared machine changes.
    lesson_totals = [sum(run["seconds"]) for run in found["the lesson"]]
    lesson_epochs = [median(run["seconds"]) for run in found["the lesson"]]
    result = {}
    for name, runs in found.items():
        totals = [sum(run["seconds"]) for run in runs]
        epochs = [median(run["seconds"]) for run in runs]
        result[name] = {
            "epoch_seconds": median(epochs),
            "epoch_ratio": median(a / b for a, b in zip(epochs, lesson_epochs, strict=True)),
            "seconds": median(totals),
            "ratio": median(a / b for a, b in zip(totals, lesson_totals, strict=True)),
            "accuracy": mean(run["accuracies"][-1] for run in runs),
        }
        to_99 = [s for run in runs if (s := _seconds_to(0.99, run)) is not None]
        if len(to_99) == len(runs):
            result[name]["seconds_to_99"] = median(to_99)
            result[name]["ratio_to_99"] = median(
                a / b for a, b in zip(to_99, lesson_totals, strict=True)
            )
    return result


def _seconds_to(accuracy: float, run: dict[str, list[float]]) -> float | None:
    """The seconds of training until the first epoch's end at which an accuracy is reached."""
    for number, reached in enumerate(run["accuracies"], 1):
        if reached >= accuracy:
            return sum(run["seconds"][:number])
    return None


def _short(run: dict[str, list[float]]) -> str:
    return f"{sum(run['seconds']):.1f} s, {run['accuracies'][-1]:.2%}"


def _table(result: dict[str, dict[str, float]]) -> str:
    head = (
        "| run | s an epoch | of the lesson's | s in all | of the lesson's | accuracy | s to 99 % |"
    )
    rows = [head, "|---|---|---|---|---|---|---|"]
    for name, row in result.items():
        to_99 = (
            f"{row['seconds_to_99']:.1f} ({row['ratio_to_99']:.3f})"
            if "seconds_to_99" in row
            else "–"
        )
        rows.append(
            f"| {name} | {row['epoch_seconds']:.2f} | {row['epoch_ratio']:.3f} | "
            f"{row['seconds']:.1f} | {row['ratio']:.3f} | {row['accuracy']:.2%} | {to_99} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="runs of each kind")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--lesson", type=int, metavar="SEED", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lesson is not None:
        print(json.dumps(lesson(options.lesson)))
        return
    result = measure(options.seeds)
    print(json.dumps(result, indent=2) if options.json else _table(result))


if __name__ == "__main__":
    main()

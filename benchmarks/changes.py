"""What each change to the training loop is worth, one after the other on the same machine.

`python -m benchmarks.changes [--rounds N]` prints milliseconds a batch of 64 for the in-memory loop
with none of the changes, then with each one added to those before. Every measurement is a process
of its own, since one of the changes is process-wide; the rounds go through all of them in turn.
"""

import argparse
import subprocess
import sys
import time
from statistics import median

import torch
import torch.nn.functional as F

from lenet.model import LeNet
from lenet.preprocess import normalize, resize_frames
from lenet.synthetic import synthetic_digits
from lenet.train import keep_freed_memory

CHANGES = (
    "the lesson's layers and optimiser, all images in memory",
    "pool before ReLU",
    "channels last",
    "fused SGD",
    "keep freed memory",
)
BATCH, WARM, COUNTED = 64, 30, 300


class LessonsOrder(LeNet):
    """LeNet with the lesson's order: ReLU, then pooling."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def milliseconds(changes: int) -> float:
    """The time of a batch with the first so many changes."""
    pool_first, channels_last, fused, keep = (changes > number for number in range(4))
    if keep:
        keep_freed_memory()
    torch.manual_seed(0)
    frames, labels = synthetic_digits(BATCH * (WARM + COUNTED))
    images = resize_frames(frames)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = (LeNet if pool_first else LessonsOrder)().to(memory_format=layout)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, fused=fused, foreach=False
    )
    order = torch.randperm(len(images))
    for number in range(WARM + COUNTED):
        if number == WARM:
            begin = time.perf_counter()
        batch = order[number * BATCH : (number + 1) * BATCH]
        inputs = normalize(images[batch]).contiguous(memory_format=layout)
        loss = F.cross_entropy(model(inputs), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 1000 * (time.perf_counter() - begin) / COUNTED


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(milliseconds(options.one))
        return
    found: list[list[float]] = [[] for _ in CHANGES]
    for _ in range(options.rounds):
        for number, times in enumerate(found):
            command = [sys.executable, "-m", "benchmarks.changes", "--one", str(number)]
            times.append(float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    print("| with | ms a batch | of the first |")
    print("|---|---|---|")
    for name, times in zip(CHANGES, found, strict=True):
        ratio = median(a / b for a, b in zip(times, found[0], strict=True))
        print(f"| {name} | {median(times):.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()

"""Steps recorded on a GPU compared with plain ones: their results, launches and milliseconds.

`python -m benchmarks.gpu` prints for each recipe milliseconds and launches a step, plain and
recorded, and the largest difference between the weights of both; beside it the difference between
two runs of plain steps, since a GPU adds some sums in no fixed order. Then, for five seeds,
after how many seconds of training recipe fast passes 98, 99 and 99.3 % of the test set; evaluation
is left out of these. It needs a GPU and MNIST.
"""

import sys
import time
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile

from lenet.data import DataSet, load
from lenet.distributed import Team
from lenet.drawings import to_tensors
from lenet.events import Batch, Epoch, Saved
from lenet.job import settle
from lenet.model import LeNet
from lenet.recipes import RECIPES
from lenet.recognize import predict, share_right
from lenet.settings import Request
from lenet.trainer import Trainer

STEPS = 300
ACCURACIES = (0.98, 0.99, 0.993)
# What the CPU asks of the GPU, by the names of CUDA's functions.
LAUNCHES = ("cudaLaunch", "cuLaunch", "cudaGraphLaunch", "cudaMemcpy", "cudaMemset")


def trainer_of(recipe: str, data: DataSet, seed: int = 0) -> Trainer:
    """A run of a recipe that has not begun."""
    return Trainer(settle(Request(recipe, seed=seed)), data, to_tensors([]), Team())


def steps(recipe: str, data: DataSet, recorded: bool) -> tuple[torch.Tensor, float, float]:
    """The weights after `STEPS` batches, milliseconds a step, and launches a step."""
    trainer = trainer_of(recipe, data)
    if not recorded:
        trainer.recorded = None
    trainer._begin_epoch()
    for _ in range(20):
        trainer._step()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(STEPS - 30):
        trainer._step()
    torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        for _ in range(10):
            trainer._step()
        torch.cuda.synchronize()
    launches = sum(
        event.count for event in profiled.key_averages() if event.key.startswith(LAUNCHES)
    )
    weights = torch.cat([p.detach().flatten() for p in trainer.network.parameters()]).cpu()
    return weights, 1000 * seconds / (STEPS - 30), launches / 10


def _largest_difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a - b).abs().max().item()


def curve(data: DataSet, seed: int) -> list[tuple[float, float]]:
    """Seconds of training and the test accuracy there, every hundred batches of recipe fast."""
    trainer = trainer_of("fast", data, seed)
    moments = []
    for event in trainer.events(lambda: False, lambda: Saved(elapsed=0.0, path="")):
        if isinstance(event, Batch | Epoch):
            weights = {k: v.clone() for k, v in trainer.model.state_dict().items()}
            moments.append((event.elapsed, weights))
    network = LeNet().to(trainer.team.device)
    points = []
    for elapsed, weights in moments:
        network.load_state_dict(weights)
        logits = predict(network, data.test.frames)
        points.append((elapsed, share_right(logits, data.test.labels)))
    return points


def main() -> None:
    """Measure and print."""
    if not torch.cuda.is_available():
        sys.exit("This machine has no GPU that PyTorch can use.")
    data = load("mnist")
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    print("| recipe | ms a step: plain, recorded | launches | difference | of two plain runs |")
    print("|---|---|---|---|---|")
    for recipe in RECIPES:
        recorded, plain, again = (steps(recipe, data, how) for how in (True, False, False))
        print(
            f"| {recipe} | {plain[1]:.2f}, {recorded[1]:.2f} | {plain[2]:.0f}, {recorded[2]:.0f} | "
            f"{_largest_difference(plain[0], recorded[0]):.1e} | "
            f"{_largest_difference(plain[0], again[0]):.1e} |"
        )
    found = []
    for seed in range(5):
        points = curve(data, seed)
        passed = [next((s for s, a in points if a >= goal), None) for goal in ACCURACIES]
        found.append(passed)
        seconds = ", ".join(f"{s:.2f} s" if s else "never" for s in passed)
        print(f"seed {seed}: 98, 99 and 99.3 % after {seconds}; {points[-1][1]:.2%} at the end")
    print(f"99 %: median {median(row[1] or float('inf') for row in found):.2f} s")


if __name__ == "__main__":
    main()

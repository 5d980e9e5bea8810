"""What steps of SGD do, on few images and in numbers: the experiments of the lesson.

Plain PyTorch, without the trainer's recipes, so that each line can be read. This file knows the
network, nothing of data sets, files or pages.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs

BATCH = 64  # images, as in the tutorial
MOMENTUM = 0.9
RATE = 0.01  # of SGD with momentum


@dataclass(frozen=True)
class Descent:
    """Steps of SGD on one batch.

    Attributes:
        losses: of the batch before the first step and after each.
        weight: one weight of the first kernel, before the first step.
        gradient: how fast the loss rises with it there.
    """

    losses: list[float]
    weight: float
    gradient: float


def descend(frames: torch.Tensor, labels: torch.Tensor, rate: float, steps: int = 60) -> Descent:
    """Take steps on one batch, from a new network: weight − rate × gradient, again and again.

    Args:
        frames: uint8 N×28×28.
        labels: int64 N.
        rate: of SGD without momentum.
        steps: how many.
    """
    torch.manual_seed(0)
    network = LeNet()
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    inputs = frames_to_inputs(frames)
    losses, weight, gradient = [], 0.0, 0.0
    for step in range(steps + 1):
        loss = F.cross_entropy(network(inputs), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            kernel = network.conv1.weight
            assert kernel.grad is not None
            weight, gradient = kernel[0, 0, 2, 2].item(), kernel.grad[0, 0, 2, 2].item()
        optimizer.step()
    return Descent(losses, weight, gradient)


def stop_and_go_on(
    frames: torch.Tensor,
    labels: torch.Tensor,
    stop: int = 60,
    end: int = 100,
    keep_momentum: bool = False,
) -> list[float]:
    """Train on one batch after the other, stop, and go on from what a file would hold.

    Args:
        frames: uint8 N×28×28, at least 64 for each step.
        labels: int64 N.
        stop: after how many steps; `end` where the run never stops.
        end: the steps in all.
        keep_momentum: whether the optimiser's state is kept, or the weights alone.

    Returns:
        The loss of each step's batch before the step.
    """
    torch.manual_seed(0)
    network = LeNet()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for step in range(end):
        if step == stop:
            weights, state = network.state_dict(), optimizer.state_dict()
            network = LeNet()
            network.load_state_dict(weights)
            optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
            if keep_momentum:
                optimizer.load_state_dict(state)
        batch = slice(step * BATCH, (step + 1) * BATCH)
        loss = F.cross_entropy(network(frames_to_inputs(frames[batch])), labels[batch])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses

"""What happens inside the network: every layer's output, and the ink that an answer depends on.

This file knows the network, nothing of drawings, pages or files.
"""

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F

from lenet.model import LeNet
from lenet.preprocess import normalize

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")

# What can be silenced: the maps of the convolutions, and the units of two layers. Most of the 96
# kernels of conv2 would not be missed: without any one of 83, accuracy falls by at most 0.1 points.
UNITS = {"conv1": 6, "conv2": 16, "fc1": 120, "fc2": 84}
Unit = tuple[str, int]  # a layer's name, and which of its maps or units, counted from 0

STEPS = 24  # of the path from a blank sheet to the drawing: about 3 % off what 500 give


@torch.inference_mode()
def activations(model: LeNet, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """What each layer answers to normalised float32 N×1×32×32 inputs.

    Returns:
        By the layer's name, float32: `conv1` N×6×28×28, `conv2` N×16×10×10, `fc1` N×120 and `fc2`
        N×84 after the ReLU, and `fc3` N×10, the logits. Max pooling of the first two gives what
        the next layer takes, 14×14 and 5×5.
    """
    found = {}

    def keep(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        found[names[layer]] = output

    names = {getattr(model, name): name for name in LAYERS}
    hooks = [layer.register_forward_hook(keep) for layer in names]
    try:
        model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: output if name == "fc3" else F.relu(output) for name, output in found.items()}


def attribute(model: LeNet, inputs: torch.Tensor, digit: int) -> torch.Tensor:
    """How much each pixel speaks for a digit, or against it where it is negative.

    Integrated gradients (Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", 2017,
    section 3) of the digit's logit above the mean of all ten, from a blank sheet to the drawing.
    Paper gets 0, and all pixels add up to what the drawing changed.

    Args:
        inputs: the normalised float32 1×1×32×32 drawing.
        digit: 0 to 9, the network's answer or any other ("why not 4?").

    Returns:
        float32 32×32.
    """
    blank = normalize(torch.zeros_like(inputs))
    shares = (torch.arange(STEPS) + 0.5) / STEPS
    path = (blank + shares.view(-1, 1, 1, 1) * (inputs - blank)).requires_grad_()
    logits = model(path)
    (gradient,) = torch.autograd.grad((logits[:, digit] - logits.mean(1)).sum(), path)
    return ((inputs - blank) * gradient.mean(0))[0, 0]


def silence(weights: Mapping[str, torch.Tensor], units: Iterable[Unit]) -> dict[str, torch.Tensor]:
    """The weights of the same network with some maps or units silenced: they answer 0 to whatever
    they are given (ablation, as in Morcos and others, "On the importance of single directions for
    generalization", ICLR 2018).

    Args:
        weights: LeNet's state dict; it stays as it is.
        units: what to silence, of `UNITS`.
    """
    silenced = dict(weights)
    for layer, number in units:
        for name in (f"{layer}.weight", f"{layer}.bias"):
            if silenced[name] is weights[name]:
                silenced[name] = weights[name].clone()
            silenced[name][number] = 0
    return silenced

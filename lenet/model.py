"""LeNet, the network of the lesson.

This file knows the layers and their names, nothing of data, training or files.
"""

import torch
import torch.nn.functional as F
from torch import nn


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """The largest of every 2×2 values: float N×C×H×W, H and W even, to N×C×H/2×W/2.

    PyTorch's kernel is made for many channels and also keeps where the maxima are. Where no
    gradients are asked for, maxima of slices give the same result several times as fast.
    """
    if torch.is_grad_enabled():
        return F.max_pool2d(x, 2)
    rows = torch.maximum(x[..., ::2, :], x[..., 1::2, :])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


class LeNet(nn.Module):
    """The convolutional network of the lesson: 61,706 parameters, ten logits.

    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
    Proc. IEEE 86 (1998), section II, with ReLU and max pooling as in the lesson. The names of its
    parameters are the lesson's too, so that a state dict saved there loads here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map a normalised float32 N×1×32×32 batch to float32 N×10 logits.

        ReLU and max pooling commute, so pooling first gives the lesson's numbers with a quarter of
        the ReLU's work.
        """
        x = F.relu(max_pool(self.conv1(inputs)))  # N×6×14×14
        x = F.relu(max_pool(self.conv2(x)))  # N×16×5×5
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


with torch.device("meta"):  # no memory, no random numbers
    SHAPES = {name: p.shape for name, p in LeNet().named_parameters()}

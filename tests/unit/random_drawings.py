"""Random drawings, and how far the frames of two of them differ."""

import numpy as np
import torch
from hypothesis import settings

# Frames of different digits differ by 20 to 60 (mean absolute difference of their pixels, of 255),
# one and the same digit moved by a pixel by 5 to 25.
SAME = 1.0

quick = settings(max_examples=30, deadline=None, derandomize=True)


def curve(seed: int, points: int, pieces: int = 1) -> list:
    """A smooth random curve, cut into strokes of `points` points in all."""
    rng = np.random.default_rng(seed)
    amplitude = rng.normal(size=(2, 3, 2)) / np.arange(1, 4)[:, None]
    angle = np.linspace(0, 5, points)[:, None] * np.arange(1, 4)
    x, y = (np.sin(angle) @ a[:, 0] + np.cos(angle) @ a[:, 1] for a in amplitude)
    return [part.tolist() for part in np.array_split(np.stack([x, y], 1), pieces)]


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    """The mean absolute difference of two frames' pixels, 0 to 255."""
    return (a.float() - b.float()).abs().mean().item()

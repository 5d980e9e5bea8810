"""Variation of training digits: of frames as pixels and of drawings as strokes, in batches.

Each function takes a generator and varies every digit of a batch on its own.
"""

import math

import torch
import torch.nn.functional as F

from lenet.preprocess import INPUT, PEN_WIDTH, normalize


def random_affine(count: int, generator: torch.Generator) -> torch.Tensor:
    """Random affine maps, float32 count×2×3, as `vary_frames` takes them.

    Up to 12° of rotation, 15 % of size a side, 0.25 of slant and 2 pixels of shift.
    """
    r = torch.rand(count, 6, generator=generator).mul_(2).sub_(1)
    angle = r[:, 0] * math.radians(12)
    cos, sin = angle.cos(), angle.sin()
    width, height = 1 + 0.15 * r[:, 1], 1 + 0.15 * r[:, 2]
    slant = 0.25 * r[:, 3]
    shift = r[:, 4:] * (2 / 14)
    rows = torch.stack(
        [cos * width, slant * cos - sin * height, sin * width, slant * sin + cos * height], 1
    )
    return torch.cat([rows.view(count, 2, 2), shift[:, :, None]], 2)


def vary_frames(frames: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Map uint8 N×28×28 frames through affine maps N×2×3 to normalised float32 N×1×32×32 inputs.

    One bilinear look-up does the map and the resize, so the ink is blurred once, as without it.
    """
    grid = F.affine_grid(affine, [len(frames), 1, INPUT, INPUT], align_corners=False)
    pixels = frames.unsqueeze(1).float()
    return normalize(F.grid_sample(pixels, grid, align_corners=False))


def vary_strokes(
    segments: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Vary drawings N×S×4 in slant, rotation, proportions and pen width.

    Returns:
        The segments, float32 N×S×4, and a pen width in pixels of the frame for each, float32 N.
    """
    affine = random_affine(len(segments), generator)[:, :, :2]
    points = segments.unflatten(-1, (2, 2)) @ affine.transpose(1, 2)[:, None]
    widths = PEN_WIDTH + 0.8 * (torch.rand(len(segments), generator=generator) * 2 - 1)
    return points.flatten(-2), widths

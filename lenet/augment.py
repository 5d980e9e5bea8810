"""Variation of training digits: of frames as pixels and of drawings as strokes, in batches.

Each function takes a generator and varies every digit of a batch on its own.
"""

import math

import torch
import torch.nn.functional as F

from lenet.preprocess import INPUT, normalize

# How much frames vary, to either side.
FRAME_ROTATION = 12.0  # degrees, at most
FRAME_SIZE = 0.15  # of a side
FRAME_SLANT = 0.25  # pixels to the side for each pixel down
FRAME_SHIFT = 2.0  # pixels
FRAME_LEAN = 3.0  # degrees to the right, the middle of the rotations: as most people's hands lean
DRAWN_REACH = 0.5  # of all this, for frames whose strokes were varied before they were drawn

# How much strokes vary.
WARP = 0.06  # of the box: the height of the waves that bend a drawing
WAVES = 0.5  # how many of them over the box, standard deviation
SLANT = 10.0  # degrees, standard deviation; at most twice as much
ROTATION = 14.0  # degrees, at most, to either side
STRETCH = 0.2  # standard deviation of the logarithm of width over height
PEN_WIDTHS = 1.6, 4.4  # pixels of the frame
COARSE = 0.3  # the share of drawings that show the steps of a mouse, because they were made small
SIDES = 20.0, 60.0  # of these, in a mouse's steps


def random_affine(
    count: int, generator: torch.Generator, reach: float | torch.Tensor = 1.0
) -> torch.Tensor:
    """Random affine maps, float32 count×2×3, as `vary_frames` takes them.

    Rotation, size of each side, slant and shift are uniform up to the `FRAME_…` limits, rotation
    around `FRAME_LEAN`.

    Args:
        reach: the share of the limits, 0..1, one for all or float32 of shape count.
    """
    reach = torch.as_tensor(reach)
    r = torch.rand(count, 6, generator=generator).mul_(2).sub_(1).to(reach.device)
    r = r * reach.expand(count)[:, None]
    angle = r[:, 0] * math.radians(FRAME_ROTATION) - math.radians(FRAME_LEAN)
    cos, sin = angle.cos(), angle.sin()
    width, height = 1 + FRAME_SIZE * r[:, 1], 1 + FRAME_SIZE * r[:, 2]
    slant = FRAME_SLANT * r[:, 3]
    shift = r[:, 4:] * (FRAME_SHIFT / 14)  # half a frame is 1
    rows = torch.stack(
        [cos * width, slant * cos - sin * height, sin * width, slant * sin + cos * height], 1
    )
    return torch.cat([rows.view(count, 2, 2), shift[:, :, None]], 2)


def random_shift(frames: torch.Tensor, reach: int, generator: torch.Generator) -> torch.Tensor:
    """Move a batch as a whole by up to `reach` pixels each way: uint8 N×28×28 to the same.

    What leaves on one side comes in on the other: a frame's margin is paper, so that is paper.
    """
    down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
    return frames.roll((down, right), (1, 2))


def vary_frames(frames: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Map uint8 N×28×28 frames through affine maps N×2×3 to normalised float32 N×1×32×32 inputs.

    One bilinear look-up does the map and the resize, so the ink is blurred once, as without a map.
    """
    grid = F.affine_grid(affine, [len(frames), 1, INPUT, INPUT], align_corners=False)
    pixels = frames.unsqueeze(1).float()
    return normalize(F.grid_sample(pixels, grid, align_corners=False))


def vary_points(
    points: torch.Tensor, generator: torch.Generator, lean: float = 0.0
) -> torch.Tensor:
    """Vary drawings as hands do: bent by low waves, slanted, turned, wider or higher.

    Args:
        points: float32 N×P×2 in a box of side 1. Equal points stay equal, so strokes stay whole.
        lean: degrees by which all of them are slanted to the right, before they vary.

    Returns:
        The varied points, float32 N×P×2, in about the same box.
    """
    count = len(points)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(count, *shape, generator=generator).clamp_(-2, 2)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=generator)

    waves = 2 * torch.pi * WAVES * normal(2, 2)
    points = points + WARP * torch.sin(points @ waves + 2 * torch.pi * uniform(1, 2))
    slant = torch.deg2rad(lean + SLANT * normal()).tan()
    turn = torch.deg2rad(ROTATION * (2 * uniform() - 1))
    stretch = torch.exp(STRETCH * normal())
    zero, one = torch.zeros(count), torch.ones(count)
    upright = torch.stack([stretch, zero, -slant, one], 1).view(-1, 2, 2)
    turned = torch.stack([turn.cos(), turn.sin(), -turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    return points @ (upright @ turned)


def random_widths(count: int, generator: torch.Generator) -> torch.Tensor:
    """Pen widths in pixels of the frame, float32 of shape count; thin ones are more frequent."""
    low, high = PEN_WIDTHS
    return low + (high - low) * torch.rand(count, generator=generator) ** 1.5


def coarsen(points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Put the points of some of the drawings, float32 N×P×2 in a box of side 1, on coarse grids."""
    low, high = SIDES
    steps = low + (high - low) * torch.rand(len(points), 1, 1, generator=generator)
    coarse = torch.rand(len(points), 1, 1, generator=generator) < COARSE
    return torch.where(coarse, (points * steps).round() / steps, points)


def vary_strokes(
    segments: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Vary drawings, float32 N×S×4 segments in a box of side 1.

    Returns:
        The segments, float32 N×S×4, and a pen width in pixels of the frame for each, float32 N.
    """
    points = vary_points(segments.unflatten(-1, (2, 2)).flatten(1, 2), generator)
    points = coarsen(points, generator)
    return points.view(segments.shape), random_widths(len(segments), generator)

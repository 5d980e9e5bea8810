"""A picture of a digit → 28×28 frame, as `lenet.preprocess` makes them from strokes.

In a picture of a number, connected components of ink take the place of strokes.

This file knows pixels, nothing of files, networks or strokes.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

from lenet.preprocess import BOX, CENTRE, FRAME, PEN_WIDTH

_LARGEST = 256  # pixels a side: pictures are shrunk to this before the digit is looked for
_FAINT = 0.1  # of full ink: what is fainter does not stretch the box
_JOINED = 0.3  # of full ink: what is fainter does not join two components
_MOST = 200  # components that are kept, the largest ones; the rest is dirt
_MIN_CONTRAST = 24  # of 255: a picture with less is a blank sheet
_SMOOTH = Image.Resampling.BILINEAR  # antialiased where it shrinks


def image_to_frame(image: Image.Image | np.ndarray) -> torch.Tensor:
    """Cut the digit out of a picture and frame it as a uint8 28×28 frame.

    The picture may have any size and mode, be drawn, scanned or photographed, dark on light or
    light on dark; slow changes of the light are taken out, a thin pen is thickened towards MNIST's.
    A picture without contrast gives a frame that is all zero. MNIST's own pictures hardly change.

    Args:
        image: a PIL image, or an array that `PIL.Image.fromarray` takes.
    """
    return ink_to_frame(find_ink(image))


def find_ink(image: Image.Image | np.ndarray) -> np.ndarray:
    """How much ink lies on each pixel of a picture that was shrunk to 256 pixels a side.

    Returns:
        float32 H×W, 0..1; all zero where the picture has no contrast.
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    return _ink(_grayscale(image))


def ink_to_frame(ink: np.ndarray) -> torch.Tensor:
    """Cut a digit out of its ink, float32 H×W in 0..1, and frame it as a uint8 28×28 frame."""
    rows, columns = np.flatnonzero(ink.max(1) > _FAINT), np.flatnonzero(ink.max(0) > _FAINT)
    frame = np.zeros((FRAME, FRAME), np.uint8)
    if not rows.size:
        return torch.from_numpy(frame)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = _thicken(ink)
    height, width = (max(1, round(BOX * side / max(ink.shape))) for side in ink.shape)
    small = Image.fromarray((ink * 255).astype(np.uint8)).resize((width, height), _SMOOTH)
    digit = np.asarray(small)
    mass = digit.astype(np.float64)
    corner = []  # where the digit's top left lies, in whole pixels as in MNIST
    for axis, side in enumerate(digit.shape):
        along = mass.sum(1 - axis)
        centre = (along * (np.arange(side) + 0.5)).sum() / along.sum()
        corner.append(int(np.clip(round(CENTRE - centre), 0, FRAME - side)))
    top, left = corner
    frame[top : top + height, left : left + width] = digit
    return torch.from_numpy(frame)


def find_components(ink: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The connected components of ink, which may touch at corners; the 200 largest.

    Rosenfeld and Pfaltz, "Sequential operations in digital picture processing", 1966, with runs of
    pixels in the place of pixels.

    Args:
        ink: float32 H×W in 0..1.

    Returns:
        int64 H×W, for each pixel the component that it belongs to, with its faint edge, or -1; and
        two corners of each, float64 2×2, x and y.
    """
    runs = _runs(ink > _JOINED)
    parent = list(range(len(runs)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    above = 0  # the first run that may touch the next one
    for run, (row, begin, end) in enumerate(runs):
        while runs[above][0] < row - 1 or (runs[above][0] == row - 1 and runs[above][2] < begin):
            above += 1
        touching = above
        while runs[touching][0] == row - 1 and runs[touching][1] <= end:
            parent[root(touching)] = root(run)
            touching += 1
    own: dict[int, list[tuple[int, int, int]]] = {}
    for run, place in enumerate(runs):
        own.setdefault(root(run), []).append(place)
    largest = sorted(own.values(), key=lambda found: -sum(b - a for _, a, b in found))[:_MOST]
    labels = np.full(ink.shape, -1)
    corners = []
    for label, found in enumerate(largest):
        for row, begin, end in found:
            labels[row, begin:end] = label
        rows, begins, ends = np.array(found).T
        box = [[begins.min(), rows.min()], [ends.max(), rows.max() + 1]]
        corners.append(np.array(box, np.float64))
    edge = _widest(torch.from_numpy(labels.astype(np.float32))[None, None], 1)[0, 0].numpy()
    return np.where(labels < 0, edge.astype(np.int64), labels), corners


def _runs(inked: np.ndarray) -> list[tuple[int, int, int]]:
    """The horizontal runs of inked pixels: the row, the first pixel, the one after the last."""
    steps = np.diff(np.pad(inked, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return list(zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True))


def _grayscale(image: Image.Image) -> np.ndarray:
    """The picture as float32 H×W in 0..255, at most 256 pixels a side, turned upright."""
    image = _upright(image)
    if image.mode.startswith(("I", "F")):  # 16 and 32 bits: stretched to what it holds
        values = np.nan_to_num(np.asarray(image, np.float32))
        values = values - values.min()
        image = Image.fromarray((values * (255 / (values.max() or 1))).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        for paper in ("white", "black"):  # white ink on nothing shows on black only
            sheet = Image.new("RGBA", image.size, paper)
            sheet.alpha_composite(image)
            gray = sheet.convert("L")
            if np.ptp(gray.getextrema()) >= _MIN_CONTRAST:
                break
    else:
        gray = image.convert("L")
    gray.thumbnail((_LARGEST, _LARGEST), _SMOOTH)
    return np.asarray(gray, np.float32)


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned upright; unchanged where its orientation tag is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow meets damage with almost any exception
        return image


def _ink(gray: np.ndarray) -> np.ndarray:
    """How much ink lies on each pixel, 0..1: the paper, its shadows and its noise taken out."""
    gray = gray - _light(gray)
    paper = np.median(_edge(gray))
    if paper - gray.min() > gray.max() - paper:
        gray = -gray
    pixels = torch.from_numpy(np.ascontiguousarray(gray))[None, None]
    # The paper under the ink: a morphological opening with a window wider than any stroke.
    reach = max(gray.shape) // 4
    opened = _widest(-_widest(-pixels, reach), reach)
    ink = (pixels - opened)[0, 0].numpy()
    sheet = ink[ink <= ink.max() / 2]
    noise = np.median(sheet)
    noise += 6 * np.median(np.abs(sheet - noise))
    full = np.percentile(ink[ink >= ink.max() / 2], 90)
    if full - noise < _MIN_CONTRAST:
        return np.zeros_like(ink)
    return ((ink - noise) / (full - noise)).clip(0, 1)


def _light(gray: np.ndarray) -> np.ndarray:
    """The light on the paper where it changes smoothly, else zeros.

    A quadratic surface is laid through the sheet's edge by least trimmed squares (Rousseeuw 1984),
    so that a digit that runs over the edge does not count. Where it does not fit, it is not light.
    """
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in gray.shape)
    x, y = np.meshgrid(x, y)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    edge, values = _edge(terms), _edge(gray)
    near = np.ones(len(values), bool)
    surface, off = np.zeros(edge.shape[1]), values
    for _ in range(5):
        surface = np.linalg.lstsq(edge[near], values[near])[0]
        off = np.abs(values - edge @ surface)
        near = off <= np.quantile(off, 0.8)
    light = terms @ surface
    return light if off[near].max() < 0.1 * np.ptp(light) else np.zeros_like(gray)


def _edge(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _widest(pixels: torch.Tensor, reach: int) -> torch.Tensor:
    """The largest value within `reach` pixels of each pixel."""
    pixels = F.max_pool2d(pixels, (2 * reach + 1, 1), 1, (reach, 0))
    return F.max_pool2d(pixels, (1, 2 * reach + 1), 1, (0, reach))


def _thicken(ink: np.ndarray) -> np.ndarray:
    """Widen strokes that a thin pen drew until they are nearly as wide as MNIST's."""
    covered = torch.from_numpy(ink > 0.5).float()[None, None]
    inner = -_widest(-F.pad(covered, (1, 1, 1, 1)), 1)
    edge = covered.sum() - inner.sum()
    width = float(2 * covered.sum() / edge.clamp_min(1))
    wanted = PEN_WIDTH * max(ink.shape) / BOX
    reach = round((0.8 * wanted - width) / 2)
    if reach < 1:
        return ink
    wide = F.pad(torch.from_numpy(ink)[None, None], (reach,) * 4)
    return _widest(wide, reach)[0, 0].numpy()

"""Read one drawing: a checkpoint plus the pipeline.

`Recognizer.load().recognize(strokes).digit` is all that a program needs. This file knows nothing of
pages, training or data sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from lenet.checkpoint import SHIPPED, Checkpoint, read
from lenet.image import image_to_frame
from lenet.model import LeNet
from lenet.preprocess import (
    Strokes,
    frames_to_inputs,
    normalize,
    resize_frames,
    strokes_to_frame,
)

MAX_DRAWINGS = 500  # that are read in one call
EVEN = 0.5  # a drawing that is at least so probably a digit counts as one


@torch.inference_mode()
def predict(model: LeNet, frames: torch.Tensor, batch_size: int = 1000) -> torch.Tensor:
    """The logits, float32 N×10 on the CPU, of uint8 N×28×28 frames."""
    device = next(model.parameters()).device
    parts = [model(frames_to_inputs(part.to(device))).cpu() for part in frames.split(batch_size)]
    return torch.cat(parts)


def energies(logits: torch.Tensor) -> torch.Tensor:
    """How much each of float32 N×10 logits speaks for a digit, float32 N; ln 10 where all are 0.

    Liu, Wang, Owens, Li, "Energy-based out-of-distribution detection", NeurIPS 2020, with the sign
    of a score. The logits are taken as they are: divided by the temperature they tell digits from
    others no better.
    """
    return logits.logsumexp(1)


@dataclass(frozen=True)
class Recognitions:
    """The answers about N frames; `Recognition` has one of them.

    Attributes:
        probabilities: float32 N×10.
        digit_probability: float64 N; float32 would round that of most digits to 1.
        is_digit: bool N.
        sure: bool N.
    """

    probabilities: torch.Tensor
    digit_probability: torch.Tensor
    is_digit: torch.Tensor
    sure: torch.Tensor


def interpret(checkpoint: Checkpoint, logits: torch.Tensor) -> Recognitions:
    """What the float32 N×10 logits of a checkpoint's network say, by its calibration."""
    probabilities = (logits / checkpoint.temperature).softmax(1)
    energy = energies(logits).double()
    digit_probability = (checkpoint.digit_slope * energy + checkpoint.digit_offset).sigmoid()
    is_digit = digit_probability >= EVEN
    sure = is_digit & (digit_probability >= checkpoint.sure_digit_above)
    sure &= probabilities.amax(1) >= checkpoint.sure_above
    return Recognitions(probabilities, digit_probability, is_digit, sure)


@dataclass(frozen=True)
class Recognition:
    """The answer about one drawing.

    Attributes:
        digit: 0 to 9, the most probable one even where it is none, or None when nothing is drawn.
        probabilities: ten floats in the order of the digits that add up to 1; all 0.1 when nothing
            is drawn.
        is_digit: whether the drawing is more probably one digit than something else; False when
            nothing is drawn, and True of every drawing where the checkpoint knows of nothing else.
        digit_probability: 0..1, how probable it is that the drawing is one digit at all, where nine
            in ten are; 0 when nothing is drawn, and 1 where the checkpoint knows of nothing else.
        sure: False where the answer is not to be relied on: this is not clearly a digit, or the
            highest probability is too low.
        pixels: uint8 32×32, the picture that the network saw.
        frame: uint8 28×28, what it was made from.
    """

    digit: int | None
    probabilities: list[float]
    is_digit: bool
    digit_probability: float
    sure: bool
    pixels: torch.Tensor
    frame: torch.Tensor


class Recognizer:
    """A trained LeNet that reads drawings and pictures of single digits, on the CPU."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.model = checkpoint.model()

    @classmethod
    def load(cls, path: Path | str | None = None) -> "Recognizer":
        """Load a checkpoint, by default the shipped one.

        Raises:
            lenet.checkpoint.CheckpointError: it cannot be read, or holds another network.
        """
        return cls(read(path or SHIPPED))

    def recognize(self, strokes: Strokes) -> Recognition:
        """Read strokes: `[[[x, y], …], …]`, y downwards, in any unit and at any place.

        Raises:
            ValueError: the strokes are malformed; one sentence that says how.
        """
        return self.recognize_frame(strokes_to_frame(strokes))

    def recognize_many(self, drawings: Sequence[Strokes]) -> list[Recognition]:
        """Read many drawings at once, each as `recognize` does; the network takes one batch.

        Raises:
            ValueError: they are no list or too many, or one of them is malformed; one sentence that
                says which and how.
        """
        if not isinstance(drawings, list | tuple):
            raise ValueError("Drawings must be a list of drawings, each a list of strokes.")
        if len(drawings) > MAX_DRAWINGS:
            raise ValueError(
                f"These are {len(drawings):,} drawings; at most {MAX_DRAWINGS} are read at once."
            )
        frames = []
        for number, strokes in enumerate(drawings, 1):
            try:
                frames.append(strokes_to_frame(strokes))
            except ValueError as error:
                raise ValueError(f"Drawing {number}: {error}") from error
        return self.recognize_frames(torch.stack(frames)) if frames else []

    def recognize_image(self, image: Image.Image) -> Recognition:
        """Read a picture of one digit, of any size and mode, dark on light or light on dark."""
        return self.recognize_frame(image_to_frame(image))

    def recognize_frame(self, frame: torch.Tensor) -> Recognition:
        """Read a uint8 28×28 frame."""
        return self.recognize_frames(frame[None])[0]

    @torch.inference_mode()
    def recognize_frames(self, frames: torch.Tensor) -> list[Recognition]:
        """Read uint8 N×28×28 frames."""
        pixels = resize_frames(frames)
        found = interpret(self.checkpoint, self.model(normalize(pixels)))
        columns = (found.probabilities, found.is_digit, found.digit_probability, found.sure)
        rows = zip(*(column.tolist() for column in columns), pixels[:, 0], frames, strict=True)
        return [
            Recognition(row[0].index(max(row[0])), *row)
            if inked
            else Recognition(None, [0.1] * 10, False, 0.0, False, *row[-2:])
            for inked, row in zip(frames.flatten(1).any(1).tolist(), rows, strict=True)
        ]

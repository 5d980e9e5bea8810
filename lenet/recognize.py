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


@torch.inference_mode()
def predict(model: LeNet, frames: torch.Tensor, batch_size: int = 1000) -> torch.Tensor:
    """The logits, float32 N×10 on the CPU, of uint8 N×28×28 frames."""
    device = next(model.parameters()).device
    parts = [model(frames_to_inputs(part.to(device))).cpu() for part in frames.split(batch_size)]
    return torch.cat(parts)


@dataclass(frozen=True)
class Recognition:
    """The answer about one drawing.

    Attributes:
        digit: 0 to 9, or None when nothing is drawn.
        probabilities: ten floats in the order of the digits that add up to 1; all 0.1 when nothing
            is drawn.
        sure: False where the highest probability is too low to be relied on.
        pixels: uint8 32×32, the picture that the network saw.
        frame: uint8 28×28, what it was made from.
    """

    digit: int | None
    probabilities: list[float]
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
        logits = self.model(normalize(pixels)) / self.checkpoint.temperature
        drawn = frames.flatten(1).any(1).tolist()
        answers = []
        for inked, probabilities, *pictures in zip(
            drawn, logits.softmax(1).tolist(), pixels[:, 0], frames, strict=True
        ):
            best = max(probabilities)
            sure = best >= self.checkpoint.sure_above
            answers.append(
                Recognition(probabilities.index(best), probabilities, sure, *pictures)
                if inked
                else Recognition(None, [0.1] * 10, False, *pictures)
            )
        return answers

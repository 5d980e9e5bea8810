"""Read one drawing: a checkpoint plus the pipeline.

`Recognizer.load().recognize(strokes).digit` is all that a program needs. This file knows nothing of
pages, training or data sets.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from lenet.checkpoint import SHIPPED, Checkpoint, read
from lenet.preprocess import Strokes, image_to_frame, normalize, resize_frames, strokes_to_frame


@dataclass(frozen=True)
class Recognition:
    """The answer about one drawing.

    Attributes:
        digit: 0 to 9, or None when nothing is drawn.
        probabilities: ten floats in the order of the digits that add up to 1; all 0.1 when nothing
            is drawn.
        sure: False where the highest probability is too low to be relied on.
        pixels: uint8 32×32, the picture that the network saw.
    """

    digit: int | None
    probabilities: list[float]
    sure: bool
    pixels: torch.Tensor


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

    def recognize_image(self, image: Image.Image) -> Recognition:
        """Read a picture of one digit, of any size and mode, dark on light or light on dark."""
        return self.recognize_frame(image_to_frame(image))

    @torch.inference_mode()
    def recognize_frame(self, frame: torch.Tensor) -> Recognition:
        """Read a uint8 28×28 frame."""
        pixels = resize_frames(frame[None])
        if not frame.any():
            return Recognition(None, [0.1] * 10, False, pixels[0, 0])
        logits = self.model(normalize(pixels))[0] / self.checkpoint.temperature
        probabilities = logits.softmax(0).tolist()
        best = max(probabilities)
        sure = best >= self.checkpoint.sure_above
        return Recognition(probabilities.index(best), probabilities, sure, pixels[0, 0])

"""Read drawings of a digit or a number: a checkpoint plus the pipeline.

`Recognizer.load().recognize(strokes).digit` is all that a program needs, or `recognize_number` and
`.number`. This file knows nothing of pages, training or data sets.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from PIL import Image

from lenet.checkpoint import SHIPPED, Checkpoint, read
from lenet.image import find_components, find_ink, image_to_frame, ink_to_frame
from lenet.model import LeNet
from lenet.numbers import (
    CUT,
    Box,
    Group,
    Line,
    Span,
    best_way,
    find_whole,
    segment,
)
from lenet.preprocess import (
    Strokes,
    check_strokes,
    frames_to_inputs,
    longer_side,
    normalize,
    pad_segments,
    polylines_to_segments,
    rasterize,
    resize_frames,
    smooth_steps,
    strokes_to_frame,
    strokes_to_segments,
    thin_stroke,
)

MAX_DRAWINGS = 500  # that are read in one call
FLOOR = 1e-3  # how far an energy lies above ln 10 at least: half of what is no digit lies lower
EVEN = 0.5  # a drawing that is at least so probably a digit counts as one
NO_DIGIT = "?"  # in a number, where a candidate of its path is no digit
# What a part that is surely no digit counts in a path. The more, the more letters are read as one
# sign; up to 0.5 as many numbers are read right, and with 1 nothing is divided that need not be.
SIGN = 0.5
SMALLEST = 1e-9  # probability, so that its logarithm is finite
REMEMBERED = 2000  # candidates whose answers are kept, 5 KB each

_BATCH = 1000  # frames that the network reads at once
_Ink = tuple[tuple[bytes, int, int], ...]  # strokes by their content, and a part of each
_WHOLE = (b"", 0, 0)  # added where they are the whole drawing


@torch.inference_mode()
def predict(model: LeNet, frames: torch.Tensor) -> torch.Tensor:
    """The logits, float32 N×10 on the CPU, of uint8 N×28×28 frames."""
    device = next(model.parameters()).device
    parts = [model(frames_to_inputs(part.to(device))).cpu() for part in frames.split(_BATCH)]
    return torch.cat(parts)


def share_right(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of N images, 0..1, whose largest of N×10 logits is that of their label."""
    return (logits.argmax(1) == labels).double().mean().item()


def evidence(logits: torch.Tensor) -> torch.Tensor:
    """How strongly float32 N×10 logits speak for a digit, float64 N: the logarithm of how far the
    energy lies above ln 10, its value where the network has learnt that a drawing is no digit.

    The energy is the logarithm of the sum of the exponentials of the logits, which no temperature
    divides (Liu, Wang, Owens, Li, "Energy-based out-of-distribution detection", NeurIPS 2020, with
    the opposite sign). A logistic function of the energy itself would give what lies at ln 10 one
    chance in twenty of being a digit.
    """
    return (logits.double().logsumexp(1) - math.log(10)).clamp(min=FLOOR).log()


@dataclass(frozen=True)
class Recognitions:
    """The answers about N frames; `Recognition` is the answer about one.

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
    score = checkpoint.digit_slope * evidence(logits) + checkpoint.digit_offset
    digit_probability = score.sigmoid()
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


@dataclass(frozen=True)
class Candidate:
    """A part of a drawing that was read as a digit.

    Attributes:
        recognition: the answer about it, as if it were drawn alone.
        box: x0, y0, x1, y1 of its strokes, in the drawing's units.
        score: what it adds to the score of a path, at most 0 (`lenet.numbers`).
        chosen: whether it is on the best path.
        spans: its ink, as parts of the strokes of its `NumberRecognition`.
    """

    recognition: Recognition
    box: Box
    score: float
    chosen: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class NumberRecognition:
    """The answer about a drawing of a number.

    Attributes:
        number: its digits, with a "?" for each part that is none; "" when nothing is drawn or
            nothing is a digit.
        digits: the candidates that it is made of, from left to right, line by line.
        lattice: all candidates of each line; only the chosen one where no other could have won.
        strokes: float64 P×2 each, smoothed and thinned; none for a picture.
    """

    number: str
    digits: list[Candidate]
    lattice: list[list[Candidate]]
    strokes: list[np.ndarray] = field(default_factory=list)

    def ink(self, digit: Candidate) -> list[list[list[float]]]:
        """The strokes of a candidate, as `recognize` takes them; none of a picture."""
        spans = digit.spans if self.strokes else ()
        return [self.strokes[i][first : last + 1].tolist() for i, first, last in spans]


class Recognizer:
    """A trained LeNet that reads drawings and pictures of digits and numbers, on the CPU."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.model = checkpoint.model()
        self._remembered = _Remembered()

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

    def recognize_number(self, strokes: Strokes) -> NumberRecognition:
        """Read strokes, as `recognize` takes them, as a number of up to a dozen digits.

        Candidates that were read before, here or in another drawing, are not read again. A drawing
        that is one candidate as a whole is read as `recognize` reads it.

        Raises:
            ValueError: the strokes are malformed; one sentence that says how.
        """
        checked = smooth_steps(check_strokes(strokes))
        drawn = [thin_stroke(stroke, longer_side(stroke)) for stroke in checked]
        contents = [hashlib.blake2b(stroke.tobytes(), digest_size=16).digest() for stroke in drawn]
        everything = tuple((i, 0, len(stroke) - 1) for i, stroke in enumerate(drawn))

        def key(group: Group) -> _Ink:
            own = tuple((contents[i], a, b) for i, a, b in group.spans)
            return (*own, _WHOLE) if group.spans == everything else own

        def segments_of(group: Group) -> torch.Tensor:
            if group.spans == everything and len(checked) > 1:  # thinned together
                return strokes_to_segments(checked)
            return polylines_to_segments([drawn[i][a : b + 1] for i, a, b in group.spans])

        def read(groups: list[Group]) -> list[Recognition]:
            keys = list(map(key, groups))
            known = self._remembered.find(keys)
            new = {key: group for key, group in zip(keys, groups, strict=True) if key not in known}
            if new:
                segments = pad_segments(list(map(segments_of, new.values())))
                answers = dict(zip(new, self.recognize_frames(rasterize(segments)), strict=True))
                self._remembered.keep(answers)
                known |= answers
            return [known[key] for key in keys]

        if len(drawn) == 1:
            number = _read_number(segment(drawn, cut=False), read, drawn)
            if number.digits[0].score >= -2 * CUT:  # the first cut costs as much
                return number
        return _read_number(segment(drawn), read, drawn)

    def recognize_image_number(self, image: Image.Image) -> NumberRecognition:
        """Read a picture, as `recognize_image` takes it, as a number of up to a dozen digits.

        Components of ink take the place of strokes; digits that touch are not told apart. The boxes
        are in pixels of the picture after it was shrunk to at most 256 a side.
        """
        ink = find_ink(image)
        labels, corners = find_components(ink)

        def read(groups: list[Group]) -> list[Recognition]:
            own = [np.isin(labels, [i for i, _, _ in group.spans]) for group in groups]
            return self.recognize_frames(torch.stack([ink_to_frame(ink * mask) for mask in own]))

        return _read_number(segment(corners, cut=False), read, [])

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


def _read_number(
    ways: list[list[Line]],
    read: Callable[[list[Group]], list[Recognition]],
    strokes: list[np.ndarray],
) -> NumberRecognition:
    """Read the candidates, each once, and choose the best path."""
    if not ways:
        return NumberRecognition("", [], [], strokes)
    if whole := _read_whole(ways, read):
        lattice, paths = [[whole]], [[0]]
    else:
        groups = {group.spans: group for way in ways for line in way for group in line.groups}
        answers = dict(zip(groups, read(list(groups.values())), strict=True))
        log_p = {spans: _log_p(answer, groups[spans].box) for spans, answer in answers.items()}
        digit_p = {spans: answer.digit_probability for spans, answer in answers.items()}
        lines, paths = best_way(ways, log_p, digit_p)
        lattice = [
            [
                _candidate(group, answers[group.spans], log_p[group.spans], number in path)
                for number, group in enumerate(line.groups)
            ]
            for line, path in zip(lines, paths, strict=True)
        ]
    digits = [line[number] for line, path in zip(lattice, paths, strict=True) for number in path]
    signs = [str(r.digit) if r.is_digit else NO_DIGIT for r in (d.recognition for d in digits)]
    number = "" if set(signs) == {NO_DIGIT} else "".join(signs)
    return NumberRecognition(number, digits, lattice, strokes)


def _read_whole(
    ways: list[list[Line]], read: Callable[[list[Group]], list[Recognition]]
) -> Candidate | None:
    """The whole drawing as one digit, where no path through its parts can score as much, so that
    none of them has to be read (branch and bound); else None.
    """
    whole, rival = find_whole(ways)
    if whole is None or rival >= -whole.penalty:
        return None
    (answer,) = read([whole])
    candidate = _candidate(whole, answer, _log_p(answer, whole.box), True)
    return candidate if candidate.score >= rival else None


def _candidate(group: Group, answer: Recognition, log_p: float, chosen: bool) -> Candidate:
    return Candidate(answer, group.box, log_p - group.penalty, chosen, group.spans)


def _log_p(recognition: Recognition, box: Box) -> float:
    """What a candidate's answer adds to the score of a path, at most 0: the logarithm of the
    probability that it is one digit and read right or, where that is higher, that it is a sign. A
    wide sign counts as several.
    """
    x0, y0, x1, y1 = box
    signs = max(1.0, (x1 - x0) / ((y1 - y0) or 1.0))
    digit = recognition.digit_probability * max(recognition.probabilities)
    sign = SIGN**signs * (1 - recognition.digit_probability)
    return math.log(max(digit, sign, SMALLEST))


class _Remembered:
    """The latest answers about candidates, by their ink; any thread may call."""

    def __init__(self) -> None:
        self._answers: OrderedDict[_Ink, Recognition] = OrderedDict()
        self._lock = Lock()

    def find(self, keys: Iterable[_Ink]) -> dict[_Ink, Recognition]:
        """The answers that are known."""
        found = {}
        with self._lock:
            for key in keys:
                if answer := self._answers.get(key):
                    self._answers.move_to_end(key)
                    found[key] = answer
        return found

    def keep(self, answers: Mapping[_Ink, Recognition]) -> None:
        """Keep answers, and forget those that nobody has asked for longest."""
        if len(answers) > 1:  # copies: a part of a batch keeps the memory of all of it
            answers = {
                key: replace(answer, pixels=answer.pixels.clone(), frame=answer.frame.clone())
                for key, answer in answers.items()
            }
        with self._lock:
            self._answers |= answers
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

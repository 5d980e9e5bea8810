"""How to train: every hyper-parameter in one table, and the schedule of the learning rate.

This file knows nothing of data, files or the loop.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The hyper-parameters of a run.

    Attributes:
        epochs: passes over the training set.
        batch_size: images a step.
        learning_rate: the constant rate, or the peak of the cycle.
        momentum: of SGD; Nesterov's where `nesterov`.
        weight_decay: L2 penalty of SGD.
        warm_up: the share of the steps in which the rate rises, 0 for a constant rate.
        averaging: decay a step of the exponential moving average of the weights, 0 for none.
        hardest: the share of each batch that is learnt from: the images with the largest losses.
            Finding them is a forward pass alone, a third of a step's work (Kawaguchi and Lu,
            "Ordered SGD", AISTATS 2020, algorithm 1).
        left_out: the share of each batch that is left out unseen from the second epoch on. Of what
            stays, two thirds have the largest losses known, the others are chosen at random
            (after Loshchilov and Hutter, "Online batch selection for faster training of neural
            networks", 2015, and Qin and others, "InfoBatch", ICLR 2024, section 2.2). In the third
            and the fourth epoch, unless it is the last, all that is learnt from is chosen in this
            way, without a forward pass.
        shift: pixels that a batch is moved at most, as a whole, to each side.
        augment: vary every image anew in every epoch.
        images: how many of the data set an epoch has, chosen anew in every epoch; 0 for all.
        repeats: how often each drawing of a drawings file comes in an epoch.
        drawn: how many drawings an epoch has at most, repeats included; 0 for no limit. A recipe
            with a limit teaches a trained network somebody's hand.
        synthetic: digits drawn from templates that are mixed in, new ones in every epoch.
        others: drawings of what is no digit that are mixed in, new ones in every epoch; the network
            is to find all ten digits equally probable there (`lenet.others`).
        others_weight: what the loss of one counts, beside a digit's.
        about: one line for the page and `--help`.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    nesterov: bool
    weight_decay: float
    warm_up: float
    averaging: float
    hardest: float
    left_out: float
    shift: int
    augment: bool
    images: int
    repeats: int
    drawn: int
    synthetic: int
    others: int
    others_weight: float
    about: str

    @property
    def teaches(self) -> bool:
        """Whether it goes on from a trained network, to teach it somebody's drawings."""
        return self.drawn > 0


RECIPES = {
    "fast": Recipe(
        epochs=5, batch_size=96, learning_rate=0.05, momentum=0.9, nesterov=True,
        weight_decay=5e-4, warm_up=0.15, averaging=0.99, hardest=0.375,
        left_out=0.25, shift=1, augment=False, images=0, repeats=1, drawn=0, synthetic=0,
        others=0, others_weight=0.0, about="the best accuracy that seconds can buy",
    ),
    "tutorial": Recipe(
        epochs=5, batch_size=64, learning_rate=0.001, momentum=0.9, nesterov=False,
        weight_decay=0.0, warm_up=0.0, averaging=0.0, hardest=1.0,
        left_out=0.0, shift=0, augment=False, images=0, repeats=1, drawn=0, synthetic=0, others=0,
        others_weight=0.0, about="the lesson's own: plain SGD at a constant rate",
    ),
    "best": Recipe(
        epochs=30, batch_size=64, learning_rate=0.06, momentum=0.9, nesterov=True,
        weight_decay=5e-4, warm_up=0.2, averaging=0.999, hardest=1.0,
        left_out=0.0, shift=0, augment=True, images=0, repeats=2, drawn=0, synthetic=10_000,
        others=24_000, others_weight=1.0,
        about="what the shipped network is trained with: minutes, every image varied",
    ),
    "hand": Recipe(
        epochs=1, batch_size=112, learning_rate=0.045, momentum=0.9, nesterov=True,
        weight_decay=5e-4, warm_up=0.1, averaging=0.0, hardest=1.0,
        left_out=0.0, shift=0, augment=True, images=12_800, repeats=256, drawn=9_600, synthetic=0,
        others=3_200, others_weight=1.0,
        about="teaches a trained network your own drawings, in seconds",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Schedule:
    """The learning rate at each step from `start` to `end`.

    With a warm-up it is one cycle: up in a straight line to the peak, then down to nearly nothing
    at the end, whatever the number of steps (Smith and Topin, "Super-convergence", 2018). Without
    one it is constant.
    """

    start: int
    end: int
    peak: float
    warm_up: float

    def rate(self, step: int) -> float:
        """The learning rate of a step counted from the beginning of the run."""
        if self.warm_up == 0:
            return self.peak
        share = (step - self.start + 1) / (self.end - self.start + 1)
        return self.peak * min(share / self.warm_up, (1 - share) / (1 - self.warm_up))

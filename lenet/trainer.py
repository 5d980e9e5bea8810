"""A training run: its state, its steps and the stream of its events.

This file knows nothing of where events and checkpoints go, or of who asked for the run.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lenet.augment import DRAWN_REACH, random_affine, random_shift, vary_frames, vary_strokes
from lenet.checkpoint import Checkpoint
from lenet.cuda_graph import Recorded
from lenet.data import DataSet, Digits
from lenet.distributed import Team
from lenet.drawings import NO_DIGIT, Drawn
from lenet.events import Batch, Epoch, Event, Note
from lenet.model import LeNet
from lenet.others import other_segments
from lenet.preprocess import FRAME, frames_to_inputs, rasterize
from lenet.progress import Progress
from lenet.recipes import RECIPES, Schedule
from lenet.recognize import predict, share_right
from lenet.settings import Settings
from lenet.synthetic import synthetic_segments

LOG_EVERY = 100  # batches, as in the lesson
SAVE_EVERY = 4.0  # seconds: nobody loses more than five
AVERAGE_EVERY = 8  # batches: as good as every one, at an eighth of the time
KNOWN = 10_000  # training images whose answers are looked at, where they may have changed
# Of the weights that teaching began from, in the mean with those that it ended on: the first where
# no more of the known images are forgotten, or the last. With a quarter in each mean, a tenth more
# of what people wrote stays misread, and who loses most loses more.
SHARES = 0.0, 0.1, 0.2, 0.3, 0.4, 0.5
FORGOTTEN = 0.0004
HARD = 2 / 3  # of what stays of a batch: those with the largest losses known; the others by chance
# Epochs, counted from 0, that look at nothing but what they learn from, unless it is the last one:
# with more of them, longer runs end lower.
UNSEEN = 2, 3
# After a share of an epoch's steps teaching looks which drawings have not got this probability of
# their digit yet. They get as many places of digits in the rest of the epoch: a share of all drawn
# ones. Those that were another digit to the network before are doubted instead; where that is a
# larger share of the drawings, it is the network that errs.
LOOKED_AFTER, LEARNT, UNLEARNT, DOUBTED = 0.2, 0.9, 0.25, 0.25
RESUMED_PEAK = 0.25  # of the recipe's rate: the peak of a cycle that goes on from trained weights


class TrainingError(RuntimeError):
    """A run that cannot go on: one sentence that says why."""


class Loss(Protocol):
    """The losses of float32 N×10 logits beside int64 N labels: their sum, or one each."""

    def __call__(
        self, logits: torch.Tensor, labels: torch.Tensor, /, *, reduction: str
    ) -> torch.Tensor: ...


def outlier_exposure(weight: float, device: torch.device) -> Loss:
    """Cross-entropy; for others the divergence from ten equally probable digits, times `weight`.

    Hendrycks, Mazeika, Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019. The
    entropy of the target, which the paper's loss includes, is left out: so the smallest loss is 0
    for others as for digits.
    """
    targets = torch.cat([torch.eye(10), torch.full((1, 10), weight / 10)]).to(device)
    least = torch.tensor([0.0] * 10 + [weight * math.log(10)]).to(device)

    def loss(logits: torch.Tensor, labels: torch.Tensor, /, *, reduction: str) -> torch.Tensor:
        losses = F.cross_entropy(logits, targets.index_select(0, labels), reduction="none")
        losses = losses - least.index_select(0, labels)
        return losses.sum() if reduction == "sum" else losses

    return loss


class Trainer:
    """A training run: its `progress`, its steps, and the stream of its events.

    Everything random comes from one generator, so that a run that stops and goes on from its
    checkpoint ends on the same bits as one that never stopped (same machine, threads and versions).

    Args:
        settings: what it is trained with.
        data: the data set.
        drawn: the drawings that are mixed in.
        team: who trains.
    """

    def __init__(self, settings: Settings, data: DataSet, drawn: Drawn, team: Team) -> None:
        self.settings = settings
        self.recipe = RECIPES[settings.recipe]
        self.team = team
        self.test = data.test
        self.known = Digits(data.train.frames[:KNOWN], data.train.labels[:KNOWN])
        self._take_images(data.train, drawn)
        self._make_network()
        self.generator = torch.Generator().manual_seed(settings.seed)
        schedule = Schedule(0, 0, settings.learning_rate, self.recipe.warm_up)
        random = self.generator.get_state()
        self.progress = Progress(settings, data.checksum(), schedule, random)
        self.progress.schedule = self._cycle(settings.learning_rate)
        # In the running epoch: the share of each batch that is left out unseen, and whether a
        # forward pass finds the hardest of what stays.
        self.left_out, self.looks = 0.0, self.recipe.hardest < 1
        self.image_losses = None
        if self.recipe.left_out:
            unknown = torch.full((len(self.frames),), math.inf)
            self.image_losses = unknown.to(self.team.device)
        self.losses: list[torch.Tensor] = []  # of the batches since they were last looked at
        self.accuracy: float | None = None
        self.calibrated = Checkpoint({})  # the calibration that its checkpoints keep

    def _take_images(self, train: Digits, drawn: Drawn) -> None:
        """Hold the data set and the drawings on the device, with room for what is drawn."""
        recipe = self.recipe
        frames, labels = train.frames, train.labels
        self.bad_lines = drawn.bad_lines
        self.source = None  # what images are chosen from
        if recipe.images:
            self.source = Digits(frames.to(self.team.device), labels.to(self.team.device))
            frames, labels = frames[: recipe.images], labels[: recipe.images]
        self.of_data_set = len(frames)  # the first of the images; those after them are drawn
        repeats = recipe.repeats
        if recipe.drawn and len(drawn):
            repeats = max(1, min(repeats, recipe.drawn // len(drawn)))
        self.drawings = len(drawn)
        self.segments = drawn.segments.repeat(repeats, 1, 1)
        self.drawn_labels = drawn.labels.repeat(repeats)
        # Drawings that are varied, synthetic digits and others are drawn as each epoch begins.
        to_draw = recipe.synthetic + recipe.others
        if len(self.segments) + to_draw:
            drawn_frames = torch.zeros(
                len(self.segments) + to_draw, FRAME, FRAME, dtype=torch.uint8
            )
            if not recipe.augment:
                drawn_frames[: len(self.segments)] = rasterize(self.segments)
            frames = torch.cat([frames, drawn_frames])
            labels = torch.cat([labels, self.drawn_labels, torch.full((to_draw,), NO_DIGIT)])
        self.frames = frames.to(self.team.device)
        self.labels = labels.to(self.team.device)

    def _make_network(self) -> None:
        torch.manual_seed(self.settings.seed)
        # Channels last and the fused optimiser: see benchmarks/README.md for what each gains.
        self.network = LeNet().to(self.team.device).to(memory_format=torch.channels_last)
        self.parallel = self.team.wrap(self.network)
        self.loss: Loss = F.cross_entropy
        if self.recipe.others:
            self.loss = outlier_exposure(self.recipe.others_weight, self.team.device)
        self.average = None
        if self.recipe.averaging:
            decay = get_ema_multi_avg_fn(self.recipe.averaging**AVERAGE_EVERY)
            self.average = AveragedModel(self.network, multi_avg_fn=decay)
        self.rate = torch.tensor(self.settings.learning_rate, device=self.team.device)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=self.rate,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov,
            weight_decay=self.recipe.weight_decay,
            fused=True,
        )
        self.recorded = None
        if self.team.device.type == "cuda" and self.team.size == 1:
            self.recorded = Recorded(self._learn)

    @property
    def model(self) -> LeNet:
        """The network to read digits with: the average where one is kept."""
        return cast(LeNet, self.average.module) if self.average else self.network

    def _cycle(self, peak: float) -> Schedule:
        """The learning rate from here to the end of the run."""
        run, size = self.progress, self.settings.batch_size
        whole = math.ceil(len(self.frames) / size) * (self.settings.epochs - run.epoch - 1)
        end = run.step + whole + math.ceil((len(self.frames) - run.seen) / size)
        return Schedule(run.step, end, peak, self.recipe.warm_up)

    # ------------------------------------------------------------ the loop

    def events(self, stop: Callable[[], bool], save: Callable[[], Event]) -> Iterator[Event]:
        """Train to the end or until `stop()`; the run's events but the first and the last.

        Raises:
            TrainingError: the loss became NaN or infinite.
        """
        run = self.progress
        saved = time.monotonic()
        short = len(self.frames) < LOG_EVERY * self.settings.batch_size
        while not run.finished:
            if run.seen == 0:
                self._begin_epoch()
            self._tick = time.perf_counter()
            logged_at = run.elapsed, run.seen
            while run.seen < len(self.frames):
                note = self._step()
                if note:
                    yield Note(elapsed=run.elapsed, message=note)
                wants_stop, wants_save = stop(), time.monotonic() - saved > SAVE_EVERY
                if self.team.size > 1:
                    wants_stop, wants_save = map(bool, self.team.total(wants_stop, wants_save))
                if run.batch % LOG_EVERY == 0 or (short and run.seen == len(self.frames)):
                    self._look_at_losses()
                    seconds, images = run.elapsed - logged_at[0], run.seen - logged_at[1]
                    yield self._batch_event(images / seconds)
                    logged_at = run.elapsed, run.seen
                if wants_stop or wants_save:
                    self._look_at_losses()
                    if wants_stop:
                        return
                    yield save()
                    saved = time.monotonic()
                    self._tick = time.perf_counter()
            self._look_at_losses()
            run.epoch, run.seen, run.epoch_random, run.permutation = run.epoch + 1, 0, None, None
            if run.finished and run.origin:
                self._keep_some_of(run.origin)
            yield self._epoch_event()
            yield save()
            saved = time.monotonic()

    @torch.no_grad()
    def _keep_some_of(self, origin: Mapping[str, torch.Tensor]) -> None:
        """Go back towards `origin` as far as the known images ask for: that undoes more forgetting
        than learning.

        Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022, section 3.
        """
        taught = {name: weight.clone() for name, weight in self.network.named_parameters()}

        def mix(share: float) -> None:
            for name, weight in self.network.named_parameters():
                weight.copy_(taught[name].lerp(origin[name].to(weight.device), share))

        mix(1.0)
        before = predict(self.network, self.known.frames)
        least = share_right(before, self.known.labels) - FORGOTTEN
        # Those that are least sure come first, so that what is forgotten is soon found.
        order = before.softmax(1).amax(1).argsort()
        known = Digits(self.known.frames[order], self.known.labels[order])
        for share in SHARES:
            mix(share)
            if share == SHARES[-1] or self._reads(known, least):
                break

    def _reads(self, digits: Digits, least: float) -> bool:
        """Whether at least this share of digits is read right; looks no farther than it must."""
        misread = 0
        parts = digits.frames.split(KNOWN // 10), digits.labels.split(KNOWN // 10)
        for frames, labels in zip(*parts, strict=True):
            misread += int((predict(self.network, frames).argmax(1) != labels).sum())
            if (len(digits) - misread) / len(digits) < least:
                return False
        return True

    def _begin_epoch(self) -> None:
        """Shuffle, and choose and draw anew what the recipe says."""
        self._leave_out()
        self.progress.epoch_random = self.generator.get_state()
        self._take_order(torch.randperm(len(self.frames), generator=self.generator))
        if self.source:
            self._choose_anew(self.source)
        if self.recipe.augment:
            self._draw_anew()

    def _leave_out(self) -> None:
        """Decide what share of a batch this epoch leaves out, and whether it looks at the rest."""
        recipe, epoch = self.recipe, self.progress.epoch
        left_out, looks = 0.0, recipe.hardest < 1
        if self.image_losses is not None and self.image_losses.isfinite().all():
            left_out = recipe.left_out
            if epoch in UNSEEN and epoch < self.settings.epochs - 1:
                left_out, looks = 1 - recipe.hardest * (1 - left_out), False
        if self.recorded and (left_out, looks) != (self.left_out, self.looks):
            self.recorded = Recorded(self._learn)  # each is for one kind of batch
        self.left_out, self.looks = left_out, looks

    def _take_order(self, permutation: torch.Tensor) -> None:
        self.progress.permutation = permutation.int()
        self.permutation = permutation.long().to(self.team.device)

    def _choose_anew(self, source: Digits) -> None:
        """Choose other images of the data set: the first of the images."""
        chosen = torch.randperm(len(source), generator=self.generator)[: self.recipe.images]
        chosen = chosen.to(self.team.device)
        self.frames[: len(chosen)] = source.frames[chosen]
        self.labels[: len(chosen)] = source.labels[chosen]

    def _draw_anew(self) -> None:
        """Vary the drawings, and draw new synthetic digits and others: the last of the images."""
        drawings = rasterize(*vary_strokes(self.segments, self.generator))
        segments, widths, labels = synthetic_segments(self.recipe.synthetic, self.generator)
        digits = self.segments[self.drawn_labels != NO_DIGIT]
        others = other_segments(self.recipe.others, self.generator, digits)
        frames = torch.cat([drawings, rasterize(segments, widths), rasterize(*others)])
        self.frames[len(self.frames) - len(frames) :] = frames.to(self.team.device)
        end = len(self.labels) - self.recipe.others
        self.labels[end - len(labels) : end] = labels.to(self.team.device)

    def _step(self) -> str | None:
        """Learn from the next batch of the permutation; what there is to note, if anything."""
        run = self.progress
        note = self._look_at_drawings() if run.batch == self._looked_after else None
        whole = self.permutation[run.seen : run.seen + self.settings.batch_size]
        batch = self._without_easy(whole)
        inputs, labels = self._inputs(batch)
        self.rate.fill_(run.schedule.rate(run.step))
        loss = None
        if self.recorded and len(whole) == self.settings.batch_size:
            try:
                loss = self.recorded(batch, inputs, labels)
            except RuntimeError as error:  # a driver or a PyTorch that cannot record this
                self.recorded = None
                reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
                note = f"Steps are not recorded on this GPU, so the run is slower: {reason}."
        if loss is None:
            loss = self._learn(batch, inputs, labels)
        mean = loss / len(batch)
        if self.image_losses is not None:  # of those that were left out, the last ones known
            mean = self.image_losses.index_select(0, whole).mean() / self.team.size
        self.losses.append(mean)
        run.seen += len(whole)
        run.step += 1
        if self.average and run.step % AVERAGE_EVERY == 1:
            self.average.update_parameters(self.network)
        return note

    @property
    def _looked_after(self) -> int | None:
        """The batches of an epoch after which teaching looks at drawings; None in other runs."""
        steps = LOOKED_AFTER * len(self.frames) / self.settings.batch_size
        return round(steps) if self.recipe.teaches else None

    def _look_at_drawings(self) -> str | None:
        """In the rest of the epoch, show drawings more often that are not learnt yet, but none that
        most likely is another digit than it is said to be. How many it leaves out, as a note.

        After Shen and Sanghavi, "Learning with bad training data via iterative trimmed loss
        minimization", ICML 2019; what the network found before it was taught decides, too.
        """
        labels = self.drawn_labels[: self.drawings]
        frames = rasterize(self.segments[: self.drawings])
        assert self.progress.origin
        networks = Checkpoint(self.progress.origin).model(), self.network
        before, now = (predict(network, frames).softmax(1) for network in networks)
        own = now.gather(1, labels.clamp(max=9)[:, None])[:, 0]
        digits = labels != NO_DIGIT
        unlearnt = digits & (own < LEARNT)
        # Another digit: one that was more probable than the other nine together.
        doubted = unlearnt & (before.argmax(1) != labels) & (before.amax(1) >= 0.5)
        if doubted.sum() > DOUBTED * digits.sum():
            doubted[:] = False
        unlearnt &= ~doubted

        def copies(which: torch.Tensor, count: int) -> torch.Tensor:
            """Some copies of drawings, bool N, among the images that are drawn."""
            images = which[torch.arange(len(self.segments)) % self.drawings].nonzero()[:, 0]
            return images[torch.randint(len(images), (count,), generator=self.generator)]

        order = self.permutation.cpu()
        rest = order[self.progress.seen :] - self.of_data_set
        drawn = ((rest >= 0) & (rest < len(self.segments))).nonzero()[:, 0]
        places = drawn[doubted[rest[drawn] % self.drawings]]
        rest[places] = copies(~doubted, len(places))
        if unlearnt.any():
            places = (rest < len(self.segments)).nonzero()[:, 0]
            chosen = torch.randperm(len(places), generator=self.generator)
            places = places[chosen[: int(UNLEARNT * self.recipe.drawn)]]
            rest[places] = copies(unlearnt, len(places))
        order[self.progress.seen :] = rest + self.of_data_set
        self._take_order(order)
        if not doubted.any():
            return None
        return (
            "Left out, since they look like another digit than they are said to be: "
            f"{int(doubted.sum())} of {self.drawings} drawings."
        )

    def _without_easy(self, batch: torch.Tensor) -> torch.Tensor:
        """Leave out of a batch what this epoch leaves out: mostly images that were easy."""
        count = len(batch) - int(self.left_out * len(batch))
        if self.image_losses is None or count == len(batch):
            return batch
        hard = int(HARD * count)
        places = self.image_losses.index_select(0, batch).argsort(descending=True)
        chance = torch.randperm(len(batch) - hard, generator=self.generator)[: count - hard]
        chosen = torch.cat([places[:hard], places[hard:][chance.to(batch.device)]])
        return batch[chosen.sort().values]

    def _learn(
        self, batch: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Learn from this process's share of a batch; the sum of its losses.

        On a GPU this is recorded: nothing in here may depend on what a tensor holds.
        """
        loss_of_all = None
        weight = self.team.size / len(batch)  # the team's gradients are averaged
        if self.looks:
            inputs, labels, loss_of_all = self._hardest(batch, inputs, labels)
        else:  # the batch is what would have been the hardest of a larger one
            weight *= self.recipe.hardest
        logits = self.parallel(inputs)
        loss = self.loss(logits, labels, reduction="sum")
        self.optimizer.zero_grad()
        (loss * weight).backward()
        self.optimizer.step()
        if loss_of_all is not None:
            return loss_of_all
        if self.image_losses is not None:
            self._remember(batch, self.loss(logits.detach(), labels, reduction="none"))
        return loss.detach()

    def _remember(self, batch: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
        """Note the losses of this process's share of a batch; those of the whole batch."""
        of_all = self.team.gather(losses, len(batch))
        if self.image_losses is not None:
            self.image_losses.index_copy_(0, batch, of_all.float())
        return of_all

    @torch.no_grad()
    def _hardest(
        self, batch: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """This process's part of a batch's hardest images, and the sum of its losses."""
        losses = self.loss(self.network(inputs), labels, reduction="none")
        of_all = self._remember(batch, losses)
        count = math.ceil(self.recipe.hardest * len(batch))
        places = self.team.own(of_all.topk(count).indices)
        return inputs.index_select(0, places), labels[places], losses.sum()

    def _inputs(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """This process's share of a batch, by its indices: float32 inputs and labels."""
        frames = self.frames.index_select(0, batch)  # a tenth of the time of frames[batch]
        if self.recipe.shift:
            frames = random_shift(frames, self.recipe.shift, self.generator)
        frames = self.team.share(frames)
        if self.recipe.augment:
            reach = torch.where(batch < self.of_data_set, 1.0, DRAWN_REACH)
            variation = random_affine(len(batch), self.generator, reach)
            inputs = vary_frames(frames, self.team.share(variation))
        else:
            inputs = frames_to_inputs(frames)
        labels = self.labels[self.team.share(batch)]
        return inputs.contiguous(memory_format=torch.channels_last), labels

    def _look_at_losses(self) -> None:
        """Take the batches since the last look into the sums and the clock into `elapsed`.

        Raises:
            TrainingError: the loss of one of them is NaN or infinite.
        """
        losses = torch.stack(self.losses).tolist() if self.losses else []
        if self.team.size > 1:
            losses = self.team.total(*losses)
        now = time.perf_counter()
        run = self.progress
        run.elapsed += now - self._tick
        self._tick = now
        self.losses.clear()
        for number, loss in enumerate(losses, 1):
            if not math.isfinite(loss):
                before = len(losses) - number
                raise TrainingError(
                    f"The loss became {loss} in batch {run.batch - before} of epoch "
                    f"{run.epoch + 1} at learning rate "
                    f"{run.schedule.rate(run.step - before - 1):.4g}; "
                    "the last checkpoint is kept. Train with a lower learning rate."
                )
            run.logged = run.logged[0] + loss, run.logged[1] + 1
            run.epoch_loss = run.epoch_loss[0] + loss, run.epoch_loss[1] + 1

    def _batch_event(self, images_per_second: float) -> Batch:
        run = self.progress
        total, count = run.logged
        run.logged = (0.0, 0)
        return Batch(
            elapsed=run.elapsed,
            epoch=run.epoch + 1,
            batch=run.batch,
            loss=total / count,
            learning_rate=run.schedule.rate(run.step - 1),
            images_per_second=images_per_second,
        )

    def _epoch_event(self) -> Epoch:
        run = self.progress
        total, count = run.epoch_loss
        run.epoch_loss = run.logged = (0.0, 0)
        logits = predict(self.model, self.test.frames)
        self.accuracy = share_right(logits, self.test.labels)
        known = None
        if self.settings.damages:
            known = share_right(predict(self.model, self.known.frames), self.known.labels)
        return Epoch(
            elapsed=run.elapsed,
            epoch=run.epoch,
            train_loss=total / count,
            test_loss=F.cross_entropy(logits, self.test.labels).item(),
            test_accuracy=self.accuracy,
            train_accuracy=known,
        )

    # ------------------------------------------------------------ checkpoints

    def checkpoint(self) -> Checkpoint:
        """Everything that the run needs to go on, as if it had never stopped."""
        run = replace(
            self.progress,
            optimizer=self.optimizer.state_dict(),
            random=self.generator.get_state(),
            image_losses=self.image_losses,
            versions={"torch": str(torch.__version__), "threads": torch.get_num_threads()},
        )
        average = self.average.module.state_dict() if self.average else None
        return replace(
            self.calibrated,
            network=self.network.state_dict(),
            averaged=average,
            run=run,
            accuracy=self.accuracy,
        )

    def restore(self, checkpoint: Checkpoint, own_rate: bool = False) -> None:
        """Go on from a checkpoint: exactly where it stood if the settings are its own, else near.

        Other images begin a new epoch. Other settings, or more epochs than the run had, begin a new
        cycle of the learning rate from here to the end; its peak is low, so that what was learnt
        is not lost (Loshchilov and Hutter, "SGDR", 2017, restart higher to leave a minimum). A
        recipe that shows what is no digit keeps the calibration.

        Args:
            checkpoint: bare weights, or those of a run.
            own_rate: the settings' learning rate was asked for, and is the peak of a new cycle.
        """
        before = checkpoint.run
        self.network.load_state_dict(checkpoint.network if self.average else checkpoint.weights)
        if self.average:
            self.average.module.load_state_dict(checkpoint.weights)
            if before is None or before.step > 0:
                self.average.n_averaged.fill_(1)
        if self.recipe.others:
            self.calibrated = replace(checkpoint, path=None)
        rate = 0.0
        if before:
            self.accuracy = checkpoint.accuracy
            if before.settings.recipe == self.settings.recipe:
                self._restore_momentum(before)
            self._restore_progress(before)
            if self._keeps_schedule_of(before):
                return
            rate = before.schedule.rate(before.step)
        elif self.recipe.teaches:
            self.progress.origin = checkpoint.weights
        peak = self.settings.learning_rate
        if self.recipe.warm_up and not own_rate and not self.recipe.teaches:
            peak = max(rate, RESUMED_PEAK * peak)
        self.progress.schedule = self._cycle(peak)

    def _restore_momentum(self, before: Progress) -> None:
        own = self.optimizer.state_dict()
        self.optimizer.load_state_dict(own | {"state": before.optimizer["state"]})
        self.optimizer.param_groups[0]["lr"] = self.rate  # the old tensor, of which that has a copy

    def _restore_progress(self, before: Progress) -> None:
        """Go back to where a run stood, into the middle of an epoch if its images are the same."""
        checksum, order = self.progress.data_checksum, before.permutation
        same = before.data_checksum == checksum and len(self.frames)
        self.progress = replace(before, settings=self.settings, data_checksum=checksum)
        losses = before.image_losses
        if self.image_losses is not None and losses is not None and same == len(losses):
            self.image_losses.copy_(losses)
        if order is not None and before.epoch_random is not None and same == len(order):
            self.generator.set_state(before.epoch_random)
            self._begin_epoch()  # draws this epoch's digits again
            self._take_order(order)
        else:
            run = self.progress
            run.seen, run.epoch_random, run.permutation = 0, None, None
            run.logged = run.epoch_loss = (0.0, 0)
        self.generator.set_state(before.random)

    def _keeps_schedule_of(self, before: Progress) -> bool:
        """Whether the steps to the end are those that the earlier run's schedule was made for."""
        return (
            before.settings == self.settings
            and before.data_checksum == self.progress.data_checksum
            and before.schedule.end == self._cycle(before.schedule.peak).end
        )

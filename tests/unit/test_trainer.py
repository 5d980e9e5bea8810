"""lenet.trainer: it learns, takes other settings and data on resuming, and its errors say why."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from small_runs import examples, run, same_bits, start, through_a_file

from lenet import recipes
from lenet.checkpoint import read
from lenet.data import Digits
from lenet.drawings import NO_DIGIT
from lenet.events import Batch, Epoch, Event
from lenet.others import other_segments
from lenet.preprocess import frames_to_inputs, rasterize
from lenet.recipes import RECIPES, Schedule
from lenet.settings import Request
from lenet.synthetic import synthetic_digits
from lenet.trainer import Trainer, TrainingError, outlier_exposure, predict


@pytest.fixture
def drawings(tmp_path: Path) -> str:
    return examples(tmp_path)


def test_a_recipe_says_how_often_each_drawing_comes_in_an_epoch(data, drawings, monkeypatch):
    best = replace(RECIPES["best"], repeats=3, synthetic=4, others=6)
    monkeypatch.setitem(RECIPES, "best", best)
    trainer = start(data, Request("best", "synthetic", (drawings,)))
    assert len(trainer.frames) == 1000 + 3 * 10 + 4 + 6
    assert trainer.labels[1000:1030].tolist() == 3 * list(range(10))
    run(trainer, stop_after=1)
    copies = trainer.frames[1000:1030].view(3, 10, 28, 28)
    assert copies.flatten(2).any(2).all() and not copies[0].equal(copies[1])


@pytest.mark.parametrize(("most", "repeats"), [(10, 1), (25, 2), (70, 7), (1000, 8)])
def test_many_drawings_come_less_often(most, repeats, data, drawings, monkeypatch):
    """Up to `drawn` in all, and each at least once and at most `repeats` times."""
    hand = replace(RECIPES["hand"], images=200, repeats=8, drawn=most, others=5)
    monkeypatch.setitem(RECIPES, "hand", hand)
    trainer = start(data, Request("hand", "synthetic", (drawings,)))
    assert len(trainer.frames) == 200 + repeats * 10 + 5


def test_the_images_of_an_epoch_are_chosen_anew(data, drawings, monkeypatch):
    hand = replace(RECIPES["hand"], images=200, drawn=10, others=5, batch_size=64)
    monkeypatch.setitem(RECIPES, "hand", hand)
    trainer = start(data, Request("hand", "synthetic", (drawings,), epochs=2))
    known = {
        frame.numpy().tobytes(): int(label)
        for frame, label in zip(*vars(data.train).values(), strict=True)
    }
    chosen = []
    for step in (1, 4 + 1):  # one into each epoch
        run(trainer, stop_after=step)
        frames = [frame.numpy().tobytes() for frame in trainer.frames[:200]]
        assert [known[frame] for frame in frames] == trainer.labels[:200].tolist()
        chosen.append(set(frames))
    assert len(chosen[0]) > 190  # a few synthetic digits may be equal
    assert len(chosen[0] & chosen[1]) < 100


def test_others_are_drawn_anew_in_every_epoch(data, drawings, monkeypatch):
    """The last of the images, after the synthetic digits, with a label of their own."""
    best = replace(RECIPES["best"], synthetic=20, others=26)
    monkeypatch.setitem(RECIPES, "best", best)
    trainer = start(data, Request("best", "synthetic", (drawings,), epochs=2))
    drawn = []
    for step in (1, 17 + 1):  # one into each epoch
        run(trainer, stop_after=step)
        drawn.append(trainer.frames[-26:].clone())
        assert trainer.labels[-26:].tolist() == [NO_DIGIT] * 26
        assert trainer.labels[-46:-26].bincount().tolist() == [2] * 10
    assert drawn[0].flatten(1).any(1).all()
    assert (drawn[0] != drawn[1]).flatten(1).any(1).all()


def test_of_others_all_ten_digits_are_to_be_equally_probable():
    """The divergence from the uniform distribution, by its weight; of digits the cross-entropy."""
    logits = torch.randn(6, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.tensor([3, NO_DIGIT, 0, NO_DIGIT, 9, 1])
    losses = outlier_exposure(0.5, torch.device("cpu"))(logits, labels, reduction="none")
    digits = labels != NO_DIGIT
    torch.testing.assert_close(
        losses[digits], F.cross_entropy(logits[digits], labels[digits], reduction="none")
    )
    uniform = torch.full((2, 10), 0.1)
    divergence = F.kl_div(logits[~digits].log_softmax(1), uniform, reduction="none").sum(1)
    torch.testing.assert_close(losses[~digits], 0.5 * divergence)
    total = outlier_exposure(0.5, torch.device("cpu"))(logits, labels, reduction="sum")
    assert total.item() == pytest.approx(losses.sum().item())
    even = outlier_exposure(0.5, torch.device("cpu"))(
        torch.ones(1, 10), labels[1:2], reduction="sum"
    )
    assert even.item() == pytest.approx(0, abs=1e-6)


def test_it_learns_to_be_unsure_of_others(data, monkeypatch):
    """With others the probabilities of new ones are flat, and without them they are not."""
    frames = rasterize(other_segments(200, torch.Generator().manual_seed(1))[0])
    surest = []
    for others in (0, 500):
        best = replace(RECIPES["best"], synthetic=0, others=others)
        monkeypatch.setitem(RECIPES, "best", best)
        trainer = start(data, Request("best", "synthetic", epochs=4))
        run(trainer)
        surest.append(predict(trainer.network, frames).softmax(1).amax(1).mean().item())
    assert surest[0] > 0.6 and surest[1] < 0.4


@pytest.fixture(scope="module")
def trained(data) -> tuple[Trainer, list[Event]]:
    """A run that is long enough to learn something."""
    trainer = start(data, Request("fast", "synthetic", epochs=10, batch_size=64, learning_rate=0.1))
    return trainer, run(trainer)


def test_it_learns(data, trained):
    trainer, events = trained
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [event.epoch for event in epochs] == list(range(1, 11))
    assert epochs[-1].train_loss < epochs[0].train_loss / 2
    assert epochs[-1].test_accuracy > 0.8
    answers = predict(trainer.model, data.test.frames).argmax(1)
    assert epochs[-1].test_accuracy == pytest.approx((answers == data.test.labels).float().mean())


def test_the_seed_decides(data):
    runs = [start(data, Request("fast", "synthetic", epochs=1, seed=seed)) for seed in (0, 0, 1)]
    for trainer in runs:
        run(trainer)
    assert same_bits(runs[0], runs[1])
    assert not same_bits(runs[0], runs[2])


def test_a_recipe_says_what_share_of_a_batch_is_learnt_from(data, monkeypatch):
    """The images with the largest losses; the loss that is logged is that of all."""
    monkeypatch.setitem(RECIPES, "fast", replace(RECIPES["fast"], hardest=0.3, shift=0))
    trainer = start(data, Request("fast", "synthetic", batch_size=50))
    reference = copy.deepcopy(trainer.network)
    run(trainer, stop_after=1)

    batch = trainer.permutation[:50]
    logits = reference(frames_to_inputs(data.train.frames[batch]))
    losses = F.cross_entropy(logits, data.train.labels[batch], reduction="none")
    hardest = losses.sort(descending=True).values[:15]
    assert hardest.mean() > losses.mean() + 0.02  # so that a mean of others would not pass
    (hardest.sum() / 50).backward()
    for ours, theirs in zip(trainer.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    assert trainer.progress.epoch_loss == (pytest.approx(losses.mean().item()), 1)


@pytest.mark.parametrize(
    ("epoch", "looked_at", "hard", "learnt"),
    [(2, 40, 26, 16), (3, 16, 10, 16), (4, 16, 10, 16), (5, 40, 26, 16)],
)
def test_easy_images_are_left_out_unseen(data, monkeypatch, epoch, looked_at, hard, learnt):
    """From the second epoch on; in the logged loss their last ones stand for them. In the third and
    the fourth no more is looked at than is learnt from.
    """
    monkeypatch.setitem(RECIPES, "fast", replace(RECIPES["fast"], left_out=0.2, hardest=0.4))
    trainer = start(data, Request("fast", "synthetic", epochs=6, batch_size=50))
    batches, sizes = [], []
    monkeypatch.setattr(
        trainer,
        "_inputs",
        lambda batch, own=trainer._inputs: (batches.append(batch), own(batch))[1],
    )
    run(trainer, stop_after=20 * (epoch - 1))
    assert torch.cat(batches[:20]).sort().values.equal(torch.arange(1000))
    before = trainer.image_losses.clone()
    trainer.network.register_forward_hook(
        lambda module, inputs, logits: sizes.append((len(logits), logits.requires_grad))
    )
    run(trainer, stop_after=20 * (epoch - 1) + 1)

    batch = trainer.permutation[:50]
    kept = torch.isin(batch, batches[-1])
    assert kept.sum() == len(batches[-1]) == looked_at
    ranks = before[batch].argsort(descending=True).argsort()
    assert (ranks[kept] < hard).sum() == hard
    assert ranks[kept].max() > hard + 2  # the others are not just the next ones
    assert trainer.image_losses[batch[~kept]].equal(before[batch[~kept]])
    assert (trainer.image_losses[batch[kept]] != before[batch[kept]]).all()
    looks = [(looked_at, False)] if looked_at > learnt else []
    assert sizes == [*looks, (learnt, True)]
    losses = trainer.image_losses[batch]
    assert trainer.progress.epoch_loss == (pytest.approx(losses.mean().item()), 1)


def test_what_is_chosen_unseen_counts_as_the_hardest_of_what_would_be_looked_at(data, monkeypatch):
    recipe = replace(RECIPES["fast"], left_out=0.2, hardest=0.4, shift=0)
    monkeypatch.setitem(RECIPES, "fast", recipe)
    trainer = start(data, Request("fast", "synthetic", epochs=4, batch_size=50))
    run(trainer, stop_after=40)
    reference = copy.deepcopy(trainer.network)
    before = trainer.image_losses.clone()
    run(trainer, stop_after=41)

    learnt = (trainer.image_losses != before).nonzero().flatten()
    logits = reference(frames_to_inputs(data.train.frames[learnt]))
    losses = F.cross_entropy(logits, data.train.labels[learnt], reduction="none")
    torch.testing.assert_close(losses, trainer.image_losses[learnt])
    reference.zero_grad()
    (losses.sum() / 40).backward()
    for ours, theirs in zip(trainer.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_of_other_data_nothing_is_known_and_nothing_left_out(data, tmp_path):
    first = start(data, Request("fast", "synthetic", epochs=3, batch_size=64))
    run(first, stop_after=17)
    assert first.left_out > 0
    checkpoint = through_a_file(first.checkpoint(), tmp_path)
    again = start(data, Request(resume="run.pt"), checkpoint)
    assert again.left_out > 0 and again.image_losses.equal(first.image_losses)
    other = replace(data, train=Digits(*synthetic_digits(1000, seed=9)))
    second = start(other, Request(resume="run.pt"), checkpoint)
    assert second.image_losses.isinf().all()
    run(second, stop_after=18)
    assert second.left_out == 0


def test_the_logged_loss_is_the_mean_of_the_batches_since(data, monkeypatch):
    monkeypatch.setattr("lenet.trainer.LOG_EVERY", 4)
    trainer = start(data, Request("tutorial", "synthetic", epochs=1))
    losses = []
    look = trainer._look_at_losses

    def listen() -> None:
        losses.extend(loss.item() for loss in trainer.losses)
        look()

    monkeypatch.setattr(trainer, "_look_at_losses", listen)
    batches = [event for event in run(trainer) if isinstance(event, Batch)]
    assert [event.batch for event in batches] == [4, 8, 12, 16]
    for number, event in enumerate(batches):
        assert event.loss == pytest.approx(sum(losses[4 * number : 4 * number + 4]) / 4)


def test_more_epochs_count_on_and_do_not_unlearn(data, trained, tmp_path):
    first, _ = trained
    before = through_a_file(first.checkpoint(), tmp_path)
    second = start(data, Request(epochs=2, resume="run.pt"), before)
    epochs = [event for event in run(second) if isinstance(event, Epoch)]
    assert [event.epoch for event in epochs] == [11, 12]
    assert second.accuracy > first.accuracy - 0.02


def test_training_goes_on_from_bare_weights(data, trained, tmp_path):
    """The lesson's own .pth."""
    torch.save(trained[0].network.state_dict(), tmp_path / "MNIST_net.pth")
    request = Request("tutorial", "synthetic", epochs=1, resume="MNIST_net.pth")
    second = start(data, request, read(tmp_path / "MNIST_net.pth"))
    epochs = [event for event in run(second) if isinstance(event, Epoch)]
    assert [event.epoch for event in epochs] == [1]
    assert epochs[0].train_loss < 1  # an untrained network's is 2.3


def test_other_settings_are_taken_on_resuming(data, tmp_path):
    first = start(data, Request("fast", "synthetic", epochs=2, batch_size=64))
    run(first, stop_after=5)
    checkpoint = through_a_file(first.checkpoint(), tmp_path)
    request = Request(batch_size=100, learning_rate=0.01, resume="run.pt")
    second = start(data, request, checkpoint)
    assert second.progress.seen == 5 * 64
    assert second.progress.schedule == Schedule(5, 5 + 7 + 10, 0.01, RECIPES["fast"].warm_up)
    run(second)
    assert (second.progress.epoch, second.progress.step) == (2, 22)


def test_other_data_begin_a_new_epoch(data, tmp_path):
    first = start(data, Request("fast", "synthetic", epochs=2))
    run(first, stop_after=5)
    other = replace(data, train=Digits(*synthetic_digits(500, seed=9)))
    second = start(other, Request(resume="run.pt"), through_a_file(first.checkpoint(), tmp_path))
    assert (second.progress.epoch, second.progress.seen) == (0, 0)
    run(second)
    assert second.progress.epoch == 2


def test_more_images_begin_a_new_epoch(data, drawings, tmp_path):
    """The order of an epoch's images says nothing of drawings that have come since."""
    first = start(data, Request("fast", "synthetic", epochs=2, batch_size=64))
    run(first, stop_after=5)
    checkpoint = through_a_file(first.checkpoint(), tmp_path)
    second = start(data, Request(drawings=(drawings,), resume="run.pt"), checkpoint)
    assert (second.progress.epoch, second.progress.seen) == (0, 0)
    assert second.progress.schedule.end == 5 + 2 * 16
    run(second)
    assert (second.progress.epoch, second.progress.step) == (2, 5 + 2 * 16)


def test_drawings_that_have_grown_since_begin_a_new_cycle(data, drawings, tmp_path, monkeypatch):
    """The old one would end before the run does, and the rate go below zero."""
    monkeypatch.setattr("lenet.trainer.LOG_EVERY", 1)
    first = start(data, Request("fast", "synthetic", (drawings,), epochs=2, batch_size=64))
    run(first, stop_after=17)
    checkpoint = through_a_file(first.checkpoint(), tmp_path)
    Path(drawings).write_text(8 * Path(drawings).read_text())
    second = start(data, Request(resume="run.pt"), checkpoint)
    rates = [event.learning_rate for event in run(second) if isinstance(event, Batch)]
    assert second.progress.schedule.end == second.progress.step == 17 + 17
    assert len(rates) == 17 and all(rate > 0 for rate in rates)


def test_a_loss_that_is_not_finite_ends_the_run(data):
    trainer = start(data, Request("fast", "synthetic", epochs=1))
    run(trainer, stop_after=3)
    with torch.no_grad():
        trainer.network.fc3.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"nan in batch 4 of epoch 1 at learning rate 0\.0"):
        run(trainer)


@pytest.mark.parametrize("steps", [1, 2, 10, 1000])
def test_the_cycle_fits_the_run(steps):
    schedule = Schedule(7, 7 + steps, 0.1, 0.2)
    rates = [schedule.rate(step) for step in range(7, 7 + steps)]
    assert all(0 < rate <= 0.1 for rate in rates)
    if steps >= 10:
        top = rates.index(max(rates))
        assert max(rates) > 0.085 and rates[-1] < 0.02
        assert rates[:top] == sorted(rates[:top])
        assert rates[top:] == sorted(rates[top:], reverse=True)


def test_the_lessons_rate_is_constant():
    lesson = recipes.RECIPES["tutorial"]
    schedule = Schedule(0, 100, lesson.learning_rate, lesson.warm_up)
    assert {schedule.rate(step) for step in range(100)} == {0.001}

"""lenet.progress: a run's progress in a file, checked where it enters."""

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from small_runs import old_record, start
from small_runs import run as go_on

from lenet import LeNet
from lenet.checkpoint import Checkpoint
from lenet.progress import from_record, to_record
from lenet.recipes import Schedule
from lenet.settings import Request, Settings


def test_what_the_first_versions_wrote_is_read():
    record = old_record()
    run = from_record(record)
    assert run.settings == Settings("fast", "synthetic", ("a.jsonl",), 3, 64, 0.05, 3)
    assert not run.settings.hold_out and not run.settings.skip_bad
    assert run.schedule == Schedule(0, 48, 0.05, 0.25)
    assert (run.epoch, run.seen, run.step, run.batch, run.finished) == (1, 320, 21, 5, False)
    assert run.logged == run.epoch_loss == (3.5, 5)
    for name in ("random", "epoch_random", "permutation"):
        assert getattr(run, name).equal(record[name])
    assert run.optimizer == record["optimizer"]


def test_what_is_written_has_the_fields_of_every_version_before():
    record = old_record()
    again = to_record(from_record(record))
    assert again.keys() == record.keys()
    assert again["settings"] == record["settings"] | {
        "hold_out": False, "skip_bad": False, "training_images": 60_000, "wrong_labels": 0.0,
    }  # fmt: skip
    assert again["schedule"] == record["schedule"]


def test_between_two_epochs_there_is_no_order():
    record = old_record() | {"seen": 0}
    del record["permutation"], record["epoch_random"]
    run = from_record(record)
    assert run.permutation is run.epoch_random is None
    assert to_record(run).keys() == record.keys()


def test_what_a_later_version_adds_is_left_out_but_not_from_settings():
    """A setting that this version does not know might change the run."""
    assert from_record(old_record() | {"weather": "fine"}).step == 21
    record = old_record()
    record["settings"]["weather"] = "fine"
    with pytest.raises(ValueError, match="settings that this version does not know"):
        from_record(record)


def changed(record: dict[str, Any], place: str, value: Any) -> None:
    *way, last = [int(name) if name.isdigit() else name for name in place.split(".")]
    for name in way:
        record = record[name]
    record[last] = value


NOT_FINITE = torch.full((10,), torch.nan)

UNUSABLE = {
    "settings": [None, [], {}, {"recipe": "fast"}],
    "settings.recipe": ["slow", None, ["fast"]],
    "settings.data": [7, None, "../../etc"],
    "settings.drawings": ["a.jsonl", [7], None],
    "settings.epochs": [0, -1, 2.5, True, "3"],
    "settings.batch_size": [0, 64.0, 1 << 20],
    "settings.learning_rate": [0, float("nan"), "0.1", 2.0],
    "settings.seed": [-1, 1.5, 10**400],
    "settings.hold_out": [1, None],
    "settings.training_images": [99, 60_001, 100.5, None],
    "settings.wrong_labels": [-1.0, 101, float("nan"), "10"],
    "data_checksum": [None, 7],
    "epoch": [-1, 1.0, None, 4, True],
    "seen": [-1, 1001, 1.0],
    "step": [-1, "21", 49, 10**400],
    "schedule": [None, {}, {"start": 0, "end": 48}],
    "schedule.start": [-1, 22, 49, 0.5],
    "schedule.end": [None, float("inf"), 20, 1 << 32],
    "schedule.peak": [0, float("nan"), 2],
    "schedule.warm_up": [1, -0.1, "0.2"],
    "elapsed": [-1, float("nan"), float("inf"), "1", 10**400],
    "logged": [None, [3.5], [3.5, 5, 1], [3.5, -5], [float("nan"), 5], [3.5, 0.5], [1, 1 << 70]],
    "epoch_loss": [7, [float("inf"), 5]],
    "optimizer": [None, {}, {"state": None}, {"state": {0: {}}}],
    "optimizer.state": [{n: None for n in range(10)}, {n: {} for n in range(10)}],
    "optimizer.state.9": [
        {},
        {"momentum_buffer": torch.zeros(9)},
        {"momentum_buffer": torch.zeros(10).int()},
        {"momentum_buffer": torch.zeros(10).to("meta")},
        {"momentum_buffer": torch.zeros(10).to_sparse()},
        {"momentum_buffer": NOT_FINITE},
        {"momentum_buffer": torch.full((10,), 1e300, dtype=torch.float64)},
    ],
    "random": [None, torch.zeros(5056), torch.zeros(7, dtype=torch.uint8), "seed"],
    "epoch_random": [7, torch.zeros(7, dtype=torch.uint8), None],
    "versions": [None, 7],
    "permutation": [
        None,
        list(range(1000)),
        torch.arange(1000),
        torch.arange(1000).int().view(10, 100),
        torch.arange(1, 1001).int(),
        torch.arange(-1, 999).int(),
        torch.arange(1000).int().to("meta"),
        torch.arange(1000).int().to_sparse(),
        torch.arange(300).int(),
    ],
    "image_losses": [
        7,
        [0.5],
        NOT_FINITE,
        torch.zeros(1000, dtype=torch.float64),
        torch.zeros(10, 100),
        torch.zeros(1000).to("meta"),
        torch.zeros(1000).to_sparse(),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"),
    [(place, value) for place, values in UNUSABLE.items() for value in values],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_unusable_is_refused(place: str, value: Any):
    record = old_record()
    changed(record, place, value)
    with pytest.raises(ValueError, match=r"^its? ") as told:
        from_record(record)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", sorted(old_record().keys() - {"versions"}))
def test_what_is_missing_is_named(name: str):
    record = old_record()
    del record[name]
    with pytest.raises(ValueError, match=rf"^it has (no {name}|seen more images than)"):
        from_record(record)


ODD = [
    -1, 0, 1, 2, 47, 48, 1000, 2**31, 2**40, 10**400, 0.3, 1e308, -1e308, math.inf, math.nan,
    "", "x", "fast", "mnist", "/etc/passwd", "\0", None, True, [], (1, 2), {},
    torch.zeros(3), torch.zeros(10).double(), torch.arange(1000).int(), torch.arange(999).int(),
    torch.zeros(5056, dtype=torch.uint8), torch.zeros(5048, dtype=torch.uint8),
]  # fmt: skip


def places(record: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in record.items():
        yield f"{before}{name}"
        if isinstance(value, dict):
            yield from places(value, f"{before}{name}.")


def test_what_is_taken_can_be_resumed_and_all_else_is_refused(data):
    """A hundred and more damaged runs."""
    chance = random.Random(4)
    refused = 0
    for _ in range(150):
        record = old_record()
        record["settings"]["drawings"] = ()
        changed(record, chance.choice([*places(record)]), chance.choice(ODD))
        try:
            run = from_record(record)
        except ValueError:
            refused += 1
            continue
        resumed = Checkpoint(LeNet().state_dict(), run=run)
        trainer = start(data, Request(resume="run.pt"), resumed)
        go_on(trainer, trainer.progress.step + 2)
    assert refused > 100

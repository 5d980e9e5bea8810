"""lenet.evaluate: figures against a count by hand, and the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lenet.checkpoint import SHIPPED, Checkpoint, read, write
from lenet.data import DataError, DataSet, Digits
from lenet.drawings import Drawing, DrawnNumber, write_drawings
from lenet.evaluate import (
    Evaluation,
    auroc,
    error_rate_per_writer,
    evaluate,
    main,
    summarize_others,
)
from lenet.recognize import Recognitions, Recognizer
from lenet.synthetic import example_strokes, synthetic_digits


def answers(*rows: tuple[int, int, float], sure_above: float = 0.0) -> Evaluation:
    """An evaluation from (label, answer, probability of the answer); the rest is shared evenly."""
    labels = torch.tensor([label for label, _, _ in rows])
    probabilities = torch.stack([torch.full((10,), (1 - best) / 9) for _, _, best in rows])
    for row, (_, answer, best) in enumerate(rows):
        probabilities[row, answer] = best
    everything = torch.ones(len(rows))  # is a digit
    sure = probabilities.amax(1) >= sure_above
    return Evaluation(probabilities, everything.double(), everything.bool(), sure, labels)


# Ten answers, six of them right: of the zeros one of two, of the ones three of four, of the sevens
# two of three, and the only nine is wrong.
TEN = answers(
    (0, 0, 0.9), (0, 6, 0.5), (1, 1, 0.99), (1, 1, 0.8), (1, 7, 0.7), (1, 1, 0.6),
    (7, 7, 0.95), (7, 1, 0.9), (7, 7, 0.4), (9, 4, 0.6),
    sure_above=0.75,
)  # fmt: skip


def test_the_shares_are_those_of_a_count_by_hand():
    assert TEN.answers.tolist() == [0, 6, 1, 1, 7, 1, 7, 1, 7, 4]
    assert TEN.accuracy == 0.6
    assert TEN.per_digit == pytest.approx(
        [0.5, 0.75, None, None, None, None, None, 2 / 3, None, 0.0]
    )


def test_the_confusions_are_in_the_row_of_the_truth():
    confusion = TEN.confusion
    assert confusion.shape == (10, 10) and confusion.sum() == 10
    found = {(r, c): n for r, row in enumerate(confusion.tolist()) for c, n in enumerate(row) if n}
    assert found == {(0, 0): 1, (0, 6): 1, (1, 1): 3, (1, 7): 1, (7, 7): 2, (7, 1): 1, (9, 4): 1}


def test_the_surest_mistakes_come_first():
    assert TEN.mistakes.tolist() == [7, 4, 9, 1]
    assert answers((3, 3, 0.9)).mistakes.tolist() == []


def test_the_calibration_error_is_that_of_a_calculation_by_hand():
    """Four answers at 0.9, three of them right, share a bin of a width of 1/15; so do two at 0.5,
    both wrong: (4 · |0.9 − 0.75| + 2 · |0.5 − 0|) / 6.
    """
    evaluation = answers(
        (1, 1, 0.9), (2, 2, 0.9), (3, 3, 0.9), (4, 5, 0.9), (6, 7, 0.5), (8, 9, 0.5)
    )  # fmt: skip
    assert evaluation.calibration_error == pytest.approx((4 * 0.15 + 2 * 0.5) / 6)


def test_the_calibration_errors_of_neighbouring_bins_do_not_cancel_out():
    """0.79 and 0.81 lie on two sides of 12/15, 0.81 and 0.86 on one of 13/15."""
    apart = answers((1, 1, 0.79), (1, 2, 0.81))
    assert apart.calibration_error == pytest.approx((0.21 + 0.81) / 2)
    together = answers((1, 1, 0.81), (1, 2, 0.86))
    assert together.calibration_error == pytest.approx(abs(0.81 + 0.86 - 1) / 2)


def test_certain_answers_are_counted_too():
    assert answers((1, 1, 1.0), (2, 2, 1.0)).calibration_error == 0.0
    assert answers((1, 1, 1.0), (2, 3, 1.0)).calibration_error == pytest.approx(0.5)


def test_what_counts_as_sure():
    """Above 0.75: five of the ten, of which one is wrong."""
    assert TEN.sure.nonzero().flatten().tolist() == [0, 2, 3, 6, 7]
    summary = TEN.summary()
    assert summary["sure"] == 0.5
    assert summary["accuracy_when_sure"] == 0.8
    assert answers((1, 1, 0.5), sure_above=0.9).summary()["accuracy_when_sure"] is None


def test_the_summary_is_plain_numbers():
    summary = TEN.summary()
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["count"], summary["errors"], summary["accuracy"]) == (10, 4, 0.6)
    assert summary["error_rate_per_digit"][1] == 0.25
    assert summary["error_rate_per_digit"][2] is None
    assert summary["per_digit"] == TEN.per_digit
    assert summary["calibration_error"] == TEN.calibration_error


def test_error_rates_of_writers_are_in_the_order_of_their_numbers():
    writers = ["10", "2", "2", "10", "2", None, "a", "a", "10", None]
    rates = error_rate_per_writer(TEN, writers)
    assert rates == pytest.approx({"2": 2 / 3, "a": 0.5, "10": 0.0})
    assert list(rates) == ["2", "a", "10"]


# ---------------------------------------------------------------- a network's answers


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(*synthetic_digits(60, seed=8))


def test_a_checkpoint_is_asked_about_every_digit(digits):
    checkpoint = read(SHIPPED)
    found = evaluate(checkpoint, digits)
    assert found.labels is digits.labels
    assert found.probabilities.shape == (60, 10)
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(60))
    assert found.accuracy > 0.8
    one_by_one = [Recognizer(checkpoint).recognize_frame(frame) for frame in digits.frames]
    assert found.sure.tolist() == [answer.sure for answer in one_by_one]
    assert found.is_digit.tolist() == [answer.is_digit for answer in one_by_one]
    assert found.answers.tolist() == [answer.digit for answer in one_by_one]


def test_the_temperature_and_the_average_count(digits):
    shipped = read(SHIPPED)
    weights = shipped.weights
    plain = evaluate(Checkpoint(weights), digits)
    warm = evaluate(Checkpoint(weights, temperature=3.0), digits)
    expected = (plain.probabilities.log() / 3).softmax(1)
    torch.testing.assert_close(warm.probabilities, expected, atol=1e-4, rtol=0)
    nothing = {name: torch.zeros_like(value) for name, value in weights.items()}
    assert evaluate(Checkpoint(nothing, weights), digits).probabilities.equal(plain.probabilities)


# ---------------------------------------------------------------- what is no digit


def test_the_auroc_is_that_of_a_count_by_hand():
    """Of six pairs the digit is above in four and level in one."""
    digits, others = torch.tensor([0.9, 0.5, 0.2]), torch.tensor([0.5, 0.1])
    assert auroc(digits, others) == pytest.approx((4 + 1 / 2) / 6)
    assert auroc(others, digits) == pytest.approx(1 - (4 + 1 / 2) / 6)
    assert auroc(torch.ones(5), torch.ones(9)) == 0.5


def test_others_are_summed_up_beside_digits():
    probability = torch.tensor([0.7, 0.1, 0.5, 0.2], dtype=torch.float64)
    sure = torch.tensor([True, False, False, False])
    others = Recognitions(torch.ones(4, 10), probability, probability >= 0.5, sure)
    digits = Recognitions(torch.ones(2, 10), probability[[0, 2]], sure[:2], sure[:2])
    summary = summarize_others(others, digits)
    assert summary == {"count": 4, "taken_for_digits": 0.5, "sure": 0.25, "auroc": 0.75}
    assert json.loads(json.dumps(summary)) == summary


@pytest.fixture
def drawings(tmp_path) -> Path:
    """The ten examples: the even digits by writer 1, the odd ones by writer 2, the nine by none."""
    path = tmp_path / "drawings.jsonl"
    drawn = [
        Drawing(digit, [torch.tensor(s).numpy() for s in strokes], None if digit == 9 else writer)
        for digit, strokes in sorted(example_strokes().items())
        for writer in [str(digit % 2 + 1)]
    ]
    with path.open("w") as file:
        write_drawings(drawn, file)
    return path


# ---------------------------------------------------------------- the command line


@pytest.fixture
def few(digits, monkeypatch) -> Digits:
    """A small test set in MNIST's place."""
    monkeypatch.setattr("lenet.evaluate.load_mnist", lambda: DataSet("mnist", digits, digits))
    return digits


def test_the_json_is_what_is_promised(few, drawings, capsys):
    assert main(["--json", "--drawings", str(drawings)]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert printed.err == ""
    found = evaluate(read(SHIPPED), few)
    mnist = result["mnist"]
    assert mnist == found.summary()
    assert mnist["count"] == 60
    assert mnist["errors"] == int((found.answers != few.labels).sum())
    assert mnist["accuracy"] == pytest.approx(1 - mnist["errors"] / 60)
    assert len(mnist["per_digit"]) == 10
    own = result["drawings"][str(drawings)]
    assert own["count"] == 10 and own["accuracy"] == pytest.approx(1 - own["errors"] / 10)
    assert own["error_rate_per_writer"].keys() == {"1", "2"}
    assert own["bad_lines_skipped"] == 0


def test_several_files_of_drawings_and_another_checkpoint(few, drawings, tmp_path, capsys):
    nothing = {name: torch.zeros_like(value) for name, value in read(SHIPPED).network.items()}
    torch.save(nothing, tmp_path / "nothing.pth")  # it takes everything for a zero
    other = drawings.with_name("other.jsonl")
    other.write_text(drawings.read_text().splitlines()[0] + "\n")
    files = ["--drawings", str(drawings), "--drawings", str(other)]
    assert main(["--json", "--checkpoint", str(tmp_path / "nothing.pth"), *files]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["mnist"]["per_digit"] == [1.0] + [0.0] * 9
    assert [result["drawings"][str(f)]["accuracy"] for f in (drawings, other)] == [0.1, 1.0]
    assert result["drawings"][str(other)]["per_digit"] == [1.0] + [None] * 9


def test_without_drawings_there_are_none_in_the_json(few, capsys):
    assert main(["--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["drawings"] == result["numbers"] == result["others"] == {}


@pytest.fixture
def knowing(few, tmp_path) -> str:
    """A checkpoint that takes half of the test set for digits, and three quarters for unsure."""
    checkpoint = replace(read(SHIPPED), digit_slope=1.0, digit_offset=0.0, sure_above=0.0)
    energy = evaluate(checkpoint, few).digit_probability.logit()
    offset = -energy.quantile(0.5).item()  # between two images: no rounding moves one across
    sure = (energy.quantile(0.75) + offset).sigmoid().item()
    path = str(tmp_path / "knowing.pt")
    write(replace(checkpoint, digit_offset=offset, sure_digit_above=sure), path)
    return path


def test_others_are_reported_beside_the_digits(few, knowing, drawings, tmp_path, capsys):
    others = tmp_path / "others.jsonl"
    scribble = [[[0, 0], [90, 10], [5, 40], [80, 60], [0, 90], [95, 100]]]
    strokes = [*example_strokes().values(), scribble]
    others.write_text("".join(f"{json.dumps({'label': None, 'strokes': s})}\n" for s in strokes))
    files = ["--checkpoint", knowing, "--others", str(others), "--drawings", str(drawings)]
    assert main(["--json", *files]) == 0
    result = json.loads(capsys.readouterr().out)
    found = result["others"][str(others)]
    recognizer = Recognizer.load(knowing)
    answers = [recognizer.recognize(s) for s in strokes]
    assert found == {
        "count": 11,
        "taken_for_digits": sum(a.is_digit for a in answers) / 11,
        "sure": sum(a.sure for a in answers) / 11,
        "auroc": pytest.approx(
            auroc(
                evaluate(read(knowing), few).digit_probability,
                torch.tensor([a.digit_probability for a in answers], dtype=torch.float64),
            ),
            abs=0.01,
        ),
        "bad_lines_skipped": 0,
    }
    assert 0 < found["auroc"] < 1
    assert result["mnist"]["taken_for_digits"] == 0.5
    assert result["mnist"]["sure"] == 0.25
    assert main(files) == 0
    text = capsys.readouterr().out
    assert f"{others}: {found['taken_for_digits']:.2%} of 11 others taken for digits, " in text
    assert f"{found['sure']:.2%} surely; AUROC {found['auroc']:.4f}" in text
    assert "taken for digits      50.00%" in text


def test_a_digit_among_the_others_is_reported_or_skipped(few, drawings, capsys):
    lines = drawings.read_text().splitlines()
    drawings.write_text("\n".join([lines[0].replace('"label": 0', '"label": null'), *lines[1:]]))
    message = fails(["--others", str(drawings)], capsys)
    assert message == f"{drawings}, line 2: The label must be null, not 1.\n"
    assert main(["--json", "--skip-bad", "--others", str(drawings)]) == 0
    found = json.loads(capsys.readouterr().out)["others"][str(drawings)]
    assert (found["count"], found["bad_lines_skipped"]) == (1, 9)
    assert main(["--skip-bad", "--others", str(drawings)]) == 0
    assert "bad lines skipped     9" in capsys.readouterr().out


def test_the_table_says_the_same(few, drawings, capsys):
    with drawings.open("a") as file:
        file.write("nothing\n")
    assert main(["--drawings", str(drawings), "--skip-bad"]) == 0
    text = capsys.readouterr().out
    found = evaluate(read(SHIPPED), few)
    assert f"MNIST test set: {found.accuracy:.2%} of 60 read right" in text
    assert f"{drawings}: " in text and "of 10 read right" in text
    assert "error rate by writer  1: " in text
    assert "bad lines skipped     1" in text
    assert f"sure of               {found.summary()['sure']:.2%}" in text


@pytest.fixture
def numbers(tmp_path) -> Path:
    """Three numbers of the examples, 1 and 0, one labelled wrong, and a line without a label."""
    one, zero = ([np.array(s) for s in example_strokes()[digit]] for digit in (1, 0))
    shift = np.array([np.concatenate(one)[:, 0].max() - np.concatenate(zero)[:, 0].min() + 20, 0])
    ten = [*one, *(stroke + shift for stroke in zero)]
    path = tmp_path / "numbers.jsonl"
    with path.open("w") as file:
        write_drawings([DrawnNumber(label, ten) for label in ("10", "10", "1")], file)
        file.write('{"label": 10, "strokes": [[[0, 0]]]}\n')
    return path


def test_numbers_count_as_right_when_all_their_digits_are(few, numbers, capsys):
    assert main(["--json", "--skip-bad", "--numbers", str(numbers)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["numbers"] == {
        str(numbers): {"count": 3, "right": 2, "accuracy": 2 / 3, "bad_lines_skipped": 1}
    }
    assert main(["--skip-bad", "--numbers", str(numbers)]) == 0
    text = capsys.readouterr().out
    assert f"{numbers}: 66.67% of 3 numbers read right\n  bad lines skipped     1\n" in text


def test_a_bad_line_of_numbers_is_reported(few, numbers, capsys):
    message = fails(["--numbers", str(numbers)], capsys)
    assert message.startswith(f"{numbers}, line 4: The label must be a text of digits")


def fails(arguments: list[str], capsys) -> str:
    """The one line that the command fails with."""
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_bad_line_of_drawings_is_reported_or_skipped(few, drawings, capsys):
    with drawings.open("a") as file:
        file.write('{"label": "7"}\n')
    message = fails(["--json", "--drawings", str(drawings)], capsys)
    assert message.startswith(f"{drawings}, line 11: ")
    assert main(["--json", "--skip-bad", "--drawings", str(drawings)]) == 0
    found = json.loads(capsys.readouterr().out)["drawings"][str(drawings)]
    assert (found["count"], found["bad_lines_skipped"]) == (10, 1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--drawings", "none.jsonl"], "none.jsonl could not be read: No such file or directory."),
        (["--others", "none.jsonl"], "none.jsonl could not be read: No such file or directory."),
        (["--checkpoint", "none.pt"], "none.pt could not be read: No such file or directory."),
    ],
    ids=["drawings", "others", "checkpoint"],
)
def test_a_missing_file_is_reported(few, capsys, arguments, reason):
    assert fails(arguments, capsys) == reason + "\n"


def test_mnist_that_cannot_be_loaded_is_reported(monkeypatch, capsys):
    def fail() -> None:
        raise DataError("MNIST could not be loaded.")

    monkeypatch.setattr("lenet.evaluate.load_mnist", fail)
    assert fails([], capsys) == "MNIST could not be loaded.\n"


def test_the_shipped_network_reads_mnist(mnist):
    found = evaluate(read(SHIPPED), mnist.test)
    assert len(found.labels) == 10_000
    assert found.accuracy > 0.99
    assert min(found.per_digit) > 0.97

"""The Results tab in a real Chromium: every figure and every digit against a count by hand.

Half of the labels of the small server's 60 test digits are wrong on purpose, so that the shipped
network makes mistakes of every kind about them.
"""

import math
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from browsing import an, answered, choose, draw, until
from playwright.sync_api import Page, Route, expect
from support import Server, pixels, small_set

from lenet.checkpoint import SHIPPED, Checkpoint, read, write
from lenet.data import DataSet
from lenet.evaluate import evaluate, read_digits
from lenet.recognize import Recognitions, Recognizer, interpret, predict
from lenet.server import evaluation_cache
from lenet.server.data_sets import others
from lenet.ui.results.tab import (
    STRIP,
    evaluate_networks,
    evaluate_others,
    evaluation_progress,
    test_digits,
)

test_digits.__test__ = False  # its name is not a test's

CALL = "**/component_server/"

TEST = small_set().test
TRUTHS = TEST.labels.tolist()


def swapped(checkpoint: Checkpoint) -> Checkpoint:
    """The network that answers 1 for 2 and 2 for 1, and is less sure of itself."""
    order = [0, 2, 1, 3, 4, 5, 6, 7, 8, 9]
    weights = dict(checkpoint.weights)
    for name in ("fc3.weight", "fc3.bias"):
        weights[name] = weights[name][order]
    return Checkpoint(weights, temperature=2 * checkpoint.temperature)


@pytest.fixture(scope="module")
def first() -> list[list[float]]:
    """What the shipped network makes of the 60 digits: for each its ten probabilities."""
    return evaluate(read(SHIPPED), TEST).probabilities.tolist()


@pytest.fixture(scope="module")
def second() -> list[list[float]]:
    return evaluate(swapped(read(SHIPPED)), TEST).probabilities.tolist()


@pytest.fixture
def other(small_server: Server) -> Iterator[Path]:
    """A second network in the folder."""
    path = small_server.checkpoints / "swapped.pt"
    write(swapped(read(SHIPPED)), path)
    yield path
    path.unlink()


@pytest.fixture
def report(small_page: Page) -> Page:
    """The page with the shipped network's results on the small set."""
    open_results(small_page)
    return small_page


def open_results(page: Page) -> None:
    page.get_by_role("tab", name="Results").click()
    page.locator("#results-data").get_by_text("Synthetic digits").click()
    expect(page.locator("#results-gallery figure").first).to_be_visible()


def best(probabilities: list[float]) -> int:
    return max(range(10), key=probabilities.__getitem__)


def surest_first(indices: list[int], probabilities: list[list[float]]) -> list[int]:
    return sorted(indices, key=lambda i: -max(probabilities[i]))


def expect_order(page: Page, expected: list[int], probabilities: list[list[float]]) -> None:
    """These digits in this order, but for those of which the network is as sure."""
    found = shown(page)
    assert len(set(found)) == len(found)
    for a, b in zip(found, expected, strict=True):
        assert max(probabilities[a]) == pytest.approx(max(probabilities[b]), abs=1e-5)


def shown(page: Page) -> list[int]:
    """The indices of the digits in the gallery, whose pictures are those digits."""
    names = page.locator("#results-gallery .digit").evaluate_all(
        "(buttons) => buttons.map((button) => button.ariaLabel)"
    )
    indices = [int(re.match(r"Test image (\d+), ", name)[1]) for name in names]
    drawn = pixels(page, "#results-gallery canvas")
    assert drawn == TEST.frames[indices].flatten(1).tolist()
    return indices


def expect_gallery(page: Page, title: str) -> None:
    expect(page.locator("#results-gallery h2")).to_have_text(title)


# ---------------------------------------------------------------- one network


def test_accuracy_and_errors_by_digit(report: Page, first):
    right = [best(p) == truth for p, truth in zip(first, TRUTHS, strict=True)]
    assert 20 <= sum(right) <= 30
    expect(report.locator("#results-accuracy p")).to_have_text(
        f"{sum(right) / 60:.2%} of the 60 test images read right: "
        f"{sum(right)} right, {60 - sum(right)} wrong."
    )
    rows = report.locator("#results-errors li")
    for digit in range(10):
        own = [r for r, truth in zip(right, TRUTHS, strict=True) if truth == digit]
        wrong = len(own) - sum(own)
        expect(rows.nth(digit)).to_have_text(
            f"{digit}{100 * wrong / len(own):.1f}%, {wrong} of {len(own)}"
        )


def test_the_nine_of_the_lesson_with_wrong_ones_marked(report: Page, first):
    captions = report.locator("#results-nine figcaption")
    for start in (0, 9):
        expected = []
        for i in range(start, start + 9):
            answer = best(first[i])
            expected.append(str(answer) + (f", is {an(TRUTHS[i])}" if answer != TRUTHS[i] else ""))
        expect(captions).to_have_text(expected)
        expect(report.locator("#results-nine .wrong figcaption")).to_have_text(
            [caption for caption in expected if "is a" in caption]
        )
        nine = pixels(report, "#results-nine canvas")
        assert nine == TEST.frames[start : start + 9].flatten(1).tolist()
        report.locator("#results-again").click()
    expect(report.locator("#results-shape")).to_contain_text("60 test images of 28×28 pixels")
    expect(report.locator("#results-shape")).to_contain_text("N×1×32×32")


def test_the_nine_begin_anew_after_the_last(report: Page):
    first_caption = report.locator("#results-nine button").first
    for start in (9, 18, 27, 36, 45, 54, 0):
        report.locator("#results-again").click()
        expect(first_caption).to_have_attribute("aria-label", re.compile(f"^Test image {start},"))


def test_the_confusion_matrix_and_the_digits_of_each_cell(report: Page, first):
    matrix = [[[] for _ in range(10)] for _ in range(10)]
    for i, truth in enumerate(TRUTHS):
        matrix[truth][best(first[i])].append(i)
    assert any(len(matrix[r][c]) != len(matrix[c][r]) for r in range(10) for c in range(r))

    rows = report.locator("#results-confusion tr:has(th[scope=row])")
    texts = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert texts == [[str(len(cell)) for cell in row] for row in matrix]
    heads = report.locator("#results-confusion th").all_inner_texts()
    digits = [str(digit) for digit in range(10)]
    assert heads == ["answer", *digits, "truth", *digits]

    for truth in range(10):
        for answer in range(10):
            indices = matrix[truth][answer]
            cell = rows.nth(truth).locator("td").nth(answer)
            if not indices:
                expect(cell.locator("button")).to_have_count(0)
                continue
            cell.locator("button").click()
            one = f"{len(indices)} test image{'s' if len(indices) > 1 else ''}"
            expect_gallery(report, f"{one} with the truth {truth} and the answer {answer}")
            expected = surest_first(indices, first)
            expect_order(report, expected if truth != answer else expected[::-1], first)
            assert sorted(shown(report)) == indices
            expect(cell.locator("button")).to_have_attribute("aria-pressed", "true")
            expect(report.locator("#results [aria-pressed=true]")).to_have_count(1)


def test_the_mistakes_the_surest_first_page_by_page(report: Page, first):
    mistakes = [i for i, truth in enumerate(TRUTHS) if best(first[i]) != truth]
    expected = surest_first(mistakes, first)
    assert len(mistakes) > 24
    expect_gallery(report, f"{len(mistakes)} mistakes")
    expect_order(report, expected[:24], first)
    captions = report.locator("#results-gallery figcaption").all_inner_texts()
    for caption, i in zip(captions, shown(report), strict=True):
        answer, truth = best(first[i]), TRUTHS[i]
        assert caption.split("\n") == [
            f"answer {answer} · {100 * round(first[i][answer], 4):.0f}%",
            f"truth {truth} · {100 * round(first[i][truth], 4):.0f}%",
        ]
    more = report.locator("#results-more")
    expect(more).to_have_text(f"More of these: {len(mistakes) - 24} left")
    more.click()
    expect(more).to_be_hidden()
    expect_order(report, expected, first)


def test_the_mistakes_of_one_digit_and_back(report: Page, first):
    mistakes = [i for i, truth in enumerate(TRUTHS) if truth == 3 and best(first[i]) != 3]
    report.locator("#results-errors button").nth(3).click()
    plural = "s" if len(mistakes) != 1 else ""
    expect_gallery(report, f"{len(mistakes)} mistake{plural} with the truth 3")
    expect_order(report, surest_first(mistakes, first), first)
    assert sorted(shown(report)) == mistakes
    report.locator("#results-mistakes").click()
    expect(report.locator("#results-gallery h2")).to_have_text(re.compile(r"^\d+ mistakes$"))
    expect(report.locator("#results-mistakes")).to_be_hidden()


def test_a_digit_large_with_ten_probabilities_and_on_the_pad(report: Page, first):
    index = shown(report)[2]
    report.locator("#results-gallery .digit").nth(2).click()
    dialog = report.get_by_role("dialog")
    answer, truth = best(first[index]), TRUTHS[index]
    expect(dialog.locator("h3")).to_have_text(f"Test image {index}, {an(truth)} read as {answer}")
    expect(dialog.locator(".number")).to_have_text([f"{100 * p:.1f}%" for p in first[index]])
    expect(dialog.locator("li").nth(answer)).to_have_text(re.compile("answer$"))
    expect(dialog.locator("li").nth(truth)).to_have_text(re.compile("truth$"))
    frame = TEST.frames[index].flatten().tolist()
    assert pixels(report, "dialog[open] canvas") == [frame]

    dialog.get_by_role("button", name="Look inside").click()
    expect(report.locator("#pad")).to_be_visible()
    expect(report.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    expect(report.locator("#answer")).to_have_text(str(answer))
    expect(report.locator("#inside-body")).to_be_visible()
    assert pixels(report, "#inside canvas[data-layer=frame]") == [frame]


def test_one_click_puts_a_mistake_into_the_inside_view(report: Page, first):
    index = shown(report)[1]
    report.locator("#results-gallery .inside").nth(1).click()
    expect(report.locator("#answer")).to_have_text(str(best(first[index])))
    expect(report.locator("#inside-body")).to_be_visible()
    frame = TEST.frames[index].flatten().tolist()
    assert pixels(report, "#inside canvas[data-layer=frame]") == [frame]


def test_a_mistake_takes_the_place_of_a_number_on_the_pad_and_undo_brings_it_back(
    small_page: Page, first
):
    boxes = small_page.locator("#pad-digits button:visible")
    draw(small_page, [[(0.1, 0), (0.1, 1)], [(0.6, 0), (0.6, 1)]])
    expect(boxes).to_have_text(["1", "1"])
    open_results(small_page)
    index = shown(small_page)[0]
    small_page.locator("#results-gallery .inside").first.click()
    expect(small_page.locator("#answer")).to_have_text(str(best(first[index])))
    expect(boxes).to_have_count(0)
    small_page.locator("#pad-undo").click()
    expect(small_page.locator("#answer")).to_have_text("11")
    expect(boxes).to_have_count(2)


def test_cells_are_reached_and_pressed_with_the_keyboard(report: Page):
    cell = report.locator("#results-confusion .right button").first
    cell.focus()
    report.keyboard.press("Tab")
    name = report.evaluate("document.activeElement.ariaLabel")
    report.keyboard.press("Enter")
    number, truth, answer = re.findall(r"\d+", name)
    expect(report.locator("#results-gallery figure")).to_have_count(int(number))
    expect(report.locator("#results-gallery h2")).to_contain_text(
        f"truth {truth} and the answer {answer}"
    )


# ---------------------------------------------------------------- what is no digit


def read_others(checkpoint: Checkpoint) -> Recognitions:
    return interpret(checkpoint, predict(checkpoint.model(), others()))


def test_what_is_no_digit_and_the_likeliest_of_it(report: Page):
    found = read_others(read(SHIPPED))
    expect(report.locator("#results-others p")).to_contain_text(
        f"Of 1,000 letters, signs, scribbles and other drawings that are no digit, it takes "
        f"{int(found.is_digit.sum())} for digits."
    )
    drawn = pixels(report, "#results-others canvas")
    every = others().flatten(1).tolist()
    indices = [every.index(frame) for frame in drawn]
    surely = found.digit_probability * found.probabilities.amax(1)
    assert surely[indices].tolist() == surely.sort(descending=True).values[:STRIP].tolist()
    captions = report.locator("#results-others figcaption")
    nearest = found.probabilities[indices].argmax(1).tolist()
    share = found.digit_probability[indices].tolist()
    expect(captions).to_have_text(
        [f"{digit} · {100 * round(p, 4):.0f}%" for digit, p in zip(nearest, share, strict=True)]
    )
    marked = report.locator("#results-others .taken")
    expect(marked).to_have_count(int(found.is_digit[indices].sum()))


def test_one_press_puts_what_is_no_digit_into_the_inside_view(report: Page):
    expect(report.locator("#results-others canvas")).to_have_count(STRIP)
    frame = pixels(report, "#results-others canvas")[-1]
    report.locator("#results-others .digit").last.click()
    expect(report.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    expect(report.locator("#inside-body")).to_be_visible()
    until(report, lambda: pixels(report, "#inside canvas[data-layer=frame]") == [frame])
    shown = torch.tensor(frame, dtype=torch.uint8).view(28, 28)
    found = Recognizer.load().recognize_frame(shown)
    expect(report.locator("#answer")).to_have_text(str(found.digit) if found.is_digit else "")


# ---------------------------------------------------------------- two networks


def test_what_one_reads_and_the_other_does_not(other: Path, report: Page, first, second):
    choose(report, "#results-other", other.name)
    expect(report.locator("#results-groups")).to_be_visible()
    names = ["both", "only the first", "only the second", "neither"]
    groups = {name: [] for name in names}
    for i, truth in enumerate(TRUTHS):
        right = best(first[i]) == truth, best(second[i]) == truth
        name = names[[(True, True), (True, False), (False, True), (False, False)].index(right)]
        groups[name].append(i)
    assert all(groups.values())

    accuracies = report.locator("#results-accuracy > div")
    expect(accuracies.nth(0)).to_contain_text("First network: lenet.pt")
    expect(accuracies.nth(1)).to_contain_text(f"Second network: {other.name}")
    for place, only in ((0, "only the first"), (1, "only the second")):
        right = len(groups["both"]) + len(groups[only])
        expect(accuracies.nth(place)).to_contain_text(f"{right / 60:.2%}")

    for name, indices in groups.items():
        button = report.locator("#results-groups button").filter(has_text=f"{name} read")
        expect(button.locator("b")).to_have_text(str(len(indices)))
        button.click()
        expect(report.locator("#results-gallery h2")).to_contain_text(f"{name} read")
        more = report.locator("#results-more")
        if len(indices) > 24:
            more.click()
        expect(report.locator("#results-gallery figure")).to_have_count(len(indices))
        assert sorted(shown(report)) == indices
        captions = report.locator("#results-gallery figcaption").all_inner_texts()
        for caption, i in zip(captions, shown(report), strict=True):
            one, two, truth = caption.split("\n")
            assert one.startswith(f"first {best(first[i])} · ")
            assert two.startswith(f"second {best(second[i])} · ")
            assert truth == f"truth {TRUTHS[i]}"

    # What only the second reads begins with the surest mistake of the first.
    report.locator("#results-groups button").nth(2).click()
    expect(report.locator("#results-gallery h2")).to_contain_text("only the second reads")
    expect_order(report, surest_first(groups["only the second"], first), first)
    index = shown(report)[0]
    report.locator("#results-gallery .digit").first.click()
    numbers = [f"{100 * round(p, 4):.1f}%" for p in first[index] + second[index]]
    expect(report.locator("dialog[open] .number")).to_have_text(numbers)


def test_what_each_takes_for_digits(other: Path, report: Page):
    knows_nothing = replace(read(other), digit_slope=0.0, digit_offset=math.inf)
    write(knows_nothing, other)
    choose(report, "#results-other", other.name)
    taken = int(read_others(read(SHIPPED)).is_digit.sum())
    words = f"the first network takes {taken} for digits, the second 1,000."
    expect(report.locator("#results-others p")).to_contain_text(words)


def test_without_a_second_network_nothing_is_compared(other: Path, report: Page):
    expect(report.locator("#results-groups")).to_be_hidden()
    choose(report, "#results-other", other.name)
    expect(report.locator("#results-groups")).to_be_visible()
    choose(report, "#results-other", "none")
    expect(report.locator("#results-groups")).to_be_hidden()
    expect(report.locator("#results-accuracy > div")).to_have_count(1)


# ---------------------------------------------------------------- nothing stale


def test_a_late_answer_does_not_replace_a_newer_one(report: Page):
    held: list[Route] = []
    report.route(CALL, lambda route: held.append(route))
    cells = report.locator("#results-confusion .wrong button")
    cells.nth(0).click()
    cells.nth(1).click()
    until(report, lambda: len(held) == 2)
    held[1].continue_()
    _, truth, answer = re.findall(r"\d+", cells.nth(1).get_attribute("aria-label"))
    words = f"the truth {truth} and the answer {answer}"
    expect(report.locator("#results-gallery h2")).to_contain_text(words)
    with answered(report, "test_digits"):
        held[0].continue_()
    expect(report.locator("#results-gallery h2")).to_contain_text(words)
    expect(cells.nth(1)).to_have_attribute("aria-pressed", "true")


def test_a_network_that_was_trained_on_is_not_mixed_with_its_old_figures(
    other: Path, report: Page, second
):
    write(read(SHIPPED), other)
    choose(report, "#results-network", other.name)
    expect(report.locator("#results-accuracy h2")).to_have_text(other.name)
    write(swapped(read(SHIPPED)), other)
    os.utime(other, (other.stat().st_mtime + 5,) * 2)
    report.locator("#results-confusion .right button").nth(4).click()
    expect(report.locator("#results-accuracy p")).to_contain_text(
        f"{sum(best(p) == truth for p, truth in zip(second, TRUTHS, strict=True))} right",
    )
    expect(report.locator("#results-gallery h2")).to_contain_text("with the truth")


def test_the_tab_opened_again_is_as_it_was_unless_the_network_has_changed(
    other: Path, report: Page, second
):
    choose(report, "#results-network", other.name)
    accuracy = report.locator("#results-accuracy p")
    right = sum(best(p) == truth for p, truth in zip(second, TRUTHS, strict=True))
    expect(accuracy).to_contain_text(f"{right} right")
    report.locator("#results-confusion .right button").nth(2).click()
    expect(report.locator("#results-gallery h2")).to_contain_text("with the truth")
    before = shown(report)
    report.get_by_role("tab", name="Draw").click()
    with answered(report, "evaluate_networks"):
        report.get_by_role("tab", name="Results").click()
    assert shown(report) == before
    write(read(SHIPPED), other)
    os.utime(other, (other.stat().st_mtime + 5,) * 2)
    report.get_by_role("tab", name="Draw").click()
    with answered(report, '"show":"cell"'):
        report.get_by_role("tab", name="Results").click()
    expect(accuracy).not_to_contain_text(f"{right} right")
    expect(report.locator("#results-gallery h2")).to_contain_text("with the truth")


def test_progress_is_shown_until_the_figures_are_there(
    other: Path, report: Page, monkeypatch: pytest.MonkeyPatch
):
    go_on = threading.Event()

    def slowly(checkpoint, digits, progress):
        progress(20)
        assert go_on.wait(60)
        return read_digits(checkpoint, digits)

    monkeypatch.setattr(evaluation_cache, "read_digits", slowly)
    changed = read(other)
    changed.network["fc3.bias"][0] += 0.01  # no kept evaluation has this
    write(changed, other)
    try:
        choose(report, "#results-network", other.name)
        words = f"{other.name} reads the test images: 20 of 60"
        expect(report.locator("#results .waiting p")).to_have_text(words)
        assert report.locator("#results progress").evaluate("(bar) => bar.value") == 20 / 60
    finally:
        go_on.set()
    expect(report.locator("#results .waiting")).to_be_hidden()
    expect(report.locator("#results-accuracy h2")).to_have_text(other.name)


# ---------------------------------------------------------------- kept, and what cannot be loaded


def test_what_was_evaluated_is_kept_over_a_restart_and_under_another_name(
    other: Path, small_server: Server, monkeypatch: pytest.MonkeyPatch
):
    request = {"network": other.name, "other": "", "data": "synthetic"}
    expected = evaluate_networks(request)
    assert list((small_server.data / "evaluations").iterdir())
    evaluation_cache.evaluation_of.cache_clear()  # as after a restart
    monkeypatch.setattr(evaluation_cache, "read_digits", lambda *_: pytest.fail("read twice"))
    assert evaluate_networks(request) == expected
    copy = other.with_name("copy.pt")
    copy.write_bytes(other.read_bytes())
    found = evaluate_networks({**request, "network": copy.name})
    assert found["networks"][0] == {**expected["networks"][0], "name": copy.name}
    copy.unlink()


def test_a_data_set_that_cannot_be_loaded_shows_one_sentence(small_page: Page):
    small_page.get_by_role("tab", name="Results").click()
    error = small_page.locator("#results > * > * > .error")
    expect(error).to_have_text("MNIST could not be loaded: there is <no> mirror.")
    expect(small_page.locator("#results .report")).to_be_hidden()
    open_results(small_page)
    expect(error).to_be_hidden()


def test_a_file_that_is_no_network_shows_one_sentence(other: Path, report: Page):
    other.write_bytes(b"no checkpoint")
    choose(report, "#results-network", other.name)
    expect(report.get_by_text(f"{other.name} was not loaded")).to_be_visible()
    choose(report, "#results-network", "lenet.pt")
    expect(report.locator("#results-accuracy h2")).to_have_text("lenet.pt")


ASKED = {"network": "lenet.pt", "other": "", "data": "synthetic"}
SHOW = {**ASKED, "show": "cell", "truth": 1, "answer": 2, "start": 0}


@pytest.mark.parametrize(
    "function, request_",
    [
        (evaluate_networks, None),
        (evaluate_networks, "lenet.pt"),
        (evaluate_networks, {}),
        (evaluate_networks, {**ASKED, "network": ""}),
        (evaluate_networks, {**ASKED, "network": None}),
        (evaluate_networks, {**ASKED, "network": "../checkpoints/lenet.pt"}),
        (evaluate_networks, {**ASKED, "network": str(SHIPPED)}),
        (evaluate_networks, {**ASKED, "network": ["lenet.pt"]}),
        (evaluate_networks, {**ASKED, "other": 3}),
        (evaluate_networks, {**ASKED, "data": "digits"}),
        (evaluate_others, {}),
        (evaluate_others, {**ASKED, "network": "../checkpoints/lenet.pt"}),
        (evaluation_progress, {**ASKED, "data": None}),
        (test_digits, {**SHOW, "show": "everything"}),
        (test_digits, {**SHOW, "show": None}),
        (test_digits, {**SHOW, "show": "both"}),
        (test_digits, {**SHOW, "truth": 10}),
        (test_digits, {**SHOW, "answer": "2"}),
        (test_digits, {**SHOW, "start": -1}),
        (test_digits, {**SHOW, "start": 2.0}),
        (test_digits, {**ASKED, "show": "mistakes"}),
    ],
)
def test_a_malformed_request_gets_one_sentence(small_server, function, request_):
    answer = function(request_)
    assert list(answer) == ["error"]
    assert re.fullmatch(r"(The request|This network).*\.", answer["error"])


# ---------------------------------------------------------------- the page


def test_it_fits_on_a_phone(other: Path, small_phone: Page):
    open_results(small_phone)
    choose(small_phone, "#results-other", other.name)
    expect(small_phone.locator("#results-groups")).to_be_visible()
    assert small_phone.evaluate("document.documentElement.scrollWidth") <= 390
    small_phone.locator("#results-confusion button").first.tap()
    expect(small_phone.locator("#results-gallery h2")).to_be_in_viewport()
    small_phone.locator("#results-gallery .digit").first.tap()
    box = small_phone.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_the_shipped_network_on_mnist(mnist: DataSet, page: Page):
    """The lesson's figure, from a forward pass of the test's own."""
    page.get_by_role("tab", name="Results").click()
    expect(page.locator("#results-gallery figure").first).to_be_visible()
    answers = evaluate(read(SHIPPED), mnist.test).answers.tolist()
    counts = [[0] * 10 for _ in range(10)]
    for truth, answer in zip(mnist.test.labels.tolist(), answers, strict=True):
        counts[truth][answer] += 1
    rows = page.locator("#results-confusion tr:has(th[scope=row])")
    texts = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert texts == [[str(number) for number in row] for row in counts]
    right = sum(counts[digit][digit] for digit in range(10))
    assert right >= 9_900
    expect(page.locator("#results-accuracy p")).to_have_text(
        f"{right / 10_000:.2%} of the 10,000 test images read right: "
        f"{right:,} right, {10_000 - right} wrong."
    )

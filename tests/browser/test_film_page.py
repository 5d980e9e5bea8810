"""The film in the Train tab, in a real Chromium: what it shows is what a forward pass says."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from browsing import LOGGED, choose_synthetic, draw_example, look_twice, settle, status
from playwright.sync_api import Browser, Page, expect
from support import Server

from lenet import LeNet
from lenet.film import Snapshot, read_film
from lenet.preprocess import frames_to_inputs, strokes_to_frame
from lenet.synthetic import example_strokes

EXAMPLES = example_strokes()
PACE = 120  # milliseconds a moment in the replay

# What the page shows at once: the strip's mark, the sentence, the answer and the first kernel.
SHOWN = """() => {
  const canvas = document.querySelector("#film-kernels canvas");
  return {
    at: Number(document.querySelector("#film-moment").value),
    sentence: document.querySelector("#film-sentence").textContent,
    answer: document.querySelector("#film-answer").textContent,
    kernel: [...canvas.getContext("2d").getImageData(0, 0, 5, 5).data],
  };
}"""
WATCH = f"""() => {{
  const shown = {SHOWN};
  window.frames_shown = [];
  const note = () => window.frames_shown.push(shown());
  new MutationObserver(note).observe(document.querySelector("#film-sentence"), {{childList: true}});
}}"""
PIXELS = """(canvas) => [...canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data]"""


def press_train(page: Page, epochs: int = 1) -> None:
    page.get_by_role("tab", name="Train").click()
    choose_synthetic(page, epochs)
    page.locator("#train-start").click()
    status(page, "(running|finished)")  # a fast machine may be ready before the page looks


@pytest.fixture(scope="module")
def film(browser: Browser, server: Server) -> Iterator[list[Snapshot]]:
    """The film of an epoch on synthetic digits, started from the page."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        press_train(page)
        status(page, "finished")
    yield read_film(newest(server))


def newest(server: Server) -> Path:
    (path,) = server.checkpoints.glob("*.film")
    return path


def open_film(page: Page, length: int) -> None:
    """Open the tab and wait for the last moment."""
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#film-moment")).to_have_value(str(length - 1))


def probabilities(page: Page, snapshot: Snapshot) -> torch.Tensor:
    """What a snapshot's network makes of the strokes that the page holds, by a forward pass."""
    strokes = page.evaluate("JSON.parse(sessionStorage['lenet:drawing'] ?? 'null')?.strokes")
    model = LeNet()
    model.load_state_dict(snapshot.state())
    with torch.no_grad():
        frames = strokes_to_frame(strokes or EXAMPLES[7])[None]
        return model(frames_to_inputs(frames))[0].softmax(0)


def sentence(name: str, snapshot: Snapshot, expected: torch.Tensor) -> re.Pattern:
    """What the page says of a snapshot; it may round a half the other way."""
    digit, share = int(expected.argmax()), 100 * float(expected.max())
    when = f"after {snapshot.batches:,} batches" if snapshot.batches else "before training"
    percents = {round(share - 0.01), round(share + 0.01)}
    return re.compile(f"^{name} {when}: {digit} \\(({'|'.join(map(str, percents))}) %\\)$")


def colours(film: list[Snapshot], at: int, kernel: int) -> torch.Tensor:
    """The 5×5 RGB pixels of a first-layer kernel: blue, white, orange by the film's strongest."""
    strongest = max(float(s.state()["conv1.weight"].abs().max()) for s in film)
    weights = film[at].state()["conv1.weight"][kernel, 0] / strongest
    full = torch.where(
        weights[..., None] < 0, torch.tensor([0, 114, 178]), torch.tensor([213, 94, 0])
    )
    return 255 + (full - 255) * weights.abs()[..., None]


def expect_moment(page: Page, film: list[Snapshot], name: str, at: int) -> None:
    """The sentence, the answer and all six kernels of a moment."""
    expected = probabilities(page, film[at])
    expect(page.locator("#film-sentence")).to_have_text(sentence(name, film[at], expected))
    expect(page.locator("#film-answer")).to_have_text(str(int(expected.argmax())))
    assert page.locator("#film-moment").input_value() == str(at)
    for kernel in range(6):
        pixels = page.locator("#film-kernels canvas").nth(kernel).evaluate(PIXELS)
        shown = torch.tensor(pixels).view(5, 5, 4)[..., :3]
        torch.testing.assert_close(shown.float(), colours(film, at, kernel), atol=0.6, rtol=0)


def test_each_moment_shows_its_own_answer_and_kernels(film, page: Page):
    draw_example(page, 4)
    open_film(page, len(film))
    expect(page.locator("#film-play")).to_have_text("Replay")
    slider = page.locator("#film-moment")
    expect_moment(page, film, "Your 4", len(film) - 1)
    for at in (0, 3, len(film) // 2):
        slider.fill(str(at))
        expect_moment(page, film, "Your 4", at)
    slider.press("ArrowRight")
    expect_moment(page, film, "Your 4", len(film) // 2 + 1)
    text = page.locator("#film-sentence").inner_text()
    assert slider.get_attribute("aria-valuetext") == text


def test_the_strip_has_a_column_for_each_moment_and_a_row_for_each_digit(film, page: Page):
    draw_example(page, 3)
    open_film(page, len(film))
    strip = page.locator("#film-strip")
    expected = torch.stack([probabilities(page, snapshot) for snapshot in film], 1)
    shown = torch.tensor(strip.evaluate(PIXELS)).view(10, len(film), 4)[..., 3] / 255
    torch.testing.assert_close(shown, expected, atol=0.01, rtol=0)
    last = int(expected[:, -1].argmax())
    assert re.search(rf"^Your 3 was read as .*{last} ", strip.get_attribute("aria-label"))
    # A click goes to the moment under the pointer.
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    for at in (2, len(film) - 2):
        page.mouse.click(box["x"] + box["width"] * (at + 0.3) / len(film), box["y"] + 30)
        expect_moment(page, film, "Your 3", at)


def test_a_replay_moves_everything_together_from_the_first_to_the_last(film, page: Page):
    open_film(page, len(film))
    page.evaluate(WATCH)
    play = page.locator("#film-play")
    play.click()
    expect(play).to_have_text("Pause")
    expect(play).to_have_text("Replay")
    shown = page.evaluate("frames_shown")
    assert [frame["at"] for frame in shown] == list(range(len(film)))
    for at, frame in enumerate(shown):
        expected = probabilities(page, film[at])
        assert sentence("An example 7", film[at], expected).match(frame["sentence"])
        assert frame["answer"] == str(int(expected.argmax()))
        kernel = torch.tensor(frame["kernel"]).view(5, 5, 4)[..., :3].float()
        torch.testing.assert_close(kernel, colours(film, at, 0), atol=0.6, rtol=0)


def test_a_replay_can_be_paused_and_goes_on(film, page: Page):
    open_film(page, len(film))
    play, slider = page.locator("#film-play"), page.locator("#film-moment")
    page.clock.install()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))
    play.click()
    page.clock.run_for(2 * PACE)
    assert slider.input_value() == "2"
    play.click()
    page.clock.run_for(9 * PACE)
    assert slider.input_value() == "2"
    play.click()
    page.clock.run_for(len(film) * PACE)
    assert slider.input_value() == str(len(film) - 1)


def test_another_drawing_is_read_and_a_reload_keeps_it(film, page: Page):
    open_film(page, len(film))
    expect_moment(page, film, "An example 7", len(film) - 1)
    draw_example(page, 2)
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#film-sentence")).to_have_text(re.compile("^Your 2 after"))
    expect_moment(page, film, "Your 2", len(film) - 1)
    page.reload()
    open_film(page, len(film))
    expect_moment(page, film, "Your 2", len(film) - 1)
    page.locator("#film-moment").fill("1")
    expect_moment(page, film, "Your 2", 1)


def test_a_page_asks_once_and_not_at_all_while_nobody_looks(film, page: Page):
    asked = []
    page.on("request", lambda r: "read_moments" in (r.post_data or "") and asked.append(r.url))
    settle(page)
    assert asked == []
    open_film(page, len(film))
    page.set_viewport_size({"width": 700, "height": 700})
    look_twice(page)
    assert len(asked) == -(-len(film) // 8)


def test_the_film_fits_a_phone(film, phone: Page):
    open_film(phone, len(film))
    phone.locator("#film-play").tap()
    expect(phone.locator("#film-play")).to_have_text("Pause")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_learning_rate_is_drawn(film, page: Page):
    """One cycle: up to its peak, then down."""
    page.get_by_role("tab", name="Train").click()
    points = page.locator(".rate polyline").get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert len(points) == len(LOGGED)
    peak = heights.index(min(heights))
    assert heights[peak:] == sorted(heights[peak:]) and heights[-1] > 90


def test_the_film_grows_with_the_run_and_goes_on_where_it_stopped(film, page: Page, server: Server):
    """It comes last, since its run takes the place of the film above."""
    before = newest(server)
    draw_example(page, 5)
    press_train(page, epochs=2)
    words = page.locator("#film-sentence")
    expect(words).to_have_text(re.compile(r"^Your 5 after \d00 batches"))
    page.locator("#train-stop").click()
    status(page, "stopped")
    assert not before.exists()
    stopped = read_film(newest(server))
    open_film(page, len(stopped))
    expect_moment(page, stopped, "Your 5", len(stopped) - 1)
    page.locator("#train-resume").click()
    status(page, "finished")
    whole = read_film(newest(server))
    assert [s.batches for s in whole[: len(stopped)]] == [s.batches for s in stopped]
    open_film(page, len(whole))
    expect_moment(page, whole, "Your 5", len(whole) - 1)
    page.locator("#film-moment").fill("0")
    expect_moment(page, whole, "Your 5", 0)

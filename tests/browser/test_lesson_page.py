"""The lesson in a real Chromium: a walk through its steps, and the links to them."""

import re

from browsing import draw, expect_answer, settle, until
from drawings import EXAMPLES
from playwright.sync_api import Page, expect
from support import Server, small_set

from lenet.lesson import STEPS

TABS = {"draw": "Draw", "train": "Train", "results": "Results", "data": "Data"}


def title(page: Page, number: int) -> None:
    expect(page.locator("#lesson-title")).to_have_text(f"{number}. {STEPS[number - 1].title}")


def test_a_walk_from_the_first_step_to_the_last(small_page: Page):
    draw(small_page, EXAMPLES[7])  # the visitor's drawing stays
    expect_answer(small_page, "7")
    small_page.get_by_role("tab", name="Lesson").click()
    expect(small_page.locator("#lesson-list li")).to_have_count(9)
    expect(small_page.locator("#lesson")).to_be_hidden()
    small_page.get_by_role("link", name=STEPS[0].title, exact=True).click()
    for number, step in enumerate(STEPS, 1):
        title(small_page, number)
        assert small_page.url.endswith(f"#lesson-{number}")
        tab = small_page.get_by_role("tab", name=TABS[step.tab])
        expect(tab).to_have_attribute("aria-selected", "true")
        if number == 1:
            expect(small_page.locator("#data-means")).to_be_hidden()  # it gives the answer away
        guess = small_page.locator("#lesson-ask button").first
        guess.click()
        expect(guess).to_have_attribute("aria-pressed", "true")
        found = small_page.locator("#lesson-found")
        if number == 5:
            expect(found).to_have_text("Press Train: the answer comes with the run.")
        else:
            expect(found).to_contain_text(re.compile("As you said|You said"))
            expect(small_page.locator("#lesson-ask .right")).to_have_count(1)
        if number == 1:
            expect(small_page.locator("#data-means")).to_be_visible()
            expect(found).to_contain_text("MNIST is not available here")
            expect(small_page.locator("#data-set input[value=synthetic]")).to_be_checked()
            counts = small_set().train.labels.bincount()
            expect(small_page.locator("#lesson-ask .right")).to_have_text(str(int(counts.argmax())))
        small_page.locator("#lesson-next").click()
    expect(small_page.locator("#lesson")).to_be_hidden()
    assert "#" not in small_page.url
    small_page.get_by_role("tab", name="Draw").click()
    expect_answer(small_page, "7")
    small_page.get_by_role("tab", name="Lesson").click()
    expect(small_page.locator("#lesson-list a.done")).to_have_count(9)


def test_the_tab_of_the_next_step_is_built_while_the_visitor_reads(small_page: Page):
    """Gradio's event `gradio_tab_select` (shared/gradio.js) builds a tab that is not open."""
    images, train = small_page.locator("#data-images"), small_page.locator("#train-start")
    expect(images).to_have_count(0)
    small_page.get_by_role("tab", name="Lesson").click()
    expect(images).to_have_count(1)
    expect(images).to_be_hidden()
    small_page.goto(f"{small_page.url.partition('#')[0]}#lesson-4")
    expect(train).to_have_count(1)
    expect(train).to_be_hidden()
    small_page.click("#lesson-next")
    expect(train).to_be_visible()
    expect(small_page.get_by_role("tab", name="Train")).to_have_attribute("aria-selected", "true")


def test_a_link_opens_its_step_alone_and_both_codes(small_page: Page, small_server: Server):
    small_page.goto(f"{small_server.url}?lesson#lesson-4")
    title(small_page, 4)
    expect(small_page.get_by_role("tab").first).to_be_hidden()
    expect(small_page.locator("#title")).to_be_hidden()
    small_page.locator("#lesson-code summary").click()
    code = small_page.locator("#lesson-code pre")
    expect(code).to_have_text(STEPS[3].tutorial)
    small_page.locator("#lesson-code").get_by_role("button", name="This project").click()
    expect(code).to_have_text(STEPS[3].ours)
    small_page.locator("#lesson-ask button").first.click()
    found = small_page.locator("#lesson-found")
    expect(found.get_by_role("button", name="1", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    found.get_by_role("button", name="0.01").click()
    expect(found).to_contain_text(re.compile(r"One weight, one step: −?0\.\d+ − 0\.01 × "))
    expect(found.locator(".chart g.chosen")).to_have_class("run 0.01 chosen")
    small_page.evaluate("location.hash = '#lesson-12'")
    title(small_page, 1)


# As Gradio does at times with what is chosen in a tab that is just being built.
SET_BACK = """() => {
    const look = () => {
        const [mnist, synthetic] = document.querySelectorAll("#data-set input");
        if (!synthetic?.checked) return requestAnimationFrame(look);
        mnist.click();
        document.body.dataset.back = "";
    };
    look();
    location.hash = "#lesson-1";
}"""


def test_where_the_data_are_set_back_they_are_chosen_again(small_page: Page):
    small_page.evaluate(SET_BACK)
    small_page.wait_for_selector("[data-back]")
    expect(small_page.locator("#data-images")).to_be_visible()
    expect(small_page.locator("#data-set input[value=synthetic]")).to_be_checked()


def test_a_step_needs_a_drawing_and_brings_one(small_page: Page, small_server: Server):
    small_page.goto(f"{small_server.url}#lesson-3")
    title(small_page, 3)
    expect_answer(small_page, "4")
    expect(small_page.locator("#inside-body")).to_be_visible()
    bars = small_page.locator("#probabilities")
    before = bars.inner_text()
    kernel = small_page.locator("#inside figure:has([data-layer=conv1][data-map='3'])")
    kernel.click()
    until(small_page, lambda: bars.inner_text() != before)
    expect(kernel).to_have_class("silenced")
    expect(small_page.locator("#silenced")).to_contain_text(
        re.compile(r"Silenced: map 4 of conv1\..*Of 60 synthetic test images \d", re.DOTALL)
    )
    kernel.focus()
    small_page.keyboard.press("Enter")
    expect(small_page.locator("#silenced")).to_be_hidden()
    kernel.press("Enter")
    expect(kernel).to_have_class("silenced")
    small_page.get_by_role("button", name="Restore all").click()
    expect(kernel).not_to_have_class("silenced")
    until(small_page, lambda: bars.inner_text() == before)


LIVE = {
    1: "#data-images",
    2: "#draw .sheet",
    3: "#inside .maps.conv1",
    4: "#data-images",
    5: "#train-status",
    6: "#draw .sheet",
    7: "#results-nine",
    8: "#results-nine, #results-confusion",
    9: "#train-status",
}


def see_with_its_question(page: Page, part: str) -> None:
    """Wait until the live part is on the screen together with the step's question."""

    def are_seen() -> bool:
        question = page.locator("#lesson-question").bounding_box()
        live = page.locator(part).filter(visible=True).bounding_box()
        return bool(question and live and question["y"] > -1 and live["y"] + 50 <= 844)

    until(page, are_seen)


def test_on_a_phone_question_and_live_part_are_seen_together(small_phone: Page):
    for number, part in LIVE.items():
        small_phone.evaluate(f"location.hash = '#lesson-{number}'")
        title(small_phone, number)
        see_with_its_question(small_phone, part)
        assert small_phone.evaluate("document.documentElement.scrollWidth") <= 390
        small_phone.locator("#lesson-ask button").first.tap()
        expect(small_phone.locator("#lesson-found")).not_to_have_text("…")
        settle(small_phone)
        see_with_its_question(small_phone, part)


def test_no_step_scrolls_on_a_desktop(small_page: Page):
    small_page.set_viewport_size({"width": 1280, "height": 800})
    high = "document.documentElement.scrollHeight"
    for number in LIVE:
        small_page.evaluate(f"location.hash = '#lesson-{number}'")
        title(small_page, number)
        small_page.locator("#lesson-ask button").first.click()
        expect(small_page.locator("#lesson-found")).not_to_have_text("…")
        if number == 3:
            small_page.locator("#inside figure:has([data-layer=conv1])").first.click()
            expect(small_page.locator("#silenced")).to_contain_text("test images")
        settle(small_page)
        assert small_page.evaluate(high) <= 800, number
        small_page.locator("#lesson-code summary").click()
        for whose in ("This project", "PyTorch"):
            small_page.get_by_role("button", name=whose, exact=True).click()
            assert small_page.evaluate(high) <= 800, (number, whose)
        small_page.locator("#lesson-code summary").click()

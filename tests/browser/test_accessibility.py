"""Every tab and dialog under axe-core: names, roles, headings, and the contrast of text, light and
dark; and colours that the visitor's system sets. What only a person can judge is not checked.
"""

from collections.abc import Callable
from importlib.resources import files

import pytest
from browsing import choose_synthetic, draw, expect_answer, settle, status
from drawings import EXAMPLES
from playwright.sync_api import Page, expect

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
NUMBER = [  # a 4 and a 2
    [(x / 2 + left, y) for x, y in stroke]
    for digit, left in ((4, -0.1), (2, 0.7))
    for stroke in EXAMPLES[digit]
]

# Colours are compared when their transitions have ended.
VIOLATIONS = """async () => {
    const run = async (options) => {
        await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
        const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
        return violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
    };
    const all = await run({});
    document.body.classList.add("dark");
    const dark = await run({ runOnly: ["color-contrast"] });
    document.body.classList.remove("dark");
    return [...all, ...dark.map((violation) => `dark: ${violation}`)];
}"""

Check = Callable[[str], None]


@pytest.fixture
def small_page(small_page: Page) -> Page:
    small_page.add_script_tag(content=AXE)
    return small_page


@pytest.fixture
def check(small_page: Page) -> Check:
    """Look for violations in the state that the page is in."""

    def look(state: str) -> None:
        assert small_page.evaluate(VIOLATIONS) == [], state

    return look


def test_the_pad_and_the_inside_view(small_page: Page, check: Check):
    check("nothing is drawn")
    draw(small_page, EXAMPLES[7])
    expect_answer(small_page, "7")
    small_page.locator("#inside summary").click()
    expect(small_page.locator("#inside-body")).to_be_visible()
    check("inside")
    for layer in ("conv1", "conv2"):
        small_page.locator(f'#inside canvas[data-layer="{layer}"]').first.hover()
        expect(small_page.locator("#lens .numbers").first).to_be_visible()
        check(f"the lens on {layer}")
    small_page.locator("#pad-clear").click()
    draw(small_page, NUMBER)
    expect_answer(small_page, "42")
    expect(small_page.locator("#lattice")).to_be_visible()
    check("a number")


def test_a_hand(small_page: Page, check: Check):
    draw(small_page, EXAMPLES[7])
    expect_answer(small_page, "7")
    small_page.keyboard.press("7")
    expect(small_page.locator("#telling > p[role=status]")).to_contain_text("Kept as")
    check("a drawing is kept")
    small_page.locator("#hand-open").click()
    expect(small_page.locator("#hand-examples figure")).to_have_count(1)
    check("the view")
    small_page.locator("#hand-delete").click()
    expect(small_page.locator("#hand-sure")).to_be_visible()
    check("delete all?")
    small_page.locator("#hand-no").click()
    small_page.locator("#hand-round").click()
    expect(small_page.locator("#pad-round")).to_be_visible()
    check("a round")


def test_the_train_tab(small_page: Page, check: Check, problems: list[str]):
    small_page.get_by_role("tab", name="Train").click()
    choose_synthetic(small_page, 1)
    check("settings")
    small_page.locator("#train-start").hover()
    check("the button under the mouse")
    small_page.locator("#train-start").click()
    status(small_page, "finished")
    expect(small_page.locator("#train-resume")).to_be_enabled()  # its colour changes
    expect(small_page.locator("#film figure").first).to_be_visible()
    expect(small_page.locator("#train-charts g.sample")).to_have_count(1)
    check("a run")
    small_page.locator("#all-runs .tick input").first.check()
    small_page.locator("#all-runs .do button").first.click()
    check("the table of runs")
    small_page.locator("#all-runs tr.open").get_by_role("button", name="Rename").click()
    check("a new name for a run")
    small_page.goto(f"{small_page.url}?epochs=500&seed=1#train")
    small_page.add_script_tag(content=AXE)
    complaint = small_page.locator("#train-epochs").get_by_text("Epochs 500 is out of range")
    expect(complaint).to_be_visible()
    check("a link out of range")
    small_page.locator("#train-epochs input").fill("5")
    small_page.get_by_role("button", name="Copy link").click()
    expect(small_page.get_by_label("Link to these settings")).to_be_visible()
    check("a link copied")
    assert all("422" in problem for problem in problems)  # Chromium notes what is out of range
    problems.clear()


def test_the_results_tab(small_page: Page, check: Check):
    small_page.get_by_role("tab", name="Results").click()
    small_page.locator("#results-data").get_by_text("Synthetic digits").click()
    expect(small_page.locator("#results-gallery figure").first).to_be_visible()
    check("a report")
    small_page.locator("#results-gallery .digit").first.click()
    expect(small_page.get_by_role("dialog")).to_be_visible()
    check("a digit large")


def test_the_data_tab(small_page: Page, check: Check):
    small_page.get_by_role("tab", name="Data").click()
    small_page.locator("#data-set").get_by_text("Synthetic digits").click()
    expect(small_page.locator("#data-images figure")).to_have_count(9)
    check("images")
    small_page.locator("#data-images .digit").first.click()
    expect(small_page.get_by_role("dialog").locator(".variations canvas")).to_have_count(12)
    check("an image large")


def test_the_lesson(small_page: Page, check: Check):
    small_page.get_by_role("tab", name="Lesson").click()
    expect(small_page.locator("#lesson-list")).to_be_visible()
    check("the list of steps")
    small_page.get_by_role("link", name="The network").click()
    expect(small_page.locator("#inside-body")).to_be_visible()
    small_page.locator("#lesson-ask button").first.click()
    expect(small_page.locator("#lesson-found table")).to_be_visible()
    small_page.locator("#lesson-code summary").click()
    small_page.locator("#inside figure:has([data-layer=conv1])").first.click()
    expect(small_page.locator("#silenced span")).not_to_be_empty()
    check("a step with its answer, its code and a silenced map")
    small_page.get_by_role("link", name="Step 9").click()
    small_page.locator("#lesson-ask button").first.click()
    expect(small_page.locator("#lesson-found .chart")).to_be_visible()
    check("a step with a chart")


def test_where_the_system_sets_the_colours(small_page: Page):
    small_page.emulate_media(forced_colors="active")
    small_page.get_by_role("button", name="Draw an example 4").click()
    expect_answer(small_page, "4")
    canvas = "rgb(255, 255, 255)"
    bar = small_page.locator("#probabilities .best .track span")
    expect(bar).not_to_have_css("background-color", canvas)
    expect(bar).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(small_page.locator("#probabilities .track").first).to_have_css("outline-style", "solid")
    chosen, other = (small_page.get_by_role("tab", name=name) for name in ("Draw", "Train"))
    ground = "(tab) => getComputedStyle(tab).backgroundColor"
    assert chosen.evaluate(ground) != other.evaluate(ground)
    small_page.locator("#inside summary").click()
    small_page.locator("#inside canvas[data-layer=conv1]").first.click()
    marked = small_page.locator("#inside .silenced > div").first
    expect(marked).not_to_have_css("outline-color", "rgb(0, 0, 0)")  # on a black picture
    small_page.get_by_role("tab", name="Results").click()
    small_page.locator("#results-data").get_by_text("Synthetic digits").click()
    # A tick of Gradio's is white on white.
    expect(small_page.locator("#results-data input").first).to_have_css("appearance", "auto")
    for kind, line in (("right", "solid"), ("wrong", "dashed")):
        cell = small_page.locator(f"#results-confusion td.{kind}").first
        expect(cell).to_have_css("outline-style", line)


# Each text's size in pixels before and after the browser's is set to twice as much.
GROWN = """async () => {
    const isText = ({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim();
    const parts = [...document.querySelectorAll("body *")]
        .filter((part) => part.checkVisibility() && [...part.childNodes].some(isText));
    const atRest = () => Promise.allSettled(document.getAnimations().map((each) => each.finished));
    const size = (part) => parseFloat(getComputedStyle(part).fontSize);
    const style = document.createElement("style");
    style.textContent = "html { font-size: 200% }";
    await atRest();
    const before = parts.map(size);
    document.head.append(style);
    await atRest();
    const found = parts.map((part, i) => [part.textContent.trim(), before[i], size(part)]);
    style.remove();
    return found.filter((_, i) => parts[i].isConnected);
}"""


def test_all_text_grows_with_the_size_that_the_browser_is_set_to(small_page: Page):
    small_page.locator("#inside summary").click()
    for tab in ("Draw", "Train"):
        small_page.get_by_role("tab", name=tab).click()
        settle(small_page)
        sizes = small_page.evaluate(GROWN)
        assert len(sizes) > 10
        assert [text for text, before, after in sizes if after != 2 * before] == []

"""The page on small screens, in a real Chromium: nothing is cut off."""

from browsing import draw, expect_answer, settle
from playwright.sync_api import Page, expect


def test_pad_and_answer_fit_on_a_phone(phone: Page):
    phone.get_by_role("button", name="Draw an example 4").click()
    expect_answer(phone, "4")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.evaluate("scrollTo(0, 0)")
    for part in ("#pad", "#answer", "#seen"):
        box = phone.locator(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844
    small = """[...document.querySelectorAll("input")]
        .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).length"""
    assert phone.evaluate(small) == 0  # iOS would zoom
    again = "(button) => getComputedStyle(button).touchAction"
    assert phone.locator("#pad-undo").evaluate(again) == "manipulation"


def test_pad_and_answer_fit_beside_each_other_on_a_phone_held_sideways(phone: Page):
    phone.set_viewport_size({"width": 667, "height": 375})
    phone.get_by_role("button", name="Draw an example 4").click()
    expect_answer(phone, "4")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 667
    phone.evaluate("scrollTo(0, 0)")
    pad = phone.locator("#pad").bounding_box()
    for part in ("#answer", "#seen", "#probabilities"):
        box = phone.locator(part).bounding_box()
        assert box["x"] >= pad["x"] + pad["width"] and box["x"] + box["width"] <= 667
        assert box["y"] + box["height"] <= 375
    for part in ("#pad", "#pad-undo", "#pad-examples"):
        box = phone.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 375
    before = phone.locator("#pad-undo").bounding_box()
    phone.locator("#pad-clear").click()
    draw(phone, [[(0, 0), (0, 1)], [(1, 0), (1, 1)]])
    expect_answer(phone, "11")
    expect(phone.locator("#tell-one")).to_be_visible()  # two lines below the bars
    assert phone.locator("#pad-undo").bounding_box() == before


# What lies beside the screen, except in what scrolls by itself.
CUT_OFF = """[...document.querySelectorAll("body *")].filter((part) => {
    const { left, right, width, height } = part.getBoundingClientRect();
    if (left > -1 && right < innerWidth + 1 || width < 2 || height < 2) return false;
    if (!part.checkVisibility({ visibilityProperty: true })) return false;
    const scrolls = (outer) => ["auto", "scroll"].includes(getComputedStyle(outer).overflowX);
    for (let outer = part; outer !== document.body; outer = outer.parentElement)
        if (scrolls(outer)) return false;
    return true;
}).map((part) => `${part.tagName} ${part.id}`)"""


def test_nothing_is_cut_off_on_the_smallest_phone(small_phone: Page):
    small_phone.set_viewport_size({"width": 320, "height": 568})
    for tab in ("Train", "Results", "Data", "Lesson", "Draw"):  # none is in a menu
        small_phone.get_by_role("tab", name=tab).tap()
        settle(small_phone)
        assert small_phone.evaluate(CUT_OFF) == [], tab
    small_phone.set_viewport_size({"width": 390, "height": 568})
    small_phone.get_by_role("tab", name="Lesson").tap()
    small_phone.get_by_role("link", name="The network").tap()
    expect(small_phone.locator("#inside canvas[data-layer=conv2]").first).to_be_visible()
    for width in (390, 320):
        small_phone.set_viewport_size({"width": width, "height": 568})
        settle(small_phone)
        assert small_phone.evaluate(CUT_OFF) == [], width

"""Pictures of digits that are brought to the pad, in a real Chromium."""

import base64
import io
import re

from browsing import draw, expect_answer, has_ink, settle
from drawings import EXAMPLES
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect


def photograph(*digits: int, ink: int = 40, paper: int = 200) -> bytes:
    """Digits with a pen on paper, 900×1200 pixels each; a PNG."""
    image = Image.new("L", (900 * len(digits), 1200), paper)
    for i, digit in enumerate(digits):
        for stroke in EXAMPLES[digit]:
            points = [(900 * i + 250 + 400 * x, 400 + 400 * y) for x, y in stroke]
            ImageDraw.Draw(image).line(points, fill=ink, width=30, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bring(page: Page, way: str, content: bytes) -> None:
    """Paste a picture, or drop it on the pad."""
    page.evaluate(
        """([way, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "digit.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true };
            const event = way === "paste"
                ? new ClipboardEvent("paste", { ...options, clipboardData: data })
                : new DragEvent("drop", { ...options, dataTransfer: data });
            document.querySelector("#pad").dispatchEvent(event);
        }""",
        [way, base64.b64encode(content).decode()],
    )


def test_a_picture_is_framed_shown_and_read(page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    for way in ("paste", "drop"):
        bring(page, way, photograph(7))
        expect_answer(page, "7")
        assert not has_ink(page, 90)  # the paper is gone
        page.click("#pad-undo")
        expect_answer(page, "4")


def test_a_picture_is_chosen_and_a_number_in_it_read(page: Page):
    file = {"name": "42.png", "mimeType": "image/png", "buffer": photograph(7, 2, 3)}
    page.locator("#pad-picture").set_input_files(file)
    expect_answer(page, "723")
    boxes = page.locator("#pad-digits button:visible")
    expect(boxes).to_have_count(3)
    boxes.nth(1).click()
    expect(boxes.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#probabilities li").nth(2)).to_contain_text(re.compile(r"9\d%|100%"))
    page.wait_for_function("history.state?.drawing?.picture")
    page.reload()
    expect_answer(page, "723")
    page.click("#pad-undo")
    expect_answer(page, "")


def test_what_cannot_be_read_leaves_the_drawing(page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    blank = photograph(7, ink=200)
    for content, words in ((b"no picture", "cannot open this picture"), (blank, "shows no ink")):
        bring(page, "paste", content)
        expect(page.locator("#pad-message")).to_contain_text(words)
        expect_answer(page, "4")


def test_a_picture_that_is_pasted_on_another_tab_changes_nothing(page: Page):
    asked = []
    page.on("request", lambda r: asked.append(r) if "frame_picture" in (r.post_data or "") else 0)
    page.get_by_role("tab", name="Data").click()
    expect(page.locator("#pad")).to_be_hidden()
    bring(page, "paste", photograph(7))
    settle(page)
    page.get_by_role("tab", name="Draw").click()
    expect(page.locator(".hint")).to_be_visible()
    assert not asked

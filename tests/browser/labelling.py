"""What a visitor does with drawings of their own: labels, keeps and looks at them."""

import random
import re

from browsing import draw
from drawings import EXAMPLES
from playwright.sync_api import Page, expect


def hand_of(digit: int, seed: int = 0) -> list:
    """An example in a trembling hand, which draws it differently for each seed."""
    rng = random.Random(f"{digit} {seed}")
    return [
        [(x + rng.uniform(-0.02, 0.02), y + rng.uniform(-0.02, 0.02)) for x, y in stroke]
        for stroke in EXAMPLES[digit]
    ]


def tell(page: Page, digit: int, label: str | None = None, seed: int = 0) -> None:
    """Draw a digit and press the key of a label."""
    draw(page, hand_of(digit, seed))
    expect(page.locator("#answer")).not_to_be_empty()
    page.keyboard.press(label or str(digit))
    expect(page.locator("#telling > p[role=status]")).to_contain_text("Kept as")


def bar(page: Page, digit: int):
    return page.get_by_role("button", name=re.compile(f"^It is an? {digit}"))


def kept(page: Page):
    return page.locator("#hand-open")


def expect_kept(page: Page, count: int) -> None:
    words = f"Your hand: {count} drawing{'s' * (count != 1)}" if count else "Your hand"
    expect(kept(page)).to_have_text(words)


def open_hand(page: Page) -> None:
    kept(page).click()
    expect(page.locator("#hand-view")).to_be_visible()


def figures(page: Page):
    return page.locator("#hand-examples figure")

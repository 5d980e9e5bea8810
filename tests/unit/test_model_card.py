"""The shipped network's accuracy, as its file has it, in what describes it."""

from support import ROOT

from lenet.checkpoint import SHIPPED, read


def test_card_and_readme_say_what_the_shipped_network_reads():
    accuracy = read(SHIPPED).accuracy
    card = SHIPPED.with_name("README.md").read_text()
    assert f"type: accuracy\n            value: {accuracy:.4f}\n" in card
    assert f"| MNIST's 10,000 test images | {accuracy * 100:.2f} % |" in card
    assert f"| **{accuracy * 100:.2f} %** |" in (ROOT / "README.md").read_text()

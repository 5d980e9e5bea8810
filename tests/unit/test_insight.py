"""lenet.insight: every layer's output, and the ink that an answer depends on."""

import pytest
import torch
import torch.nn.functional as F

from lenet import Recognizer
from lenet.insight import activations, attribute
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs, normalize, strokes_to_frame
from lenet.synthetic import example_strokes

SIZES = {
    "conv1": (6, 28, 28),
    "conv2": (16, 10, 10),
    "fc1": (120,),
    "fc2": (84,),
    "fc3": (10,),
}


@pytest.fixture(scope="module")
def model() -> LeNet:
    return Recognizer.load().checkpoint.model()


def inputs_of(digit: int) -> torch.Tensor:
    return frames_to_inputs(strokes_to_frame(example_strokes()[digit])[None])


def test_the_layers_answer_what_a_forward_pass_by_hand_gives(model):
    inputs = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    found = activations(model, inputs)
    assert {name: tuple(values.shape[1:]) for name, values in found.items()} == SIZES
    with torch.no_grad():
        conv1 = F.relu(F.conv2d(inputs, model.conv1.weight, model.conv1.bias))
        conv2 = F.relu(F.conv2d(F.max_pool2d(conv1, 2), model.conv2.weight, model.conv2.bias))
        fc1 = F.relu(F.max_pool2d(conv2, 2).flatten(1) @ model.fc1.weight.T + model.fc1.bias)
        fc2 = F.relu(fc1 @ model.fc2.weight.T + model.fc2.bias)
        fc3 = fc2 @ model.fc3.weight.T + model.fc3.bias
    for name, expected in {
        "conv1": conv1,
        "conv2": conv2,
        "fc1": fc1,
        "fc2": fc2,
        "fc3": fc3,
    }.items():
        assert torch.allclose(found[name], expected, atol=1e-4), name


def test_looking_leaves_no_hook_behind(model):
    activations(model, inputs_of(3))
    assert not any(layer._forward_hooks for layer in model.modules())


@pytest.mark.parametrize("digit", range(10))
def test_the_attributions_add_up_to_what_the_drawing_changed(model, digit):
    inputs = inputs_of(4)
    with torch.no_grad():
        drawn, blank = model(torch.cat([inputs, normalize(torch.zeros_like(inputs))]))
    change = (drawn[digit] - drawn.mean()) - (blank[digit] - blank.mean())
    found = attribute(model, inputs, digit)
    assert found.sum().item() == pytest.approx(change.item(), abs=0.02 * drawn.abs().max().item())


def test_paper_has_no_attribution_and_the_winner_has_most(model):
    inputs = inputs_of(7)
    paper = inputs[0, 0] == inputs.min()
    sums = []
    for digit in range(10):
        found = attribute(model, inputs, digit)
        assert not found[paper].any()
        sums.append(found.sum().item())
    assert max(range(10), key=sums.__getitem__) == 7


def test_the_ink_that_makes_the_difference_is_marked(model):
    """Without its bar a 7 would be a 1: the bar speaks for 7 rather than 1 more than the foot."""
    inputs = inputs_of(7)
    rows = (attribute(model, inputs, 7) - attribute(model, inputs, 1)).sum(1)
    assert rows[:12].sum() > rows[16:].sum()

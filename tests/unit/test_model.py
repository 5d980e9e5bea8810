"""lenet.model: the network of the lesson."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lenet import LeNet
from lenet.model import max_pool


class Net(nn.Module):
    """The network as the lesson writes it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.pool(x)
        x = F.relu(self.conv2(x))
        x = self.pool(x)
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def test_it_has_61706_parameters():
    assert sum(parameter.numel() for parameter in LeNet().parameters()) == 61_706


def test_its_state_dict_has_the_lessons_names_shapes_and_types():
    ours, lessons = LeNet().state_dict(), Net().state_dict()
    assert list(ours) == list(lessons)
    for name in lessons:
        assert ours[name].shape == lessons[name].shape
        assert ours[name].dtype == torch.float32


def test_it_computes_what_the_lessons_network_computes():
    torch.manual_seed(0)
    lesson, ours = Net(), LeNet()
    ours.load_state_dict(lesson.state_dict())
    inputs = torch.randn(8, 1, 32, 32)
    logits = ours(inputs)
    assert logits.shape == (8, 10)
    torch.testing.assert_close(logits, lesson(inputs))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_without_gradients_gives_the_same_bits(layout):
    x = torch.randn(3, 6, 28, 20, generator=torch.Generator().manual_seed(1))
    x = x.contiguous(memory_format=layout)
    x[0, 0, 0, 0] = torch.nan
    with torch.no_grad():
        torch.testing.assert_close(max_pool(x), F.max_pool2d(x, 2), rtol=0, atol=0, equal_nan=True)


def test_it_learns_as_the_lessons_network_learns():
    torch.manual_seed(0)
    lesson, ours = Net(), LeNet()
    ours.load_state_dict(lesson.state_dict())
    inputs, labels = torch.randn(8, 1, 32, 32), torch.randint(10, (8,))
    for model in (lesson, ours):
        F.cross_entropy(model(inputs), labels).backward()
    for name, parameter in lesson.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name).grad, parameter.grad)

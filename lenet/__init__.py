"""LeNet, live: the classic lesson as software that people can touch."""

from lenet.model import LeNet
from lenet.recognize import Recognizer

__all__ = ["LeNet", "Recognizer"]

"""The lesson: nine steps from the data to going on with training, as texts and code.

The one source of the Lesson tab, of `docs/lesson.ipynb` (`scripts/notebook.py`) and of the test
that runs all of its code. Each step asks a question before it shows anything. Its code comes twice,
each time to be run from the first step to the last: the lines of the PyTorch tutorial that this
project grew out of, and those of this project.

This file holds texts only. It knows nothing of pages, and imports none of the code that it shows.
"""

from dataclasses import dataclass

DIGITS = tuple(map(str, range(10)))


@dataclass(frozen=True)
class Step:
    """One step of the lesson, a screen of the page.

    Attributes:
        title: a few words.
        text: two to four sentences.
        question: what to predict.
        guesses: the answers to choose from.
        answer: which of them is right, counted from 0; None where the data or a network decide.
        reveal: what to say after the guess, below the facts.
        tab: the tab of the page that shows it live.
        hint: what to do there.
        tutorial: the tutorial's lines, in today's PyTorch.
        ours: the lines of this project that do the same.
    """

    title: str
    text: str
    question: str
    guesses: tuple[str, ...]
    answer: int | None
    reveal: str
    tab: str
    hint: str
    tutorial: str
    ours: str


STEPS = (
    Step(
        "The data",
        "Nobody tells a neural network what a 7 looks like: it learns from examples. MNIST has "
        "60,000 handwritten digits to learn from and 10,000 to test with. Each is a picture of "
        "28×28 pixels with a label, the digit that it shows.",
        "Which digit comes most often among the training images?",
        DIGITS,
        None,
        "No digit is rare. That matters: a network prefers what it sees often.",
        "data",
        "Look through the images; press one to see how training varies it.",
        """\
import torch
import torchvision

trainset = torchvision.datasets.MNIST(root="./data", train=True, download=True)
testset = torchvision.datasets.MNIST(root="./data", train=False, download=True)
print(len(trainset), len(testset))
""",
        """\
from lenet.data import DataError, load

try:
    data = load("mnist")
except DataError:  # no mirror can be reached
    data = load("synthetic")
print(len(data.train), len(data.test), data.train.frames.shape)
print(data.train.labels.bincount().tolist())
""",
    ),
    Step(
        "Resize and normalise",
        "LeNet, the network of this lesson, takes 32×32 pixels, so each picture is enlarged. A "
        "pixel is a number from 0 for paper to 1 for ink. It is normalised: minus 0.1307, divided "
        "by 0.3081, the mean and the standard deviation of MNIST's pixels. So the numbers lie "
        "around 0, where learning is easiest.",
        "Paper is 0. Which number does the network get for it?",
        ("0", "−0.42", "−1"),
        1,
        "Whatever is read later has to be prepared in the same way, your drawing too.",
        "draw",
        "Draw, then point at a pixel of the 32×32 input: you see its number.",
        """\
import torchvision.transforms as transforms

transform = transforms.Compose(
    [transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
)
trainset.transform = testset.transform = transform
trainloader = torch.utils.data.DataLoader(trainset, batch_size=64, shuffle=True)
testloader = torch.utils.data.DataLoader(testset, batch_size=64)
images, labels = next(iter(trainloader))
print(images.shape, labels.shape)
""",
        """\
from lenet.preprocess import frames_to_inputs

inputs = frames_to_inputs(data.train.frames[:64])
print(inputs.shape, inputs.min().item(), inputs.max().item())
""",
    ),
    Step(
        "The network",
        "A weight is a number that training changes. A kernel is a square of 5×5 weights that "
        "slides over a picture: its map is bright wherever the picture looks like the kernel. "
        "conv1 has six kernels; conv2 has sixteen sets of six, which read those six maps. fc1, "
        "fc2 and fc3 weigh what was found, down to ten numbers, one for each digit.",
        "Which layer has the most weights?",
        ("conv1", "conv2", "fc1", "fc2", "fc3"),
        2,
        "A kernel is used again at every place of the picture, so the two convolutions (conv) get "
        "by with 2,572 weights. fc1 is fully connected: it has a weight for each pair of its 400 "
        "inputs and 120 outputs.",
        "draw",
        "Press a map of conv1 to silence its kernel. Which of the six does the work?",
        """\
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


net = Net()
print(sum(p.numel() for p in net.parameters()))
""",
        """\
from lenet.model import LeNet

network = LeNet()
for name, weights in network.named_parameters():
    print(f"{name:12} {str(list(weights.shape)):16} {weights.numel():6,}")
print(f"{sum(weights.numel() for weights in network.parameters()):,} in all")
""",
    ),
    Step(
        "The loss, and one step",
        "The loss is one number for how wrong the network is: minus the logarithm of the "
        "probability that it gives the right digit, averaged over a batch of 64 images. The "
        "gradient says how fast the loss rises with each weight, and SGD (stochastic gradient "
        "descent) steps downhill: weight − rate × gradient.",
        "The rate is the length of the step. What happens to the loss with a rate of 1?",
        ("It falls faster", "It jumps about", "Nothing"),
        1,
        "At first each digit gets a tenth, a loss of ln 10 = 2.30; 0 would be certain and right. "
        "PyTorch's tutorial takes 0.001.",
        "data",
        "These are the first nine images of the batch.",
        """\
import torch.optim as optim

criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)

optimizer.zero_grad()
loss = criterion(net(images), labels)
loss.backward()
optimizer.step()
print(loss.item())
""",
        """\
from lenet.descent import descend

batch = data.train.frames[:64], data.train.labels[:64]
descents = {rate: descend(*batch, rate) for rate in (0.001, 0.01, 0.1, 1.0)}
for rate, descent in descents.items():
    print(rate, [round(loss, 2) for loss in descent.losses[::10]])
""",
    ),
    Step(
        "Training",
        "Training repeats that step, batch after batch. When each training image has had its "
        "turn, one epoch is over, and they all come again in another order. The log tells the "
        "mean loss of every hundred batches, and after each epoch how many test images are read "
        "right.",
        "How many of the test images will be read right after the first epoch?",
        ("about 30 %", "about 70 %", "more than 95 %"),
        None,
        "The first epoch does most of the work, the others add the last few percent. Watch the "
        "loss: it falls steeply, then slowly.",
        "train",
        "Press Train, and watch a hundred batches at a time.",
        """\
for epoch in range(1):
    running_loss = 0.0
    for i, (images, labels) in enumerate(trainloader):
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 100 == 99:
            print("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / 100))
            running_loss = 0.0
""",
        """\
from lenet.events import line
from lenet.job import prepare
from lenet.settings import Request
from lenet.train import train

events = []
for event in train(prepare(Request(data=data.name, epochs=1)), "mine.pt"):
    events.append(event)
    if text := line(event):
        print(text)
""",
    ),
    Step(
        "Saving and loading",
        "All that a network has learnt is in its weights: 61,706 numbers of 4 bytes each. A "
        "checkpoint is a file that holds them by their names. Load it into a new network, and "
        "that reads as the old one did.",
        "How large is a file with the weights alone?",
        ("25 kB", "250 kB", "2.5 MB"),
        1,
        "That is 61,706 × 4 bytes. What a file holds beside them is of use in step 9.",
        "draw",
        "Choose a network, or download it: the pad reads with the one that is chosen.",
        """\
PATH = "./MNIST_net.pth"
torch.save(net.state_dict(), PATH)
net.load_state_dict(torch.load(PATH))
""",
        """\
from lenet.checkpoint import read

checkpoint = read("mine.pt")
print(sum(4 * weights.numel() for weights in checkpoint.network.values()), "bytes of weights")
print(checkpoint.run.step, "steps,", checkpoint.run.schedule)
""",
    ),
    Step(
        "Accuracy",
        "The network never learns from the 10,000 test images. The share of them that it reads "
        "right is its accuracy. Training images would flatter it: it may know them by heart. Only "
        "new ones show what it has understood.",
        "How many of the test images does this page's network misread?",
        ("about 500", "about 150", "about 50"),
        None,
        "The tutorial's network misreads about 200 of 10,000; LeNet-5, the first of its kind, "
        "misread 95 in 1998.",
        "results",
        "Nine test images, and what the network answers.",
        """\
correct = total = 0
with torch.no_grad():
    for images, labels in testloader:
        predicted = net(images).argmax(1)
        total += len(labels)
        correct += (predicted == labels).sum().item()
print("Accuracy: %.2f %%" % (100 * correct / total))
""",
        """\
from lenet.evaluate import evaluate

evaluation = evaluate(checkpoint, data.test)
print(f"{evaluation.accuracy:.2%} of {len(data.test):,} read right")
""",
    ),
    Step(
        "What it reads and misreads",
        "Accuracy does not say which digits are hard. The confusion matrix does: it counts the "
        "test images, with a row for each true digit and a column for each answer. What was read "
        "right is on its diagonal, and everything else is a mistake.",
        "Which digit is misread most often?",
        DIGITS,
        None,
        "Many of these would make you hesitate, too. Nobody wrote the rules that the network reads "
        "by: its kernels were learnt from examples.",
        "results",
        "Press a number of the matrix to see its images, and an image to look inside the network.",
        """\
images, labels = next(iter(testloader))
predicted = net(images).argmax(1)
for truth, answer in list(zip(labels.tolist(), predicted.tolist()))[:9]:
    print(truth, "read as", answer)
""",
        """\
print(evaluation.confusion)
for index in evaluation.mistakes[:9].tolist():
    print(int(evaluation.labels[index]), "read as", int(evaluation.answers[index]))
""",
    ),
    Step(
        "Going on",
        "Training can go on from a checkpoint, but weights are not all that it needs. With "
        "momentum SGD rolls like a ball: each step keeps most of the speed of the last. The "
        "tutorial saves the weights and forgets the momentum. (It also prints its losses ten "
        "times too high: its 0.291 is a mean loss of 0.029.)",
        "A run stops after 60 steps and goes on with its weights alone. What does its loss do?",
        ("It goes on", "It falls behind", "It starts again"),
        1,
        "The ball has to gather speed anew. This project's checkpoints keep the momentum, and the "
        "schedule that lowers the rate: a run that stopped ends with the same weights, to the bit, "
        "as one that never did. Press Stop in the middle of a run, then Resume.",
        "train",
        "Resume goes on from the last checkpoint.",
        """\
continued_net = Net()
continued_net.load_state_dict(torch.load(PATH))

# The tutorial goes on with an optimiser that still steps the old network; it has to be a new one,
# and it needs the state of the old.
continued = optim.SGD(continued_net.parameters(), lr=0.001, momentum=0.9)
continued.load_state_dict(optimizer.state_dict())
images, labels = next(iter(trainloader))
continued.zero_grad()
criterion(continued_net(images), labels).backward()
continued.step()
""",
        """\
from lenet.descent import stop_and_go_on

images, labels = data.train.frames, data.train.labels
never = stop_and_go_on(images, labels, stop=100)
alone = stop_and_go_on(images, labels)
kept = stop_and_go_on(images, labels, keep_momentum=True)
print(f"step 70: {never[70]:.2f} without a stop, {alone[70]:.2f} with the weights alone")
print("with the momentum the same to the bit:", kept == never)

for event in train(prepare(Request(resume="mine.pt", epochs=1)), "more.pt"):
    if text := line(event):
        print(text)
""",
    ),
)

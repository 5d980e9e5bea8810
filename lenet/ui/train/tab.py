"""The Train tab: start, stop and resume the server's training run, and watch it.

Every page asks again and again whether there is anything new of the run (`news`) and shows all of
it, so a reload or a second browser sees it from its first line. `lenet.server.runs` knows what a
run is; this file gives it buttons, fields and a place on the page, and `status` and `curves` say
what is shown of it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gradio as gr

from lenet.checkpoint import Checkpoint, CheckpointError, read
from lenet.data import DATA_SETS
from lenet.events import Error
from lenet.job import prepare
from lenet.recipes import RECIPES
from lenet.server import recognizers, visitors
from lenet.server.data_sets import LABELS, Waiting, loading
from lenet.server.runs import Run, RunError, Runs
from lenet.server.shares import QUICK, Crowded
from lenet.settings import ALL_IMAGES, Request, check_limits
from lenet.train import data_of
from lenet.ui.gradio_page import QUEUED, QUIET
from lenet.ui.shared.networks import choices
from lenet.ui.train import film_view
from lenet.ui.train.curves import charts_html
from lenet.ui.train.resume import epochs_offered, request_to_resume
from lenet.ui.train.status import Status, log_html, status, status_html


def build(
    here: gr.Tab, asking: gr.HTML, network: gr.Dropdown, own: gr.HTML, runs: Runs
) -> gr.Button:
    """Build the tab's content and return the button that takes a visitor to the pad.

    Args:
        here: the tab.
        asking: what `news.build` made, which says when there is something new.
        network: the Draw tab's dropdown, which gets the run's checkpoint.
        own: its value says which networks are the visitor's own.
        runs: the server's.
    """
    tab = _Tab(runs)
    rules = visitors.policy()
    closed = rules.training == "off"
    with gr.Column(elem_id="train"):
        with gr.Row(elem_id="train-buttons", visible=not closed):
            start = gr.Button("Train", variant="primary", size="lg", elem_id="train-start")
            stop = gr.Button("Stop", size="lg", elem_id="train-stop", interactive=False)
            resume = gr.Button("Resume", size="lg", elem_id="train-resume")
        password = gr.Textbox(
            label="The owner's password",
            type="password",
            visible=rules.training == "owner",
            elem_id="train-password",
        )
        line = gr.HTML(status_html(_status(Run("idle"))), apply_default_css=False)
        synthetic = gr.Button(
            "Train on synthetic digits instead", visible=False, elem_id="train-synthetic"
        )
        draw = gr.Button("Draw with this network", visible=False, elem_id="train-draw")
        charts = gr.HTML(elem_id="train-charts", apply_default_css=False)
        strip = film_view.build(runs)
        log = gr.HTML(log_html([]), apply_default_css=False)
        with gr.Accordion("Settings of a new run", open=False, visible=not closed):
            settings = _settings()
        with gr.Accordion("What to resume", open=False, visible=not closed), gr.Row():
            source = gr.Dropdown(label="Network", elem_id="train-resume-from")
            more = gr.Number(
                label="More epochs",
                info="Empty: to the end of its run",
                precision=0,
                elem_id="train-more",
            )

    buttons = [start, stop, resume, synthetic, draw]
    asking.stated(tab.show_state, own, [*buttons, source, more, network], **NEWS)
    asking.progressed(tab.show_progress, None, [line, charts, strip, log], **NEWS)
    # What the tab shows when it is opened, and what a button has done, is asked for at once.
    here.select(None, None, asking, js="() => String(performance.now())", **QUIET)
    start.click(tab.start, [*settings, password], asking, validator=_check, **QUEUED)
    synthetic.click(tab.start_synthetic, password, asking, **QUEUED)
    stop.click(tab.stop, password, asking, **QUEUED)
    to_resume = [source, more, settings.recipe, settings.data, password]
    resume.click(tab.resume, to_resume, asking, validator=_check_resume, **QUEUED)
    source.input(_more, source, more, **QUIET)
    numbers = [settings.epochs, settings.batch_size, settings.learning_rate]
    settings.recipe.change(_defaults, settings.recipe, numbers, **QUIET)
    draw.click(tab.finished_name, None, network, **QUIET)
    return draw


# Of two changes that come while one is being shown, the last is shown after it.
NEWS: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}


class _Settings(NamedTuple):
    """The fields of a new run, as `_Tab.start` takes them."""

    recipe: gr.Dropdown
    data: gr.Radio
    epochs: gr.Number
    batch_size: gr.Number
    learning_rate: gr.Number
    seed: gr.Number
    training_images: gr.Number
    wrong_labels: gr.Number


def _settings() -> _Settings:
    recipe = RECIPES["fast"]
    with gr.Row():
        chosen = gr.Dropdown(
            [(f"{name}: {r.about}", name) for name, r in RECIPES.items() if not r.teaches],
            value="fast",
            label="Recipe",
            elem_id="train-recipe",
        )
        data = gr.Radio(LABELS, value=DATA_SETS[0], label="Data", elem_id="train-data")
    with gr.Row():
        numbers = (
            gr.Number(recipe.epochs, label="Epochs", elem_id="train-epochs"),
            gr.Number(recipe.batch_size, label="Batch size", elem_id="train-batch-size"),
            gr.Number(recipe.learning_rate, label="Learning rate", elem_id="train-lr", step=0.01),
            gr.Number(0, label="Seed", elem_id="train-seed"),
        )
    with gr.Row():
        damage = (
            gr.Number(ALL_IMAGES, label="Training images", elem_id="train-images"),
            gr.Number(0, label="Wrong labels (%)", elem_id="train-wrong"),
        )
    return _Settings(chosen, data, *numbers, *damage)


class _Tab:
    """What the tab's events call.

    What starts a run waits for its visitor's turn in a lane; the rest, Stop before all, is done at
    once on the event loop.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    async def start(
        self,
        recipe: str,
        data: str,
        epochs: float,
        batch_size: float,
        learning_rate: float,
        seed: float,
        training_images: float,
        wrong_labels: float,
        password: str,
    ) -> str:
        """Train as the fields say."""
        request = Request(
            recipe=str(recipe),
            data=str(data),
            epochs=int(epochs),
            batch_size=int(batch_size),
            learning_rate=learning_rate,
            seed=int(seed),
            training_images=int(training_images),
            wrong_labels=float(wrong_labels),
        )
        return await self._ask(request, password)

    async def start_synthetic(self, password: str) -> str:
        """Train where MNIST is not to be had."""
        return await self._ask(Request(data="synthetic"), password)

    async def resume(
        self, name: str | None, more: float | None, recipe: str, data: str, password: str
    ) -> str:
        """Go on from a network of this server."""
        with _told():
            checkpoint = await QUICK.run(_chosen, name)
        request = request_to_resume(checkpoint, more, str(recipe), str(data))
        return await self._ask(request, password, checkpoint)

    async def _ask(self, request: Request, password: str, resumed: Checkpoint | None = None) -> str:
        """Start a run, or say why not; the run that is under way is on the page anyway."""
        with _told():
            await QUICK.run(visitors.start, self.runs, prepare(request, resumed), password)
        return _another_value()

    async def stop(self, password: str) -> str:
        """Stop the run."""
        with _told():
            visitors.stop(self.runs, password)
        return _another_value()

    def finished_name(self) -> Any:
        """The run's network, where it has one."""
        run = self.runs.current()
        return _network(run) or gr.skip()

    async def show_state(self, own: Any) -> list[Any]:
        """The buttons, the lists of networks, and how many more epochs the newest is offered."""
        run = self.runs.current()
        names = list(recognizers.paths())
        ended = run.events[-1] if run.events and not run.alive else None
        newest = _network(run) or next(iter(names), None)
        return [
            gr.update(interactive=not run.alive),
            gr.update(interactive=run.alive and run.state != "stopping"),
            gr.update(interactive=not run.alive and bool(names)),
            gr.update(visible=isinstance(ended, Error) and ended.kind == "DataError"),
            gr.update(visible=not run.alive and _network(run) is not None),
            gr.update(choices=names, value=newest),
            await _more(newest),
            # Before the browser says what is its own, its answer would come too late.
            gr.update(choices=choices(own)) if isinstance(own, dict) else gr.skip(),
        ]

    async def show_progress(self) -> list[Any]:
        """The status line, the charts, the film and the log."""
        run = self.runs.current()
        return [
            status_html(_status(run)),
            charts_html(run.events),
            film_view.news(run),
            recognizers.conceal(log_html(run.events)),
        ]


def _chosen(name: object) -> Checkpoint:
    """The checkpoint that What to resume names.

    Raises:
        CheckpointError: it is not there, or cannot be read.
    """
    path = recognizers.paths().get(str(name))
    if path is None:
        raise CheckpointError("Choose what to resume: this network is no longer there.")
    return read(path)


@contextmanager
def _told() -> Iterator[None]:
    """Tell the visitor why something is refused."""
    try:
        yield
    except (ValueError, RunError, visitors.NotAllowed, Crowded) as error:
        raise gr.Error(str(error), print_exception=False) from error


def _check(recipe: str, data: str, *rest: Any) -> list[dict[str, Any]]:
    """Say at each field what is out of range."""
    *numbers, _password = rest
    fine = gr.validate(True, "")
    return [fine, fine, *map(_check_number, _Settings._fields[2:], numbers), fine]


def _check_resume(
    name: str | None, more: float | None, recipe: str, data: str, password: str
) -> list[dict[str, Any]]:
    fine = gr.validate(True, "")
    return [fine, _check_number("epochs", more) if more is not None else fine, fine, fine, fine]


def _check_number(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, int | float):
        return gr.validate(False, "Give a number.")
    try:
        check_limits(**{name: value})
    except ValueError as error:
        return gr.validate(False, str(error))
    return gr.validate(True, "")


def _defaults(recipe: object) -> list[float]:
    """The recipe's own epochs, batch size and learning rate."""
    chosen = RECIPES[str(recipe)]
    return [chosen.epochs, chosen.batch_size, chosen.learning_rate]


async def _more(name: object) -> int | None:
    """What the field More epochs offers for a network; nothing for one that cannot be read."""
    try:
        return epochs_offered(await QUICK.run(_chosen, name))
    except (CheckpointError, Crowded):
        return None


def _another_value() -> str:
    """For what asks for news, which asks when its value changes."""
    return str(time.monotonic_ns())


def status_text(run: Run) -> str:
    """The words of the status line."""
    return _status(run).text


def _network(run: Run) -> str | None:
    """The file name of a run's network, where it has one that is everybody's."""
    path = run.checkpoint
    return path.name if path and not recognizers.is_own(path.stem) else None


def _status(run: Run) -> Status:
    told = status(run, _data(run), visitors.policy().training == "off")
    return told._replace(text=recognizers.conceal(told.text))


def _data(run: Run) -> Waiting | None:
    """How far the data are, where a run waits for them."""
    name = data_of(run.name) if run.name and run.state == "starting" else None
    return loading(name) if name else None

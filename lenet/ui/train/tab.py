"""The Train tab: start, stop and resume the server's training run, and watch it.

Every page asks again and again whether there is anything new of the run (`news`) and shows all of
it, so a reload or a second browser sees it from its first line. `lenet.server.runs` knows what a
run is; this file gives it buttons, fields and a place on the page, and `status` and `curves` say
what is shown of it.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from lenet.checkpoint import Checkpoint, CheckpointError, read
from lenet.events import Error
from lenet.server import history, recognizers, visitors
from lenet.server.data_sets import Waiting, loading
from lenet.server.growth import Reading, growth_of
from lenet.server.queue import Queue
from lenet.server.runs import Run
from lenet.server.shares import QUICK, Crowded
from lenet.settings import Request
from lenet.train import data_of
from lenet.ui.assets import mounting
from lenet.ui.gradio_page import QUEUED, QUIET, refusing_event
from lenet.ui.shared.networks import choices
from lenet.ui.train import fields, film_view, link, news, runs_table
from lenet.ui.train.curves import Curves, curves
from lenet.ui.train.fields import check, check_number, request
from lenet.ui.train.resume import epochs_offered, request_to_resume, words_of
from lenet.ui.train.status import Status, log_html, status, status_html

SEEDS = range(5)


def build(
    here: gr.Tab,
    asking: gr.HTML,
    address: gr.HTML,
    network: gr.Dropdown,
    own: gr.HTML,
    queue: Queue,
) -> tuple[Any, gr.HTML]:
    """Build the tab's content.

    Args:
        here: the tab.
        asking: what `news.build` made, which says when there is something new.
        address: what `link.build_reader` made, which says what the page's address holds.
        network: the Draw tab's dropdown, which gets the run's checkpoint.
        own: its value says which networks are the visitor's own.
        queue: of the server's runs.

    Returns:
        The event that takes a visitor to the pad, and the table of runs, whose events `draw` and
        `results` ask for other tabs.
    """
    tab = _Tab(queue)
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
        line = gr.HTML(status_html(_status(Run("idle"), queue)), apply_default_css=False)
        if not closed:
            link.build_line(address)
        synthetic = gr.Button(
            "Train on synthetic digits instead", visible=False, elem_id="train-synthetic"
        )
        draw = gr.Button("Draw with this network", visible=False, elem_id="train-draw")
        charts = gr.HTML(
            html_template="",
            js_on_load=mounting("train/charts.js"),
            elem_id="train-charts",
            apply_default_css=False,
        )
        table = runs_table.build(queue, network)
        strip = film_view.build(queue.runs)
        log = gr.HTML(log_html([]), apply_default_css=False)
        with gr.Accordion("Settings of a new run", open=False, visible=not closed) as fold:
            settings = fields.build()
            link.build_button(address, settings, fold)
            # Where strangers train, one run of each may wait.
            seeds = gr.Button(
                "Train five seeds",
                size="sm",
                visible=not rules.public or rules.training == "owner",
                elem_id="train-seeds",
            )
        with gr.Accordion("What to resume", open=False, visible=not closed), gr.Row():
            source = gr.Dropdown(label="Network", elem_id="train-resume-from")
            more = gr.Number(
                label="More epochs",
                info="Empty: to the end of its run",
                precision=0,
                elem_id="train-more",
            )

    buttons = [start, stop, resume, synthetic, draw]
    # Of two changes that come while one is being shown, the last is shown after it.
    states = [*buttons, source, more, network, table]
    asking.stated(tab.show_state, own, states, **{**QUIET, "trigger_mode": "always_last"})
    news.show(asking, [line, charts, strip, log])
    # What the tab shows when it is opened, and what a button has done, is asked for at once.
    here.select(None, None, asking, js="() => String(performance.now())", **QUIET)
    # While a run is under way, these let the next ones wait.
    start_with = [*settings, password]
    started = start.click(
        tab.start, start_with, asking, validator=_check, js=_busy(start), **QUEUED
    )
    seeded = seeds.click(
        tab.start_seeds, start_with, asking, validator=_check, js=_busy(seeds), **QUEUED
    )
    table.acted(None, None, asking, js="() => String(performance.now())", **QUIET)
    synthetic.click(tab.start_synthetic, password, asking, **QUEUED)
    stop.click(tab.stop, password, asking, **QUEUED)
    to_resume = [source, more, settings.recipe, settings.data, password]
    resumed = resume.click(
        tab.resume, to_resume, asking, validator=_check_resume, js=_busy(resume), **QUEUED
    )
    for answered in (started, seeded, resumed):
        answered.then(None, None, None, js=_NOT_BUSY, **QUIET)
    source.input(_offer, source, [resume, more], **QUIET)
    draw.click(tab.finished_name, None, network, **QUIET)
    return draw.click, table


def _busy(button: gr.Button) -> str:
    """A script that shows that a press is still to be answered, and passes on what it sends.

    It ends after some seconds, too: where a field is out of range no event tells of it.
    """
    return f"""(...fields) => {{
        document.getElementById({button.elem_id!r}).ariaBusy = "true";
        setTimeout({_NOT_BUSY}, 5000);
        return fields;
    }}"""


_NOT_BUSY = """() => {
    for (const button of document.querySelectorAll("#train [aria-busy=true]"))
        button.ariaBusy = "false";
}"""


class _Tab:
    """What the tab's events call.

    What starts a run waits for its visitor's turn in a lane; the rest, above all Stop, is done at
    once on the event loop.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.runs = queue.runs

    async def start(self, *fields: Any) -> str:
        """Train as the fields say; the last of them is the password."""
        *settings, password = fields
        return await self._ask(request(*settings), password)

    async def start_seeds(self, *fields: Any) -> str:
        """Train as the fields say with five seeds, one after the other."""
        *settings, password = fields
        with refusing_event():
            await QUICK.run(self.queue.train_seeds, request(*settings), SEEDS, password)
        return _another_value()

    async def start_synthetic(self, password: str) -> str:
        """Train on synthetic digits, where MNIST is not available."""
        return await self._ask(Request(data="synthetic"), password)

    async def resume(
        self, name: str | None, more: float | None, recipe: str, data: str, password: str
    ) -> str:
        """Go on from a network of this server."""
        with refusing_event():
            checkpoint = await QUICK.run(_chosen, name)
        asked = request_to_resume(checkpoint, more, str(recipe), str(data))
        return await self._ask(asked, password, checkpoint)

    async def _ask(self, request: Request, password: str, resumed: Checkpoint | None = None) -> str:
        """Start a run or let it wait, or say why not."""
        with refusing_event():
            await QUICK.run(self.queue.train, request, resumed, password)
        return _another_value()

    async def stop(self, password: str) -> str:
        """Stop the run."""
        with refusing_event():
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
        resuming, more = await _offer(newest)
        if run.alive:
            resuming = gr.update(value="Resume")
        return [
            gr.update(value="Train next" if run.alive else "Train"),
            gr.update(interactive=run.alive and run.state != "stopping"),
            gr.update(interactive=not run.alive and bool(names), **resuming),
            gr.update(visible=isinstance(ended, Error) and ended.kind == "DataError"),
            gr.update(visible=not run.alive and _network(run) is not None),
            gr.update(choices=names, value=newest),
            more,
            # Until the browser has said which networks are its own, they would be missing here.
            gr.update(choices=choices(own)) if isinstance(own, dict) else gr.skip(),
            runs_table.version(self.queue),
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


def _check(*values: Any) -> list[dict[str, Any]]:
    """Say at each field what is out of range; the last one, the password, is always fine."""
    return [*check(*values[:-1]), gr.validate(True, "")]


def _check_resume(
    name: str | None, more: float | None, recipe: str, data: str, password: str
) -> list[dict[str, Any]]:
    fine = gr.validate(True, "")
    return [fine, check_number("epochs", more) if more is not None else fine, fine, fine, fine]


async def _offer(name: object) -> tuple[dict[str, Any], int | None]:
    """What Resume and the field More epochs offer for a network; no epochs for one that cannot be
    read.
    """
    try:
        checkpoint = await QUICK.run(_chosen, name)
    except (CheckpointError, Crowded):
        return gr.update(value="Resume"), None
    words = f"{history.called(Path(str(name)).stem)}, {words_of(checkpoint)}"
    return gr.update(value=f"Resume\n{words}"), epochs_offered(checkpoint)


def _another_value() -> str:
    """A new value for what asks for news: it asks when its value changes."""
    return str(time.monotonic_ns())


class Live(Curves):
    """The latest run's charts; `run` is its name, None where none ever ran."""

    run: str | None
    alive: bool


def live(run: Run, readings: Sequence[Reading]) -> Live:
    """What the charts show of the latest run."""
    name = recognizers.conceal(run.name) if run.name else None
    return {"run": name, "alive": run.alive, **curves(run.events, readings)}


def progress(run: Run, queue: Queue) -> list[Any]:
    """What the status line, the charts, the film and the log show of a run."""
    return [
        status_html(_status(run, queue)),
        live(run, growth_of(queue.runs).of(run)),
        film_view.news(run),
        recognizers.conceal(log_html(run.events)),
    ]


def progress_text(run: Run, queue: Queue) -> str:
    """A text that changes with what the tab shows besides a run's events."""
    return f"{_status(run, queue).text} {growth_of(queue.runs).count(run)}"


def _network(run: Run) -> str | None:
    """The file name of a run's network, where it has one that is everybody's."""
    path = run.checkpoint
    return path.name if path and not recognizers.is_own(path.stem) else None


def _status(run: Run, queue: Queue) -> Status:
    closed = visitors.policy().training == "off"
    told = status(run, _data(run), closed, len(queue.waiting))
    return told._replace(text=recognizers.conceal(told.text))


def _data(run: Run) -> Waiting | None:
    """How far the data have been loaded, where a run waits for them."""
    name = data_of(run.name) if run.name and run.state == "starting" else None
    return loading(name) if name else None

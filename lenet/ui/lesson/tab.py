"""The lesson: a panel beside the page's own tabs, and the tab that lists its nine steps.

A step opens the tab that shows it live, in a short form (`lesson.css`), and asks its question; the
visitor's drawing, network and run stay what they were. `lenet.lesson` has texts and code, `facts`
the answers. This file knows nothing of how they look.
"""

import html
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path

import gradio as gr

from lenet.checkpoint import CheckpointError, read
from lenet.evaluate import Evaluation
from lenet.lesson import STEPS, Step
from lenet.server import recognizers, visitors
from lenet.server.data_sets import usual_digits
from lenet.server.evaluation_cache import evaluation_of, version_of
from lenet.server.runs import Runs
from lenet.server.shares import QUICK, SLOW, Lane
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.lesson import facts
from lenet.ui.shared.requests import Refusal, Request, answering, in_turn, whole_in

TABS = ("draw", "train", "results", "data")  # that steps open

_CLOSED = "The code below trains on a machine of your own."
_EXPERIMENTS = Lane(10)  # hundreds of steps of SGD, for which nobody's images should wait
_LANES = {1: SLOW, 4: _EXPERIMENTS, 7: SLOW, 8: SLOW, 9: _EXPERIMENTS}  # of steps that read data


def build(runs: Runs) -> gr.HTML:
    """Build the panel; it shows nothing until a step is opened.

    Args:
        runs: the server's.

    Returns:
        The view. Its events `draw`, `train`, `results` and `data` ask for these tabs; a change of
        its value closes it.
    """
    return gr.HTML(
        "",
        html_template=template("lesson/lesson.html"),
        js_on_load=mounting("lesson/lesson.js", *TABS),
        server_functions=[_finder(runs)],
        elem_id="lesson-view",
        apply_default_css=False,
        steps=_steps(),
        network=next(iter(recognizers.paths()), ""),
    )


def _steps() -> list[dict[str, object]]:
    """The steps as the page shows them: where training is off, there is no button to press."""

    def shown(step: Step) -> Step:
        closed = visitors.policy().training == "off" and step.tab == "train"
        return replace(step, hint=_CLOSED) if closed else step

    return [asdict(shown(step)) for step in STEPS]


def build_contents(here: gr.Tab, panel: gr.HTML) -> None:
    """Build the content of the tab that lists the steps.

    Args:
        here: the tab; opening it closes the panel.
        panel: what `build` returned.
    """
    steps = "".join(
        f'<li><a href="#lesson-{number}">{html.escape(step.title)}</a></li>'
        for number, step in enumerate(STEPS, 1)
    )
    gr.HTML(
        html_template=template("lesson/contents.html").replace("<!-- steps -->", steps),
        js_on_load=mounting("lesson/contents.js"),
        elem_id="lesson-contents",
        apply_default_css=False,
    )
    here.select(None, None, panel, js="() => String(performance.now())", **QUIET)


def _finder(runs: Runs) -> Callable[[object], Awaitable[facts.Found | Refusal]]:
    """The server function that answers a step's question.

    It takes the `step`, counted from 1, and `network`, the name of the one on the pad.
    """

    def found(request: Request) -> facts.Found:
        match whole_in(request, "step", 1, len(STEPS)):
            case 1:
                return facts.most_common(usual_digits())
            case 2:
                return facts.paper()
            case 3:
                return facts.layers()
            case 4:
                return facts.one_step(usual_digits())
            case 5:
                closed = visitors.policy().training == "off"
                return facts.first_epoch(runs.current().events, closed)
            case 6:
                path = _present(recognizers.path_of(request.get("network")))
                return facts.checkpoint_content(read(path), recognizers.conceal(path.name))
            case 7:
                return facts.errors(*_evaluated())
            case 8:
                return facts.hardest_digit(*_evaluated())
            case _:
                return facts.going_on(usual_digits())

    async def find_out(request: object) -> facts.Found | Refusal:
        step = request.get("step") if isinstance(request, dict) else None
        lane = _LANES.get(step, QUICK) if isinstance(step, int) else QUICK
        return await in_turn(lane, answering(found))(request)

    return find_out


def _evaluated() -> tuple[Evaluation, str, str]:
    """How the first network of the list, which the Results tab shows too, reads the test images;
    its name, and the data set's.
    """
    data = usual_digits().name
    path = _present(next(iter(recognizers.paths().values()), None))
    return evaluation_of(path, version_of(path), data), recognizers.conceal(path.name), data


def _present(path: Path | None) -> Path:
    if path is None:
        raise CheckpointError("This network is not there: choose another one, or train one.")
    return path

"""The page's templates and scripts: files of their own beside the tab they belong to.

Gradio takes a template as text. A script is an ES module that the browser loads from this server,
at an address that changes with any of them, so that a browser may keep it for ever.
"""

from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_HERE = Path(__file__).parent
_SCRIPTS = {str(path.relative_to(_HERE)): path.read_bytes() for path in sorted(_HERE.rglob("*.js"))}
_VERSION = sha256(repr(_SCRIPTS).encode()).hexdigest()[:16]
_FIRST = ("draw", "hand", "lesson", "shared")  # what the page shows as it opens
_HEADERS = {"cache-control": "public, max-age=31536000, immutable"}


def template(name: str) -> str:
    """The text of an HTML file of this folder."""
    return (_HERE / name).read_text()


def mounting(name: str, *events: str) -> str:
    """What Gradio runs once a template is on the page: import a script and call its `mount`.

    `mount` gets what Gradio offers: the `element` that holds the template, `props`, `server`,
    `trigger` and `watch`.

    Args:
        name: the script's file.
        events: that it triggers; Gradio allows those that it finds in quotes in this text.
    """
    return (
        f'import(new URL("{_address(name)}", document.baseURI))'
        ".then(({ mount }) => mount({ element, props, server, trigger, watch }));"
        f" // triggers: {list(events)}"
    )


def calling(name: str, function: str) -> str:
    """A function of a script's, for an event of Gradio's that the browser answers alone."""
    return f'async () => (await import(new URL("{_address(name)}", document.baseURI))).{function}()'


def preloads(first: bool) -> str:
    """Links to scripts, so that none waits for the one that imports it: to those of what the page
    shows as it opens, for the beginning of its body, or to the others, for its head, which Gradio
    makes once its own scripts have loaded. What is drawn meanwhile, and Gradio's scripts, go first.
    """
    names = (name for name in _SCRIPTS if (name.partition("/")[0] in _FIRST) == first)
    return "".join(_preload(name, "low") for name in names)


def script(name: str, *imported: str) -> str:
    """A script that needs no template, with those that it imports: runs as soon as it is loaded."""
    preloads = "".join(_preload(each, "high") for each in (name, *imported))
    return f'{preloads}<script type="module" async src="{_address(name)}"></script>'


def _preload(name: str, priority: str) -> str:
    return f'<link rel="modulepreload" href="{_address(name)}" fetchpriority="{priority}">'


def _address(name: str) -> str:
    """The address of a script, relative to the page: that may be behind a path prefix.

    Raises:
        FileNotFoundError: there is no such script.
    """
    if name not in _SCRIPTS:
        raise FileNotFoundError(f"There is no script {name} in {_HERE}.")
    return f"scripts/{_VERSION}/{name}"


async def _script(request: Request) -> Response:
    """A script; none for another version, since browsers keep what they get at an address."""
    script = _SCRIPTS.get(request.path_params["name"])
    if script is None or request.path_params["version"] != _VERSION:
        return PlainTextResponse("There is no such script.", 404)
    return Response(script, headers=_HEADERS, media_type="text/javascript")


ROUTE = Route("/scripts/{version}/{name:path}", _script)

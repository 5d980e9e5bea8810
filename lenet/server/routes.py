"""The server's own two routes: `/health` and `/checkpoints/NAME`."""

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from lenet.checkpoint import CheckpointError
from lenet.server import recognizers


async def _health(request: Request) -> Response:
    """Whether the server reads digits: 200, or 503 with the reason."""
    try:
        recognizers.first_recognizer()
    except CheckpointError as error:
        return JSONResponse({"status": "failing", "error": str(error)}, 503)
    return JSONResponse({"status": "ok"})


async def _checkpoint(request: Request) -> Response:
    """A network as a file; Gradio would copy it into its cache for each that asks."""
    path = recognizers.path_of(request.path_params["name"])
    if path is None or path.is_symlink():
        return JSONResponse({"error": "There is no network of this name."}, 404)
    return FileResponse(path, filename=path.name, media_type="application/octet-stream")


ROUTES = [Route("/health", _health), Route("/checkpoints/{name}", _checkpoint)]

"""The page's templates and scripts: files of their own, which Gradio takes as texts."""

from pathlib import Path

_HERE = Path(__file__).parent


def template(name: str) -> str:
    """The text of an HTML file of this folder."""
    return (_HERE / name).read_text()


def javascript(*names: str) -> str:
    """Files of this folder as the one function that Gradio makes of them, in their order."""
    return "".join((_HERE / name).read_text() for name in names)

"""The endpoints as an assistant sees them: tools of Gradio's MCP server, called by a client."""

import ast
import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from support import finished, serving

from lenet.ui.api import PICTURE, SEVEN, SEVEN_AND_ONE, SEVENTY_ONE


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the tools are."""
    folder = tmp_path_factory.mktemp("mcp")
    variables = {
        "GRADIO_MCP_SERVER": "true",
        "LENET_CHECKPOINTS": str(folder),
        "LENET_DATA": str(folder),
        "LENET_TRAINING": "off",
    }
    with serving(folder / "log", variables) as url:
        yield f"{url}/gradio_api/mcp/"


def ask(address: str, question: str, *details: Any) -> Any:
    """Call a method of a session."""

    async def session() -> Any:
        async with (
            asyncio.timeout(60),
            streamable_http_client(address) as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            return await getattr(client, question)(*details)

    return finished(session())


def call(address: str, tool: str, **arguments: Any) -> tuple[bool, str]:
    """Whether a tool failed, and what it said."""
    result = ask(address, "call_tool", tool, arguments)
    (content,) = result.content
    return result.isError, content.text


def test_the_endpoints_are_the_tools_and_say_what_they_take(address: str):
    tools = {tool.name: tool for tool in ask(address, "list_tools").tools}
    assert set(tools) == {"recognize", "recognize_number", "recognize_batch", "recognize_image"}
    for tool in tools.values():
        assert "digit" in tool.description and "probabilities" in tool.description
        (taken,) = tool.inputSchema["properties"].values()
        assert taken["type"] in ("array", "string") and taken["description"]


@pytest.mark.parametrize(
    ("tool", "arguments", "digits"),
    [
        ("recognize", {"strokes": SEVEN}, [7]),
        ("recognize_batch", {"drawings": SEVEN_AND_ONE}, [7, 1]),
        ("recognize_image", {"image": PICTURE}, [7]),
    ],
)
def test_a_tool_reads_digits(address: str, tool: str, arguments: dict, digits: list[int]):
    failed, said = call(address, tool, **arguments)
    assert not failed
    answers = ast.literal_eval(said)
    answers = answers if isinstance(answers, list) else [answers]
    assert [answer["digit"] for answer in answers] == digits
    assert all(sum(answer["probabilities"]) == pytest.approx(1) for answer in answers)


def test_a_tool_reads_a_number(address: str):
    failed, said = call(address, "recognize_number", strokes=SEVENTY_ONE)
    assert not failed
    answer = ast.literal_eval(said)
    assert answer["number"] == "71"
    assert [digit["digit"] for digit in answer["digits"]] == [7, 1]


@pytest.mark.parametrize("image", ["http://127.0.0.1:1/digit.png", "/etc/passwd", "../README.md"])
def test_an_address_or_a_path_is_no_picture(address: str, image: str):
    failed, said = call(address, "recognize_image", image=image)
    assert failed
    assert said == "The picture is not base64: send its file, or base64 of it."


def test_strokes_that_make_no_sense_get_one_sentence(address: str):
    failed, said = call(address, "recognize", strokes=[[[1.0, 2.0, 3.0]]])
    assert failed
    assert said.count("\n") == 0 and "point" in said

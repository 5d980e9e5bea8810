"""The API, for gradio_client and for plain HTTP, and what a visitor's requests must not reach."""

import json
import math
import re
import urllib.request

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from lenet import Recognizer
from lenet.preprocess import MAX_POINTS, MAX_STROKES, check_strokes
from lenet.synthetic import example_strokes

EXAMPLES = example_strokes()
BAD = {
    "a text": "7",
    "a number": 7,
    "nothing": None,
    "a stroke that is no list": [7],
    "a point that is no list": [[7, 8]],
    "three numbers": [[[1, 2, 3]]],
    "a text for a number": [[[1, "2"]]],
    "too large": [[[1, 1e300]]],
    "too many strokes": [[[1, 2]]] * (MAX_STROKES + 1),
    "too many points": [[[1, 2]] * (MAX_POINTS + 1)],
}


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server.url, verbose=False)


def post(url: str, content: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


@pytest.mark.parametrize("digit", range(10))
def test_strokes_give_the_recognizer_s_answer(client: Client, digit: int):
    answer = client.predict(EXAMPLES[digit], api_name="/recognize")
    expected = Recognizer.load().recognize(EXAMPLES[digit])
    assert answer["digit"] == expected.digit == digit
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_nothing_drawn_is_no_digit(client: Client):
    answer = client.predict([], api_name="/recognize")
    assert answer == {"digit": None, "probabilities": [0.1] * 10}


@pytest.mark.parametrize("strokes", BAD.values(), ids=BAD.keys())
def test_bad_strokes_get_the_sentence_and_the_server_goes_on(client: Client, strokes):
    with pytest.raises(ValueError) as expected:
        check_strokes(strokes)
    with pytest.raises(AppError, match=re.escape(str(expected.value))):
        client.predict(strokes, api_name="/recognize")
    assert client.predict(EXAMPLES[4], api_name="/recognize")["digit"] == 4


def test_the_documentation_shows_one_endpoint_and_an_example_that_works(client: Client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/recognize"]
    (parameter,) = endpoints["/recognize"]["parameters"]
    assert client.predict(parameter["example_input"], api_name="/recognize")["digit"] == 7
    assert "y downwards" in endpoints["/recognize"]["description"]


def call(server, strokes: object) -> tuple[str, object]:
    """What plain HTTP answers: the kind of the event, and its data."""
    address = f"{server.url}/gradio_api/call/recognize"
    event = post(address, {"data": [strokes]})["event_id"]
    with urllib.request.urlopen(f"{address}/{event}") as stream:
        kind, data = (line.split(": ", 1)[1] for line in stream.read().decode().split("\n")[:2])
    return kind, json.loads(data)


def test_plain_http(server):
    kind, (answer,) = call(server, EXAMPLES[4])
    assert kind == "complete"
    assert answer["digit"] == 4
    assert math.isclose(sum(answer["probabilities"]), 1, abs_tol=1e-5)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_only_plain_http_can_send(server, number: float):
    kind, content = call(server, [[[1, number]]])
    assert kind == "error"
    assert "NaN, infinite or out of range" in content["error"]


@pytest.mark.parametrize("name", ["../../app.py", "/etc/passwd", "", None, ["lenet.pt"], "x.pt"])
def test_only_a_listed_name_reaches_a_file(server, name):
    with urllib.request.urlopen(f"{server.url}/config") as response:
        components = json.load(response)["components"]
    (pad,) = [c for c in components if "read_drawing" in (c["props"].get("server_fns") or [])]

    def read(checkpoint: object) -> dict:
        call = {"component_id": pad["id"], "fn_name": "read_drawing", "session_hash": "test"}
        data = {"strokes": EXAMPLES[4], "checkpoint": checkpoint}
        return post(f"{server.url}/gradio_api/component_server/", {**call, "data": data})

    assert read("lenet.pt")["digit"] == 4
    assert list(read(name)) == ["error"]
    assert "no longer there" in read(name)["error"]

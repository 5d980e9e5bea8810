"""lenet.server.data_sets: what a server loads before anybody asks."""

from collections.abc import Iterator

import pytest
from support import small_set

from lenet.data import DataError
from lenet.server import data_sets


@pytest.fixture
def loaded(monkeypatch) -> Iterator[list[str]]:
    """The data sets that are loaded, in the place of loading them."""
    names = []

    def load(name: str):
        names.append(name)
        return small_set()

    monkeypatch.setattr(data_sets, "load", load)
    for function in (data_sets._load, data_sets.means):
        function.cache_clear()
    yield names
    for function in (data_sets._load, data_sets.means):
        function.cache_clear()


@pytest.mark.parametrize(("there", "names"), [(1.0, ["mnist"]), (0.99, [])])
def test_a_server_loads_mnist_at_its_start_and_downloads_nothing(
    monkeypatch, loaded, there: float, names: list[str]
):
    monkeypatch.setattr(data_sets, "loading_progress", lambda name: there)
    data_sets.warm_up()
    assert loaded == names
    data_sets.data_set("mnist")
    assert loaded == ["mnist"]  # once


def test_a_server_starts_where_mnist_is_damaged(monkeypatch, loaded):
    def fail(name: str):
        raise DataError("damaged")

    monkeypatch.setattr(data_sets, "loading_progress", lambda name: 1.0)
    monkeypatch.setattr(data_sets, "load", fail)
    data_sets.warm_up()
    with pytest.raises(DataError, match="damaged"):
        data_sets.data_set("mnist")

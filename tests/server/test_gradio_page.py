"""lenet.ui.gradio_page: what visitors' files leave behind."""

import asyncio
import os
import time

from lenet.ui.gradio_page import sweeping


def test_old_empty_folders_go_and_what_holds_a_file_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    long_ago = time.time() - 3600
    for name in ("empty", "full", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "digit.png").write_bytes(b"7")
    for name in ("empty", "full"):
        os.utime(tmp_path / name, (long_ago, long_ago))

    async def serve() -> None:
        async with sweeping(None, every=1.0):
            while (tmp_path / "empty").exists():
                await asyncio.sleep(0.05)
                os.utime(tmp_path / "new")

    asyncio.run(asyncio.wait_for(serve(), 30))
    assert sorted(os.listdir(tmp_path)) == ["full", "new"]

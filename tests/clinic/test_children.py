"""What runs beside the server ends with it, also when nobody could tell it to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BESIDE = """
import time
from limen.clinic.project.children import Children
with Children() as children:
    children.start("device", "chair", "--url", "http://127.0.0.1:9", "--device", "orphan-test",
                   environment={"LIMEN_DEVICE_TOKEN": "none"})
    while not children._running:
        time.sleep(0.05)
    print(*children._running, flush=True)
    time.sleep(300)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("after_s", [0.0, 4.0], ids=["at once", "once it runs"])
def test_a_killed_parent_leaves_no_orphan(after_s: float) -> None:
    parent = subprocess.Popen([sys.executable, "-c", BESIDE], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(after_s)
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(200):
        if not alive(child):
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child outlived its parent by 20 s")

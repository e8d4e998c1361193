"""A headless Firefox driven over WebDriver BiDi, its own protocol: no driver program is needed."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "Backspace": "\ue003"}
PREFERENCES = """user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("webgl.force-enabled", true);
"""


class Tab:
    """One page in it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._ids = itertools.count()
        self.send("session.new", capabilities={})
        self._context = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """A command's result."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def goto(self, url: str) -> None:
        self.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression that is a string, a number, true or false."""
        target = {"context": self._context}
        said = self.send("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert said["type"] == "success", said
        return said["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key. A headless window has no focus, so keys reach the page but no button."""
        value = KEYS.get(key, key)
        actions = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self.send("input.performActions", context=self._context, actions=[keyboard])

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, (
                f"waited in vain for {expression}: {self.evaluate('document.body.innerText')}"
            )
            time.sleep(0.1)


@contextmanager
def firefox(program: str, folder: Path) -> Iterator[Tab]:
    """A running Firefox with a profile of its own in an empty folder."""
    from websockets.sync.client import connect

    (folder / "user.js").write_text(PREFERENCES)
    command = [program, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert process.stderr is not None
        found = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
        address = next(match.group(1) for match in found if match)
        with connect(f"{address}/session", max_size=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        process.wait(timeout=20)
        if process.stderr is not None:
            process.stderr.close()

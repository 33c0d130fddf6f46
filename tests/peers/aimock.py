"""aimock (npm: @copilotkit/aimock) in a process of its own: a chat-completions server of others.

with Aimock(folder) as aimock:
    aimock.serve([{"match": {"userMessage": "…"}, "response": {"content": "…"}}])
    ...                                          # ask aimock.url
    aimock.seen()[0].body["messages"]
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

PROGRAM = (
    Path(__file__).parents[2] / "build/peers/node_modules/@copilotkit/aimock/dist/cli.js"
)  # `make peers` puts it there
KEY = "sk-test-0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Seen:
    """A question as aimock's journal holds it.

    Attributes:
        body: The request's body.
        fault: What was done instead of answering (`rateLimit`, `malformed`, `disconnect`), if so.
    """

    body: dict[str, Any]
    fault: str | None


class Aimock:
    """A running server at `url`, which lets in whoever sends `KEY`.

    Args:
        folder: An empty one; aimock will not start without a place to read answers from.
    """

    def __init__(self, folder: Path) -> None:
        # The seed fixes which faults are drawn; who meets them hangs on who asks first.
        self._process = subprocess.Popen(
            ["node", "--random-seed=1", PROGRAM, "--port", "0", "--fixtures", folder],
            env={**os.environ, "AIMOCK_API_KEYS": KEY},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._output = self._process.stdout
        said = next((line for line in self._output if "listening" in line), "")
        assert said, "aimock did not start; `make peers` installs it"
        origin = said.split()[-1]
        self.url = f"{origin}/v1"
        self._control = httpx2.Client(
            base_url=f"{origin}/__aimock", headers={"authorization": f"Bearer {KEY}"}
        )

    def serve(
        self, fixtures: Sequence[Mapping[str, Any]], faults: Mapping[str, float] | None = None
    ) -> None:
        """Begin anew: an empty journal, these answers, and faults at these rates.

        Args:
            fixtures: As aimock's files hold them; `chaos` in one of them is for that one alone.
            faults: `malformedRate`, `rateLimitRate` and `disconnectRate`, each from 0 to 1; aimock
                draws them in this order, and the first that hits is the one.
        """
        self._post("reset", {})
        self._post("fixtures", {"fixtures": fixtures})
        self._post("chaos", faults or {})

    def calm(self) -> None:
        """Have no more faults; what the server holds stays."""
        self._post("chaos", {})

    def seen(self) -> list[Seen]:
        """All questions since `serve`, in the order they came in."""
        entries = self._control.get("journal").raise_for_status().json()
        return [Seen(entry["body"], entry["response"].get("chaosAction")) for entry in entries]

    def stop(self) -> None:
        """End the process; a second time does nothing."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._output.close()

    def __enter__(self) -> Aimock:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _post(self, path: str, content: Mapping[str, Any]) -> None:
        self._control.post(path, json=content).raise_for_status()

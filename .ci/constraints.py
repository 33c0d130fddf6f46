"""Turn pip's resolution report (stdin) into pins (stdout): names and versions, no host."""

from __future__ import annotations

import json
import sys

HEADER = """\
# What `make` and CI install. Refresh: make constraints PYTHON=python3.11
# (the oldest Python that is supported: what installs there installs on the newer ones).
"""


def main() -> None:
    """Write one pin a line, sorted by name."""
    resolved = [item for item in json.load(sys.stdin)["install"] if not item["is_direct"]]
    pins = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in resolved}
    print(HEADER + "\n".join(f"{name}=={pins[name]}" for name in sorted(pins)))


if __name__ == "__main__":
    main()

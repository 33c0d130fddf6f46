"""Count the skipped tests of a JUnit report and refuse those that are not known by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]

# The reason of a skip that is allowed → whether it is allowed here.
KNOWN = {
    "needs ../shared": not (ROOT.parent / "shared").is_dir(),
    # Programs of others that `make peers` brings.
    "needs inspect_ai": True,
    "needs junitparser": True,
    "needs sarif-tools": True,
    "needs signaltest": True,
    "POSIX modes": os.name == "nt",
    "XDG_DATA_HOME": sys.platform != "linux",
}


def main(report: str) -> int:
    """Print each skip that should not be; 0 if there is none."""
    # A file skipped as a whole has no type; an expected failure is no skip.
    skips = [s for s in ET.parse(report).iter("skipped") if s.get("type") != "pytest.xfail"]
    unknown = [skip for skip in skips if not KNOWN.get(skip.get("message", ""), False)]
    print(f"{len(skips)} skipped, {len(unknown)} of them not known by name")
    for skip in unknown:
        print(f"This must not be skipped here: {skip.text}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

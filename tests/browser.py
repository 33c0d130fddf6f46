"""A real Chromium for tests of pages, and its driver (Debian: chromium, chromium-driver)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

_QUIET = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
"""


@contextmanager
def chromium(profile: Path, *, width: int = 1280, height: int = 900) -> Iterator[Chrome]:
    """A browser that keeps a log of its console and of its network.

    Args:
        profile: An empty folder.
        width: Of the window, in CSS pixels.
        height: Likewise.
    """
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*_QUIET.split(), f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options, ChromeService(DRIVER))
    try:
        browser.get("about:blank")
        requests(browser)  # those of the start page
        yield browser
    finally:
        browser.quit()


def console(browser: Chrome) -> list[str]:
    """What the console was told since it was last asked: errors, warnings and refusals."""
    return [entry["message"] for entry in browser.get_log("browser")]


def requests(browser: Chrome) -> set[str]:
    """The addresses that were asked for since it was last asked, the page itself included.

    What a Content-Security-Policy blocked was not asked for.
    """
    asked: dict[str, str] = {}
    for entry in browser.get_log("performance"):
        event: dict[str, Any] = json.loads(entry["message"])["message"]
        told = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            asked[told["requestId"]] = told["request"]["url"]
        elif event["method"] == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            asked.pop(told["requestId"], None)
    return set(asked.values())


def emulate(browser: Chrome, *, dark: bool = False, phone: bool = False) -> None:
    """Show the page as in the dark, or on a phone 390 CSS pixels wide."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
    if phone:
        size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    else:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

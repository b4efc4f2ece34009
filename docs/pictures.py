"""Renew the picture in the README from the program itself: make pictures.

Starts the demo clinic on a free port, opens the first synthetic patient's page in Chromium, and takes its picture.
Needs Chromium (name it with BIFLORA_CHROMIUM if it is not found).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).resolve().parent / "pictures"
BIFLORA = Path(sys.executable).with_name("biflora")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> int:
    chromium = os.environ.get("BIFLORA_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium found. Install it, or name it: BIFLORA_CHROMIUM=/path/to/chromium make pictures")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        clinic = subprocess.Popen(
            [BIFLORA, "demo", "--serve", "--port", str(port), "--data", folder], stdout=subprocess.DEVNULL
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/healthz")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 1500}, color_scheme="light")
                page.goto(address)
                page.get_by_role("button", name="Enter as clinician").click()
                page.goto(f"{address}/clinic/patients/P01")
                page.screenshot(path=PICTURES / "patient-page.png")
                browser.close()
        finally:
            clinic.terminate()
            clinic.wait(timeout=20)
    print(f"Renewed: {PICTURES / 'patient-page.png'}")
    return 0


def _wait_for(address: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    sys.exit(f"The demo clinic did not answer within {seconds:.0f} s.")


if __name__ == "__main__":
    raise SystemExit(main())

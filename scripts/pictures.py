"""The pictures of the documentation, taken from a running demonstration: ``python scripts/pictures.py [OUT]``.

A demonstration is built in a temporary folder, so nothing of yours is touched. Needs Chromium and what
``make setup-dev`` installs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from browser.chromium import ARGUMENTS, CHROMIUM  # noqa: E402
from browser.demo_house import demo_house  # noqa: E402
from limen.clinic.demo.accounts import PASSWORD  # noqa: E402
from limen.clinic.demo.people import HELD, LIVE, TO_SIGN, Person  # noqa: E402

SIZE = {"width": 1280, "height": 800}
SETTLE_MS = 8_000


def sign_in(page: Page, url: str, username: str) -> None:
    """Sign in to the demonstration."""
    page.goto(f"{url}/login/")
    page.locator("input[name=login]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/login" not in address)


def chart(page: Page, url: str, person: Person) -> None:
    """A patient's chart."""
    page.goto(f"{url}/patients/")
    page.get_by_role("link", name=f"{person.family_name}, {person.given_name}", exact=True).click()


def take(page: Page, url: str, folder: Path) -> None:
    """The live chair, a plan to be signed, and a screening that holds."""
    sign_in(page, url, "prescriber")
    for name, person in (("screening", HELD), ("plan", TO_SIGN)):
        chart(page, url, person)
        page.get_by_role("navigation", name="Where this patient is").get_by_role(
            "link", name=name.title(), exact=True
        ).click()
        page.get_by_text("Monitor Live").wait_for()
        page.screenshot(path=folder / f"{name}.png")
    chart(page, url, LIVE)
    page.get_by_role("navigation", name="Where this patient is").get_by_role("link", name="Session").click()
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=folder / "chair.png")


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        demo_house(Path(home) / "demo") as house,
        sync_playwright() as runner,
    ):
        browser = runner.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser.new_page(viewport=SIZE), house.url, folder)
        browser.close()
    sys.stdout.write(f"{', '.join(sorted(path.name for path in folder.glob('*.png')))} in {folder}\n")


if __name__ == "__main__":
    main()

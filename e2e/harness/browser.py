"""Chromium, driven by chromedriver: what a person sees, photographed and judged by axe-core."""

import base64
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By

from harness.clock import until
from harness.index import TARGET

SCREENS = TARGET / "e2e-screens"
AXE = TARGET / "e2e-node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {390: 844, 1280: 900}
SCHEMES = ("light", "dark")
# Both widths and both schemes are judged; colours do not depend on the width.
JUDGED = {(390, "dark"), (1280, "light")}
# The narrowest that WCAG 1.4.10 asks for, and a window of 1280 at a zoom of 200 %.
REFLOW = (320, 640)


def is_gone(element):
    """Whether an element's page was left."""
    try:
        element.is_enabled()
        return False
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        # What chromedriver says when the page goes while it looks.
        if "does not belong to the document" in str(error):
            return True
        raise


class Browser:
    """One browser with an empty profile."""

    def __init__(self, profile, index):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--no-proxy-server", "--window-size=1280,1100", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        self.index = index
        self._axe = Path(AXE).read_text()

    def quit(self):
        """Ends browser and driver."""
        self.driver.quit()

    @property
    def path(self):
        """The path of the page shown."""
        return urlsplit(self.driver.current_url).path

    def open(self, path):
        """Goes to a page of the index, or to a link out of a mail."""
        self.driver.get(path if path.startswith("http") else self.index.url + path)

    def see(self, selector):
        """The one element that a selector names."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """The texts of all elements that a selector names."""
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def type(self, **values):
        """Types into fields by their names."""
        for name, value in values.items():
            field = self.see(f"main [name='{name}']")
            field.clear()
            field.send_keys(value)

    def has(self, selector):
        """Whether there is such an element."""
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def unfold(self, selector):
        """Opens what is folded away, as a press on its summary does."""
        summary = self.see(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", summary)
        if not self.driver.execute_script("return arguments[0].closest('details').open", summary):
            summary.click()

    def press(self, selector="main form[method=post] button:not([type=button])"):
        """Presses a button or a link, and waits for the next page."""
        button = self.see(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
        self.leaving(button.click, selector)

    def leaving(self, act, what):
        """Does something that leads to another page, and waits for it."""
        before = self.see("html")
        act()
        until(lambda: is_gone(before), f"a new page after {what} on {self.path}")
        until(lambda: self.driver.execute_script("return document.readyState") == "complete", f"{self.path} to load")

    def forget(self):
        """An empty profile again, as far as this index can tell."""
        self.open("/_health/")
        self.driver.delete_all_cookies()

    def cookies(self):
        """The cookies of the index by name: what somebody copies who sits at the machine."""
        return {cookie["name"]: cookie["value"] for cookie in self.driver.get_cookies()}

    def banner(self):
        """The text of the red banner, or None."""
        found = self.driver.find_elements(By.CSS_SELECTOR, ".note.danger")
        return found[0].text if found else None

    def look(self, name, photograph=True):
        """Photographs the page small and wide, light and dark; fails on what axe-core finds or what is too wide."""
        findings = []
        for width, height in WIDTHS.items():
            self._resize(width, height)
            for scheme in SCHEMES:
                view = f"{name}-{width}-{scheme}"
                judged = (width, scheme) in JUDGED
                if photograph or judged:
                    self._command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                if photograph:
                    self._photograph(view, width)
                if judged:
                    findings += [f"{view}: {finding}" for finding in self._violations()]
        for width in (*WIDTHS, *REFLOW):
            self._resize(width, 844)
            wide = self.driver.execute_script("return document.documentElement.scrollWidth")
            if wide > width:
                findings.append(f"{name}-{width}: the page is {wide} pixels wide")
        self._command("Emulation.clearDeviceMetricsOverride")
        self._command("Emulation.setEmulatedMedia", features=[])
        assert not findings, "\n".join(findings)

    def _resize(self, width, height):
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def _photograph(self, view, width):
        SCREENS.mkdir(parents=True, exist_ok=True)
        size = self._command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
        shot = self._command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        (SCREENS / f"{view}.png").write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the console reports: refused scripts and styles, failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def _command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def _violations(self):
        if not self.driver.execute_script("return typeof axe !== 'undefined'"):
            self.driver.execute_script(self._axe)
        report = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done)"
        )
        return [
            f"{found['id']} ({found['impact']}): {found['help']}: {node['target']}"
            for found in report["violations"]
            for node in found["nodes"]
        ]

"""A headless Chromium for tests of the page, driven by chromedriver (https://www.w3.org/TR/webdriver2/)."""
import base64
import http.client
import json
import re
import shutil
import subprocess
import time

SECONDS = 30
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = None if CHROMIUM and DRIVER else "no Chromium here: Debian's packages chromium and chromium-driver"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of references to elements, by the standard
ENTER, ESCAPE, SHIFT, TAB = "\ue007", "\ue00c", "\ue008", "\ue004"
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--hide-scrollbars", "--lang=en"]


class Browser:
    """One window. What fails in the page shows in console()."""

    def __init__(self):
        self.process = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = next(int(found.group(1)) for line in self.process.stdout if (found := re.search(r"started .*on port (\d+)", line)))
        options = {"binary": CHROMIUM, "args": ARGUMENTS}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        try:
            session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        except BaseException:
            self.process.kill()
            raise
        self.path = "/session/" + session["sessionId"]

    def close(self):
        try:
            self._call("DELETE", self.path)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * SECONDS)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{value['error']}: {value['message']}")
        return value

    def post(self, what, body):
        return self._call("POST", self.path + what, body)

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self.post("/url", {"url": url})

    def tab(self):
        """The tab that is driven; more of them share what the browser stores."""
        return self._call("GET", self.path + "/window")

    def new_tab(self):
        """Opens another tab and drives that one."""
        tab = self.post("/window/new", {"type": "tab"})["handle"]
        self.switch(tab)
        return tab

    def switch(self, tab):
        self.post("/window", {"handle": tab})

    def close_tab(self, then):
        """Closes the tab that is driven and drives another one."""
        self._call("DELETE", self.path + "/window")
        self.switch(then)

    def reload(self):
        self.post("/refresh", {})

    def run(self, script, *arguments):
        """What a function's body gives in the page."""
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments, seconds=SECONDS):
        """Waits until a function's body gives something true, and gives that."""
        end = time.monotonic() + seconds
        while not (value := self.run(script, *arguments)):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {script}\n{self.text('body')}\n{self.console()}")
            time.sleep(0.05)
        return value

    def all(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText", selector)

    def _element(self, selector):
        return self.post("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.post(f"/element/{self._element(selector)}/click", {})

    def press(self, label, within="body"):
        """Clicks the last button that is called so."""
        found = self.run("const all = [...document.querySelectorAll(arguments[0] + ' button')].filter((b) => "
                         "b.textContent === arguments[1] || b.ariaLabel === arguments[1]); all.at(-1)?.click(); return all.length",
                         within, label)
        if not found:
            raise AssertionError(f"no button {label}: {self.all('button')}")

    def type(self, selector, text):
        self.post(f"/element/{self._element(selector)}/value", {"text": text})

    def fill(self, selector, text):
        """Sets a field at once, as if it was pasted."""
        self.run("const field = document.querySelector(arguments[0]); field.value = arguments[1];"
                 "field.dispatchEvent(new Event('input', {bubbles: true}))", selector, text)

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def dark(self, dark):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", self.path + "/screenshot")))

    def console(self):
        """Lines of errors and warnings since the last call."""
        return [line["message"] for line in self.post("/se/log", {"type": "browser"}) if line["level"] in ("SEVERE", "WARNING")]

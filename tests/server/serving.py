"""What the tests of the server share: running it, and asking it without any package."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

CLEAVE = os.environ["CLEAVE"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"])
SMOLLM2 = pathlib.Path(os.environ["CLEAVE_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"  # `make model` puts it there
MPIRUN = os.environ.get("MPIRUN", "")
SECONDS = 60
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = "The capital of France is Paris."


class Server:
    """A running server; what it says on standard error is in `log`."""

    def __init__(self, *flags, model=SMOLLM2, before=(), wait=True):
        arguments = [*before, CLEAVE, "serve", *([str(model)] if model else []), "--port", "0", *map(str, flags)]
        self.process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.log = []
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.listening.wait(SECONDS):
            self.process.kill()
            raise AssertionError("does not listen: " + "".join(self.log))
        self.address = re.search(r"listening on (\S+);", "".join(self.log)).group(1)
        self.port = int(self.address.rsplit(":", 1)[1]) if not self.address.startswith("unix:") else None
        if wait:
            self.wait_until(lambda: "serving " in "".join(self.log))

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if "listening on" in line:
                self.listening.set()
        self.listening.set()

    def wait_until(self, condition, seconds=SECONDS):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("waited in vain: " + "".join(self.log[-20:]))
            time.sleep(0.02)

    def connect(self, timeout=SECONDS):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body); a body that is a dictionary is sent as JSON, and one that is JSON is read."""
        connection = self.connect()
        try:
            sent = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, sent, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        is_json = (response.getheader("content-type") or "").startswith("application/json")
        return response.status, response.headers, json.loads(text) if is_json and text else text

    def post(self, path, body, headers=None):
        return self.ask("POST", path, body, headers)

    def get(self, path, headers=None):
        return self.ask("GET", path, None, headers)

    def stream(self, path, body):
        """The events of a stream as (name or None, data); data is parsed unless it is [DONE]. Comments are left out."""
        connection = self.connect()
        try:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            assert response.status == 200, response.read()
            name = None
            for raw in response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    data = line[6:]
                    yield name, data if data == "[DONE]" else json.loads(data)
                    name = None
        finally:
            connection.close()

    def metric(self, name):
        for line in self.get("/metrics")[2].decode().splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError("no metric " + name)

    def is_idle(self):
        return self.metric("cleave_num_requests_running") + self.metric("cleave_num_requests_waiting") == 0

    def end(self, code=0, with_signal=signal.SIGTERM):
        if with_signal and self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()
        self.reader.join(SECONDS)
        self.process.stderr.close()
        self.process.stdout.close()
        assert self.process.returncode == code, (self.process.returncode, "".join(self.log[-20:]))


class Case(unittest.TestCase):
    """A test with one server for all of its methods; FLAGS are the server's."""
    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.FLAGS)

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cleave_server_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_refused(self, answer, status, *parts):
        got, _, body = answer
        self.assertEqual(got, status, body)
        for part in parts:
            self.assertIn(part, json.dumps(body))
        return body["error"]

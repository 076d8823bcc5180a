"""What the tests of the program share: running it, and making models that are broken in one way."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

CLEAVE = os.environ["CLEAVE"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"])
SMOLLM2 = pathlib.Path(os.environ["CLEAVE_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"  # `make model` puts it there
SECONDS = 120


def run(*arguments, text="", env=None, cwd=None):
    """The finished program; standard input holds `text`."""
    return subprocess.run([CLEAVE, *map(str, arguments)], input=text.encode(), capture_output=True, timeout=SECONDS,
                          env=env, cwd=cwd)


def write_safetensors(path, tensors):
    """tensors: {name: (dtype, shape, bytes)}."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    data = content[8 + size:]
    return {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items()}


class Case(unittest.TestCase):
    """A test with a temporary folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cleave_cli_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def copy_model(self, name="llama", **config_changes):
        """A fixture's directory to break, with some keys of its configuration replaced."""
        model = self.folder / "model"
        shutil.copytree(DATA / "models" / name, model, copy_function=shutil.copyfile)
        config = json.loads((model / "config.json").read_text())
        config.update(config_changes)
        (model / "config.json").write_text(json.dumps(config))
        return model

    def assert_fails(self, done, code, *parts):
        """One line on standard error that begins with "cleave: error: " and holds all parts; nothing on standard output."""
        error = done.stderr.decode()
        self.assertEqual(done.returncode, code, error)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(error.count("\n"), 1, error)
        self.assertTrue(error.startswith("cleave: error: ") and error.endswith("\n"), error)
        for part in parts:
            self.assertIn(part, error)

    def assert_works(self, done):
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

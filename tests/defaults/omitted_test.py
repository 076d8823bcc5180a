"""Every reference configuration without each key that has its class's default, and without all of them at once: the graph is the
same. default_keys.json says which keys these are (tests/scripts/make_default_keys.py). Configurations of ../shared beside the
checkout count where they are there."""
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"]).resolve()
SHARED = DATA.parents[1].parent / "shared"
ARCHIVE = SHARED / "data" / "configs.tar.xz"


class OmittedKeys(unittest.TestCase):
    def assert_same_graphs(self, kind, folder):
        lines, lists = [], 0
        for name, keys in json.loads((DATA / "default_keys.json").read_text()).items():
            kind_of, _, rest = name.partition("/")
            if kind_of == kind:
                without = [[key] for key in keys["single"]] + [keys.get("together", keys["single"])]
                lists += len(without)
                lines.append(json.dumps({"name": name, "path": str(folder / rest / "config.json"), "without": without}))
        self.assertGreater(len(lines), 50)
        done = subprocess.run([os.environ["CLEAVE_SAME_GRAPH"]], input="\n".join(lines), capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        self.assertTrue(done.stdout.endswith(f"{lists} compared\n"), done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_models_of_the_repository(self):
        self.assert_same_graphs("data", DATA)

    @unittest.skipUnless((SHARED / "fixtures").exists(), "../shared is not there")
    def test_fixtures(self):
        self.assert_same_graphs("shared", SHARED / "fixtures")

    @unittest.skipUnless(ARCHIVE.exists(), f"{ARCHIVE.name} is not there")
    def test_published_configurations(self):
        with tempfile.TemporaryDirectory() as folder, tarfile.open(ARCHIVE) as archive:
            archive.extractall(folder, filter="data")
            self.assert_same_graphs("configs", pathlib.Path(folder) / "configs")


if __name__ == "__main__":
    unittest.main()

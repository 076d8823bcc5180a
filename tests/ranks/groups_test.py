"""One group of ranks in several processes, into which two models are loaded and unloaded, and of which one is killed."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["GROUP"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"]) / "models"
MPIRUN = [os.environ["MPIRUN"], "--bind-to", "none"]


def program(ranks=1):
    return [PROGRAM, str(ranks), "llama", "jamba"]


class Groups(unittest.TestCase):
    def check(self, arguments, **options):
        done = subprocess.run(MPIRUN + arguments, capture_output=True, text=True, timeout=120, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "passed\n")

    def test_processes_load_step_unload_and_load_again(self):
        for processes, ranks in ((3, 1), (2, 2), (2, 3)):
            with self.subTest(processes=processes, ranks=ranks):
                self.check(["-np", str(processes), *program(ranks)], cwd=DATA)

    def test_processes_may_have_different_numbers_of_ranks(self):
        self.check(["-np", "1", *program(2), ":", "-np", "1", *program(1)], cwd=DATA)

    def test_only_rank_0_needs_the_files(self):
        with tempfile.TemporaryDirectory() as empty:
            self.check(["-np", "1", "-wdir", str(DATA), *program(2), ":", "-np", "1", "-wdir", empty, *program(2)])

    def test_a_rank_killed_between_loads_is_named(self):
        job = subprocess.Popen([*MPIRUN, "-np", "3", *program(), "wait"], cwd=DATA, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(job.stdout.readline(), "loaded\n")
        victims = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(victims), 3)
        os.kill(int(victims[-1]), signal.SIGKILL)
        _, text = job.communicate("\n", timeout=60)
        self.assertNotEqual(job.returncode, 0)
        self.assertRegex(text, re.compile(rf"^error: rank \d .*pid {victims[-1]}\) died", re.MULTILINE))


if __name__ == "__main__":
    unittest.main()

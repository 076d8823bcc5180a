"""Reference models under mpirun: ranks in several processes, with and without the model's files, and one that is killed."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

CLEAVE = os.environ["CLEAVE"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"]) / "models"
SMOLLM2 = pathlib.Path(os.environ["CLEAVE_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
MPIRUN = [os.environ["MPIRUN"], "--bind-to", "none"]
# One of each kind of split: grouped heads, fused projections, experts, latent attention, states, uneven sizes.
MODELS = os.environ.get("CLEAVE_MODELS_TEST", "llama falcon-40b-style bloom mixtral qwen2-moe deepseek-v3 gpt-oss "
                        "mamba2 jamba qwen3-next").split()


def verify(model, ranks_per_process=1):
    return [CLEAVE, "verify", model, "--expected", f"{model}/expected.safetensors", "--exact", "--policy", "split", "--tp",
            str(ranks_per_process), "--chunk", "5"]


def run(arguments, **options):
    return subprocess.run(MPIRUN + arguments, capture_output=True, text=True, timeout=120, **options)


class Models(unittest.TestCase):
    def check(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("passed", done.stdout)

    def test_processes_give_the_reference_logits(self):
        for model in MODELS:
            for processes, ranks in ((2, 1), (3, 1), (2, 2)):
                with self.subTest(model=model, processes=processes, ranks=ranks):
                    self.check(run(["-np", str(processes), *verify(model, ranks)], cwd=DATA))

    def test_only_rank_0_needs_the_files(self):
        with tempfile.TemporaryDirectory() as empty:
            for model in MODELS:
                with self.subTest(model=model):
                    self.check(run(["-np", "1", "-wdir", str(DATA), *verify(model), ":",
                                    "-np", "2", "-wdir", empty, *verify(model)]))

    def test_packed_models_are_written_and_read_by_every_process(self):
        for model in ("llama", "mamba2"):
            with self.subTest(model=model), tempfile.TemporaryDirectory() as folder:
                packed = f"{folder}/packed"
                done = run(["-np", "3", CLEAVE, "shard", model, "-o", packed, "--exact"], cwd=DATA)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check(run(["-np", "3", CLEAVE, "verify", packed, "--expected", f"{model}/expected.safetensors",
                                "--exact"], cwd=DATA))

    def test_what_is_wrong_at_rank_0_is_said_everywhere(self):
        done = run(["-np", "2", CLEAVE, "generate", "/no/such/model", "-p", "x"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no model at /no/such/model", done.stderr)

    def test_a_killed_rank_is_named_by_the_others(self):
        with tempfile.TemporaryFile("w+") as log:
            job = subprocess.Popen([*MPIRUN, "-np", "3", CLEAVE, "generate", str(SMOLLM2), "-p", "Write a very long story.",
                                    "--raw", "--max-tokens", "4000"], stdout=subprocess.PIPE, stderr=log, text=True)
            self.assertTrue(job.stdout.read(1))  # it answers
            victims = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
            self.assertEqual(len(victims), 3)
            os.kill(int(victims[-1]), signal.SIGKILL)
            begin = time.monotonic()
            job.communicate(timeout=60)
            self.assertLess(time.monotonic() - begin, 30)  # it ends by itself
            log.seek(0)
            text = log.read()
        self.assertNotEqual(job.returncode, 0)
        named = re.findall(rf"cleave: error: rank \d .*pid {victims[-1]}\) died", text)
        self.assertEqual(len(named), 2, text)


if __name__ == "__main__":
    unittest.main()

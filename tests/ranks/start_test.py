"""`cleave COMMAND --hosts`: the program starts the processes itself, through mpirun."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

CLEAVE = os.environ["CLEAVE"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"]) / "models"
SMOLLM2 = pathlib.Path(os.environ["CLEAVE_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
# As a newcomer has it: nothing that allows mpirun this or that.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OMPI_")}
HERE = ["--hosts", "localhost:2"]
QUESTION = ["-p", "What is the capital of France?", "--temperature", "0"]
STORY = ["-p", "Once upon a time", "--raw", "--max-tokens", "4000"]
SECONDS = 120


def run(*arguments, environment=ENVIRONMENT, **options):
    options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, **options}
    return subprocess.run([CLEAVE, *map(str, arguments)], stdout=subprocess.PIPE, env=environment, timeout=SECONDS,
                          check=False, **options)


def ranks_of(starter):
    """Process ids of the ranks that the program has started, once both are there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        mpirun = subprocess.run(["pgrep", "-P", str(starter)], capture_output=True, text=True, check=False).stdout.split()
        ranks = [int(pid) for parent in mpirun for pid in
                 subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True, check=False).stdout.split()]
        if len(ranks) == 2:
            return ranks
        time.sleep(0.05)
    raise AssertionError("the ranks did not come up")


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


class Start(unittest.TestCase):
    def assert_fails(self, done, *parts, code=1):
        text = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout), (code, b""), text)
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.startswith("cleave: error: "), text)
        for part in parts:
            self.assertIn(part, text)

    def test_standard_output_and_error_are_those_of_one_process(self):
        alone, started = run("generate", SMOLLM2, *QUESTION), run("generate", SMOLLM2, *QUESTION, *HERE)
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertEqual(started.stdout, alone.stdout)
        self.assertRegex(started.stderr.decode(), r"^prompt 37 tokens, [^\n]*; loaded in [^\n]*\n$")

    def test_several_ranks_in_each_process_give_the_reference_logits(self):
        done = run("verify", DATA / "llama", "--expected", DATA / "llama" / "expected.safetensors", "--exact", "--tp", 2, *HERE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"passed", done.stdout)

    def test_a_prompt_comes_from_standard_input(self):
        with tempfile.TemporaryFile() as prompt:
            prompt.write(b"What is the capital of France?")
            prompt.seek(0)
            done = run("generate", SMOLLM2, "-p", "-", "--temperature", 0, *HERE, stdin=prompt)
        self.assertIn(b"Paris", done.stdout, done.stderr)

    def test_notes_begin_on_a_line_of_their_own_where_they_follow_the_answer(self):
        done = run("generate", SMOLLM2, *QUESTION, *HERE, stderr=subprocess.STDOUT)
        self.assertRegex(done.stdout.decode(), r"Paris[^\n]*\nprompt 37 tokens")

    def test_a_failed_comparison_is_said_once(self):
        done = run("verify", DATA / "llama", "--expected", DATA / "llama" / "expected.safetensors", "--tolerance", "1e-12", *HERE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"^cleave: error: rank 0 [^\n]*\n$")

    def test_the_exit_code_of_the_ranks_is_passed_on(self):
        with tempfile.TemporaryDirectory() as folder:  # in place of ranks that end of their own will
            mpirun = pathlib.Path(folder) / "mpirun"
            mpirun.write_text("#!/bin/sh\nprintf '\\002\\005\\003\\002\\004\\003' >&2\nexit 7\n")
            mpirun.chmod(0o755)
            done = run("generate", SMOLLM2, *QUESTION, *HERE,
                       environment={**ENVIRONMENT, "PATH": f"{folder}:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, b"", b""))

    def test_what_is_wrong_at_one_rank_is_said_once(self):
        self.assert_fails(run("generate", "/no/such/model", "-p", "x", *HERE), "rank 0", "no model at /no/such/model")

    def test_a_killed_rank_is_named_once(self):
        with subprocess.Popen([CLEAVE, "generate", SMOLLM2, *STORY, *HERE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=ENVIRONMENT) as job:
            self.assertTrue(job.stdout.read(1))  # it answers
            os.kill(ranks_of(job.pid)[1], signal.SIGKILL)
            _, errors = job.communicate(timeout=SECONDS)
        self.assertNotEqual(job.returncode, 0)
        self.assertRegex(errors.decode(), r"^cleave: error: rank 1 \(host [^\n]*\) died[^\n]*\n$")

    def test_ctrl_c_ends_every_process(self):
        self.end_by(lambda job: os.killpg(job.pid, signal.SIGINT), 130)

    def test_an_interrupt_that_mpirun_does_not_see_ends_every_process(self):
        self.end_by(lambda job: job.send_signal(signal.SIGINT), 130)

    def test_every_process_ends_with_the_program(self):
        self.end_by(lambda job: job.kill(), -signal.SIGKILL)

    def end_by(self, end, code):
        with subprocess.Popen([CLEAVE, "generate", SMOLLM2, *STORY, *HERE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=ENVIRONMENT, start_new_session=True) as job:
            self.assertTrue(job.stdout.read(1))
            ranks = ranks_of(job.pid)
            end(job)
            _, errors = job.communicate(timeout=30)
        self.assertEqual((job.returncode, errors), (code, b""))
        limit = time.monotonic() + 30
        while any(is_alive(rank) for rank in ranks):
            self.assertLess(time.monotonic(), limit, "a rank is left behind")
            time.sleep(0.05)

    def test_a_machine_that_does_not_exist_is_named(self):
        self.assert_fails(run("generate", SMOLLM2, *QUESTION, "--hosts", "localhost:1,no-such-machine.invalid:1"),
                          "no-such-machine.invalid cannot be reached")

    def test_a_missing_mpirun_is_named(self):
        self.assert_fails(run("generate", SMOLLM2, *QUESTION, *HERE, environment={**ENVIRONMENT, "PATH": "/nonexistent"}),
                          "mpirun, which is not in the PATH", "openmpi-bin")

    def test_wrong_hosts_are_wrong_usage(self):
        self.assert_fails(run("generate", SMOLLM2, *QUESTION, "--hosts", "a:0"), '"a:0"', "node1:2", code=2)

    def test_mpirun_and_hosts_exclude_one_another(self):
        self.assert_fails(run("generate", SMOLLM2, *QUESTION, *HERE, environment={**ENVIRONMENT, "OMPI_COMM_WORLD_SIZE": "2"}),
                          "leave one of the two out")


if __name__ == "__main__":
    unittest.main()

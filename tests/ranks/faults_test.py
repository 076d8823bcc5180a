"""Ranks that die, stop, stall or give up under the real mpirun: every other process must name them and exit."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

MPIRUN = os.environ["MPIRUN"]
FAULTS = os.environ["FAULTS"]
SECONDS = 45  # less than the 60 s for which the ranks work when nothing happens


class Job:
    """mpirun with `count` processes, all of them ready."""

    def __init__(self, what, count=3, local_ranks=1):
        self.directory = tempfile.TemporaryDirectory(prefix="cleave_faults_")
        command = [MPIRUN, "-np", str(count), FAULTS, what, str(local_ranks), self.directory.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pids = {}
        while len(self.pids) < count:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"not all processes came up: {self.process.communicate()[1]}")
            if line.startswith("ready "):
                number, pid = line.split()[1:]
                self.pids[int(number)] = int(pid)

    def signal(self, number, which):
        time.sleep(0.3)  # in the midst of its work, not right after the barrier
        os.kill(self.pids[number], which)

    def finish(self):
        """Exit code, {process: its error} and what mpirun printed."""
        try:
            _, text = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        errors = {int(file.name): file.read_text() for file in pathlib.Path(self.directory.name).iterdir()}
        self.directory.cleanup()
        return self.process.returncode, errors, text


class Faults(unittest.TestCase):
    def expect_named(self, job, culprit, words, witnesses):
        code, errors, text = job.finish()
        self.assertNotEqual(code, 0, text)
        self.assertGreaterEqual(set(errors), set(witnesses), f"{errors} {text}")
        for witness in witnesses:
            self.assertTrue(errors[witness].startswith(f"rank{culprit} "), errors)
            self.assertIn(words, errors[witness])

    def test_a_killed_rank_is_named_by_ranks_that_wait_for_it(self):
        job = Job("sum")
        job.signal(1, signal.SIGKILL)
        self.expect_named(job, " 1", "died", [0, 2])

    def test_a_killed_rank_is_named_by_ranks_that_compute(self):
        job = Job("compute")
        job.signal(2, signal.SIGKILL)
        self.expect_named(job, " 2", "died", [0, 1])

    def test_a_killed_rank_0_is_named_by_ranks_that_wait_for_its_next_step(self):
        job = Job("idle")
        job.signal(0, signal.SIGKILL)
        self.expect_named(job, " 0", "died", [1, 2])

    def test_a_killed_rank_is_named_while_rank_0_waits_for_its_user(self):
        job = Job("idle")
        job.signal(2, signal.SIGKILL)
        self.expect_named(job, " 2", "died", [0, 1])

    def test_a_stopped_rank_is_named(self):
        job = Job("sum")
        job.signal(1, signal.SIGSTOP)
        self.expect_named(job, " 1", "stalled", [0, 2])

    def test_a_stopped_rank_is_named_by_ranks_that_compute(self):
        job = Job("compute")
        job.signal(0, signal.SIGSTOP)
        self.expect_named(job, " 0", "stalled", [1, 2])

    def test_a_rank_that_gives_up_is_named_with_its_reason(self):
        self.expect_named(Job("abort"), " 2", "gave up: disk full", [0, 1, 2])

    def test_a_rank_that_neither_computes_nor_communicates_is_named(self):
        self.expect_named(Job("stall"), " 2", "stalled", [0, 1])

    def test_all_ranks_of_a_killed_process_are_named(self):
        job = Job("sum", count=2, local_ranks=2)
        job.signal(0, signal.SIGKILL)
        self.expect_named(job, "s 0-1", "died", [1])

    def test_a_local_rank_that_stalls_or_gives_up_is_named_in_other_processes(self):
        self.expect_named(Job("stall", count=2, local_ranks=2), " 3", "stalled", [0, 1])
        self.expect_named(Job("abort", count=2, local_ranks=2), " 3", "gave up: disk full", [0, 1])

    def test_a_rank_that_stalls_or_gives_up_in_a_part_of_the_group_is_named(self):
        for count, local_ranks in ((4, 1), (2, 2)):
            culprit, others = f" {count * local_ranks - 1}", range(count - 1)
            self.expect_named(Job("part-stall", count, local_ranks), culprit, "stalled", others)
            self.expect_named(Job("part-abort", count, local_ranks), culprit, "gave up: disk full", others)

    def test_long_computation_and_a_thinking_user_are_no_failure(self):
        for what, local_ranks in (("slow", 1), ("think", 1), ("slow", 2)):
            code, errors, text = Job(what, count=2, local_ranks=local_ranks).finish()
            self.assertEqual((code, errors), (0, {}), f"{what}: {text}")


if __name__ == "__main__":
    unittest.main()

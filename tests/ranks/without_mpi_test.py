"""A program that is built without MPI says so where mpirun starts it."""
import os
import subprocess
import unittest

CLEAVE = os.environ["CLEAVE"]


class WithoutMpi(unittest.TestCase):
    def test_started_by_mpirun_it_says_what_is_missing(self):
        for variable in ("OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"):
            done = subprocess.run([CLEAVE, "generate", "model", "-p", "text"], env={**os.environ, variable: "1"},
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("cleave: error: mpirun has started this process, but the program is built without MPI",
                          done.stderr)

    def test_asked_for_several_hosts_it_says_what_is_missing(self):
        done = subprocess.run([CLEAVE, "generate", "model", "-p", "text", "--hosts", "localhost:2"], capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("cleave: error: --hosts needs MPI, and the program is built without", done.stderr)


if __name__ == "__main__":
    unittest.main()

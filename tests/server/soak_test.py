"""A few seconds of soak.py, without limits of time: what bad clients do, idle streams, and more than the queue holds."""
import pathlib
import tempfile
import unittest

import soak
from serving import CLEAVE


class Soak(unittest.TestCase):
    def run_for(self, *flags):
        with tempfile.TemporaryDirectory(prefix="cleave_soak_") as folder:
            options = soak.options_of(["--program", CLEAVE, "--seed", "3", *flags])
            options.model = soak.write_model(pathlib.Path(folder) / "model")
            run = soak.Soak(options)
            problems = run.run()
        self.assertEqual(problems, [], run.report())
        return run

    def test_bad_clients_and_idle_streams_leave_nothing_behind(self):
        run = self.run_for("--seconds", "8", "--idle", "150", "--workers", "12")
        self.assertGreater(run.clients.statuses[200], 0)
        self.assertGreater(run.clients.statuses[400], 0)

    def test_more_than_the_queue_holds_is_refused_with_a_time(self):
        run = self.run_for("--seconds", "3", "--idle", "0", "--workers", "8", "--max-queue", "32", "--overload")
        self.assertGreater(run.clients.statuses[503], 0)


if __name__ == "__main__":
    unittest.main()

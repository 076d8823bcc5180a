"""What the planner predicts follows from the rates that it is given and from the context that it is asked about."""
import json
import pathlib
import tempfile
import unittest

from cleave import DATA, Case, run

MODEL = DATA / "models" / "llama"


class PlanHardware(Case):
    def predictions(self, *flags):
        return json.loads(self.assert_works(run("plan", MODEL, "--tp", "2", "--json", *flags)))["predictions"]

    def with_hardware(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "hardware.json"
        path.write_text(text)
        return path

    def test_a_longer_context_takes_longer(self):
        short, long = (self.predictions("--context", context)[0]["decode_seconds"] for context in ("1", "100000"))
        self.assertLess(short, long)

    def test_halving_every_rate_doubles_the_time(self):
        def hardware(factor):
            return self.with_hardware(json.dumps(
                {"cores": 2, "core_read_bytes_per_second": 1e10 / factor, "machine_read_bytes_per_second": 2e10 / factor,
                 "core_flops": 1e11 / factor, "machine_flops": 2e11 / factor, "call_seconds": 1e-6 * factor,
                 "operation_seconds": 1e-6 * factor, "collective_latency_seconds": 1e-6 * factor,
                 "collective_bytes_per_second": 1e10 / factor}))
        for fast, slow in zip(self.predictions("--hardware", hardware(1)), self.predictions("--hardware", hardware(2))):
            for key in ("decode_seconds", "prefill_seconds"):
                self.assertAlmostEqual(slow[key] / fast[key], 2, places=9)

    def test_a_file_that_is_no_hardware_names_the_key(self):
        self.assert_fails(run("plan", MODEL, "--hardware", self.with_hardware('{"cors": 2}')), 1, "unknown key cors",
                          "cores")
        self.assert_fails(run("plan", MODEL, "--hardware", self.with_hardware('{"cores": 0}')), 1, "cores is 0")


if __name__ == "__main__":
    unittest.main()

"""bench/performance.py: the page that it writes, with Cleave alone and beside peers. How fast anything is, no test says."""
import pathlib
import subprocess
import sys
import unittest

from cleave import CLEAVE, DATA, Case

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench/performance.py"
QUICK = ("--cleave", CLEAVE, "--shape", "tiny", "--types", "bf16", "--prefill", "9", "--decode", "3", "--rounds", "1")
PAGE = "before\n<!-- bench/performance.py: here from here -->\nold\n<!-- here to here -->\nafter\n"

# Answers as peers.sh does: a table that names the file of samples, and a program that ran.
PEERS = r"""#!/usr/bin/env bash
printf '%s\n' "$@" > {folder}/arguments
printf 'peer\tbf16\t2\tpp\t100\npeer\tbf16\t2\ttg\t20\npeer\tbf16\t2\tpp\t120\npeer\tbf16\t2\ttg\t30\n' > {folder}/samples
echo 'samples: {folder}/samples'
"""


class Performance(Case):
    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *map(str, (*QUICK, *arguments))], capture_output=True, timeout=300)

    def test_writes_every_table_between_the_marks(self):
        page = self.folder / "page.md"
        page.write_text(PAGE)
        self.assert_works(self.run_script("-o", page, "--part", "here"))
        text = page.read_text()
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"), text)
        self.assertNotIn("old", text)
        for line in (r"\| read from memory, GB/s \| [0-9.]+ \| [0-9.]+ \|", r"\| bf16 \| 1 \| cleave \| [0-9.]+ \([0-9]+%\) \| [0-9.]+ \([0-9]+%\) \|",
                     r"\| bf16 \| 2 \| cleave --tp 2 \|", r"\| bf16 \| 2 \| \*limit\* \| [0-9.]+ \| [0-9.]+ \|",
                     r"\| bf16 to int4 \| 2 \| [0-9.]+ \| [0-9.]+ \| - \|"):
            self.assertRegex(text, line)

    def test_has_medians_of_peers(self):
        (self.folder / "models/tiny").mkdir(parents=True)
        (self.folder / "models/tiny/bf16.gguf").write_bytes((DATA / "gguf/BF16.gguf").read_bytes())
        peers = self.folder / "peers.sh"
        peers.write_text(PEERS.replace("{folder}", str(self.folder)))
        peers.chmod(0o755)
        text = self.assert_works(self.run_script("--peers", peers, "--peers-dir", self.folder, "--peer", "peer -x 1", "--threads", 2))
        self.assertIn("| bf16 | 2 | peer | 110.0 (18%) | 25.0 (40%) |", text)
        self.assertNotIn(str(self.folder), text)
        arguments = (self.folder / "arguments").read_text().splitlines()
        self.assertEqual(arguments[:2], ["bench", str(self.folder)])
        self.assertIn("peer -x 1", arguments)
        self.assertTrue(any(one.startswith("cleave --tp 2=") for one in arguments), arguments)

    def test_wants_marks_before_it_measures(self):
        page = self.folder / "page.md"
        page.write_text(PAGE)
        done = self.run_script("-o", page, "--part", "elsewhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("elsewhere from here", done.stderr.decode())
        self.assertEqual(page.read_text(), PAGE)


if __name__ == "__main__":
    unittest.main()

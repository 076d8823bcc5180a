"""Plans of public models at full size, over 2, 6 and 16 ranks of the machines in hardware.json, against golden files. The
configurations are not in the repository: where ../shared/data/configs.tar.xz does not lie beside it, the test is skipped.
After a deliberate change write the files anew with CLEAVE_WRITE_GOLDEN=1."""
import os
import pathlib
import sys
import tarfile
import unittest

from cleave import DATA, Case, run

ARCHIVE = DATA.resolve().parents[1].parent / "shared" / "data" / "configs.tar.xz"
MODELS = {
    "deepseek-r1": "xft_deepseek-r1", "llama-4-scout": "meta-llama__Llama-4-Scout-17B-16E-Instruct",
    "llama-4-maverick": "meta-llama__Llama-4-Maverick-17B-128E-Instruct", "gpt-oss-20b": "openai__gpt-oss-20b",
    "falcon-180b": "tiiuae__falcon-180B-chat", "falcon-7b": "tiiuae__falcon-7b", "mpt": "replit-code_mpt",
}


class RealPlans(Case):
    def test_plans_are_unchanged(self):
        with tarfile.open(ARCHIVE) as archive:
            for name, folder in MODELS.items():
                path = self.folder / name / "config.json"
                path.parent.mkdir()
                path.write_bytes(archive.extractfile(f"configs/{folder}/config.json").read())
        for name in MODELS:
            for ranks in (2, 6, 16):
                with self.subTest(model=name, ranks=ranks):
                    text = self.assert_works(run("plan", self.folder / name / "config.json", "--tp", ranks, "--hardware",
                                                 DATA / "hardware.json"))
                    plan = text[text.index("MODULE"):text.index("\npredicted for")]
                    golden = DATA / "golden" / "real" / f"{name}.{ranks}.plan"
                    if "CLEAVE_WRITE_GOLDEN" in os.environ:
                        golden.parent.mkdir(exist_ok=True)
                        golden.write_text(plan)
                    self.assertEqual(plan, golden.read_text())


if __name__ == "__main__":
    if not pathlib.Path(ARCHIVE).exists():
        print(f"skipped: {ARCHIVE.name} is not there")
        sys.exit(77)
    unittest.main()

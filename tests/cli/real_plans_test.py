"""Plans of public models at full size, over 2, 6 and 16 ranks of the machines in hardware.json, against golden files. After a
deliberate change write the files anew with CLEAVE_WRITE_GOLDEN=1.

Two configurations are our own, in tests/data/configs: what Transformers 4.57.6 has as defaults of the classes has the sizes of these
models (Qwen3NextConfig().to_json_string(), JambaConfig().to_json_string(), with architectures and dtype set). The others are not in the
repository: where ../shared/data/configs.tar.xz does not lie beside it, they are skipped."""
import os
import pathlib
import tarfile
import unittest

from cleave import DATA, Case, run

ARCHIVE = DATA.resolve().parents[1].parent / "shared" / "data" / "configs.tar.xz"
ARCHIVED = {
    "deepseek-r1": "xft_deepseek-r1", "llama-4-scout": "meta-llama__Llama-4-Scout-17B-16E-Instruct",
    "llama-4-maverick": "meta-llama__Llama-4-Maverick-17B-128E-Instruct", "gpt-oss-20b": "openai__gpt-oss-20b",
    "falcon-180b": "tiiuae__falcon-180B-chat", "falcon-7b": "tiiuae__falcon-7b", "mpt": "replit-code_mpt",
}
OWN = ("qwen3-next-80b-a3b", "jamba-v0.1")


class RealPlans(Case):
    def assert_unchanged(self, name, config):
        for ranks in (2, 6, 16):
            with self.subTest(model=name, ranks=ranks):
                text = self.assert_works(run("plan", config, "--tp", ranks, "--hardware", DATA / "hardware.json"))
                plan = text[text.index("MODULE"):text.index("\npredicted for")]
                golden = DATA / "golden" / "real" / f"{name}.{ranks}.plan"
                if "CLEAVE_WRITE_GOLDEN" in os.environ:
                    golden.parent.mkdir(exist_ok=True)
                    golden.write_text(plan)
                self.assertEqual(plan, golden.read_text())

    def test_plans_of_own_configurations_are_unchanged(self):
        for name in OWN:
            self.assert_unchanged(name, DATA / "configs" / name / "config.json")

    @unittest.skipUnless(pathlib.Path(ARCHIVE).exists(), f"{ARCHIVE.name} is not there")
    def test_plans_of_archived_configurations_are_unchanged(self):
        with tarfile.open(ARCHIVE) as archive:
            for name, folder in ARCHIVED.items():
                path = self.folder / name / "config.json"
                path.parent.mkdir()
                path.write_bytes(archive.extractfile(f"configs/{folder}/config.json").read())
                self.assert_unchanged(name, path)


if __name__ == "__main__":
    unittest.main()

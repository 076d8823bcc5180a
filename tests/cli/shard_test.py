"""cleave shard: a model that each rank keeps packed loads and answers as the one that it was made from."""

import shutil
import unittest

from cleave import DATA, Case, run

LLAMA = DATA / "models" / "llama"
MODEL = DATA / "tiny-gpt2"


class Shard(Case):
    def shard(self, model, *flags, name="packed"):
        target = self.folder / name
        self.assert_works(run("shard", model, "-o", target, "--threads", "2", *flags))
        return target

    def text(self, model, *flags):
        return self.assert_works(
            run("generate", model, "--raw", "-p", "a b c", "--max-tokens", "4", "--temperature", "0", *flags))

    def test_reference_outputs_agree_exactly(self):
        for ranks in ("1", "2", "3"):
            target = self.shard(LLAMA, "--tp", ranks, "--exact", name=f"exact-{ranks}")
            self.assert_works(
                run("verify", target, "--expected", LLAMA / "expected.safetensors", "--exact", "--tp", ranks))

    def test_answers_are_those_of_the_model_that_was_packed(self):
        for flags in (("--tp", "1"), ("--tp", "2"), ("--tp", "2", "--weights", "int8")):
            target = self.shard(MODEL, *flags, name="-".join(flags))
            wanted = self.text(MODEL, *flags)
            self.assertEqual(self.text(target, *flags), wanted)
            self.assertEqual(self.text(target, "--tp", flags[1], "--map-packed"), wanted)

    def test_the_split_of_the_user_is_kept(self):
        target = self.shard(LLAMA, "--tp", "2", "--rank-weights", "1,2", "--keep", "*down_proj")
        split = ("--rank-weights", "1,2", "--keep", "*down_proj")
        self.assertEqual(self.assert_works(run("plan", target, "--tp", "2")),
                         self.assert_works(run("plan", LLAMA, "--tp", "2", *split)))

    def test_other_wishes_are_refused_by_name(self):
        target = self.shard(MODEL, "--tp", "2")
        generate = ("generate", target, "--raw", "-p", "x", "--max-tokens", "1")
        self.assert_fails(run(*generate, "--tp", "3"), 1, "is packed for 2 ranks, not for 3")
        self.assert_fails(run(*generate, "--tp", "2", "--weights", "int8"), 1, 'packed with weights "stored", wanted "int8"')
        self.assert_fails(run(*generate, "--tp", "2", "--rank-weights", "1,2"), 1, "is split already")
        self.assert_fails(run("shard", target, "--tp", "2", "-o", self.folder / "again"), 1, "is packed already")
        self.assert_fails(run("shard", MODEL, "--tp", "2", "-o", target), 1, "give a folder that is empty")

    def test_damage_is_named(self):
        target = self.shard(MODEL, "--tp", "2")
        generate = ("generate", target, "--raw", "-p", "x", "--max-tokens", "1", "--tp", "2")
        part = target / "rank-001-of-002.packed"
        whole = part.read_bytes()
        part.write_bytes(whole[:-100])
        self.assert_fails(run(*generate), 1, "rank-001-of-002.packed has", "truncated")
        changed = bytearray(whole)
        changed[(2 << 20) + 100] ^= 1
        part.write_bytes(changed)
        self.assert_fails(run(*generate), 1, "rank-001-of-002.packed is damaged")
        part.write_bytes(b"nothing")
        self.assert_fails(run(*generate), 1, "holds no packed weights")
        shutil.copy(target / "rank-000-of-002.packed", part)
        self.assert_fails(run(*generate), 1, "is part 0 of 2")
        part.unlink()
        self.assert_fails(run(*generate), 1, "rank-001-of-002.packed is missing")

    def test_parts_of_two_models_do_not_mix(self):
        one = self.shard(MODEL, "--tp", "2", name="one")
        other = self.shard(MODEL, "--tp", "2", "--rank-weights", "1,2", name="other")
        shutil.copy(other / "rank-001-of-002.packed", one)
        self.assert_fails(run("generate", one, "--raw", "-p", "x", "--tp", "2"), 1, "parts of two runs do not mix")

    def test_a_folder_without_a_description_is_no_model(self):
        target = self.shard(MODEL)
        (target / "packed.json").unlink()
        self.assert_fails(run("generate", target, "--raw", "-p", "x"), 1, "has no weights")


if __name__ == "__main__":
    unittest.main(verbosity=2)

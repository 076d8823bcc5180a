"""Inputs of the kinds that users of other engines reported: each gives what Transformers gives, at any number of ranks,
or is refused with its reason. Those that the repository does not hold are tried where the shared fixtures lie."""

import pathlib
import unittest

from cleave import DATA, Case, run

REPORTS = pathlib.Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "reports"
RANKS = ("1", "2", "3", "5")


def find(name):
    for folder in (DATA / "reports", REPORTS):
        if (folder / name).exists():
            return folder / name
    raise unittest.SkipTest(f"{name} is not beside the checkout")


class Reports(Case):
    def verify(self, model, expected, *flags):
        for ranks in RANKS:
            self.assert_works(run("verify", model, "--expected", expected, "--tp", ranks, *flags))

    def generate(self, model, *flags, wanted):
        for ranks in RANKS:
            done = run("generate", model, "--raw", "--tp", ranks, *flags)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(done.stdout.removesuffix(b"\n"), wanted.removesuffix(b"\n"))

    def test_exact_logits(self):
        for name in ("tied_only_head_stored", "adapter_beside_model", "values_beyond_f16"):
            with self.subTest(name):
                model = find(name)
                self.verify(model, model / "expected.safetensors", "--exact")
        for name in ("gguf_scale_linear", "gguf_factor_without_type"):
            with self.subTest(name):
                self.verify(find(f"{name}.gguf"), find(f"{name}.expected.safetensors"), "--exact")

    def test_logits_beyond_f16(self):
        model = find("values_beyond_f16")
        self.verify(model, model / "expected.safetensors")

    def test_longrope_switches_to_long_factors(self):
        model = find("phi3_longrope_switch")
        self.generate(model, "-f", model / "prompt.txt", "--max-tokens", "16", "--exact",
                      wanted=(model / "wanted.bin").read_bytes())

    def test_greedy_answers_are_penalised(self):
        self.generate(find("greedy_repetition_penalty"), "-p", "x", "--max-tokens", "4",
                      wanted=b"alpha beta alpha alpha ")

    def test_a_sparse_configuration_is_the_one_written_out(self):
        folder = find("gemma3_sparse_config")
        graphs = [self.assert_works(run("graph", folder / f"only_values_missing{end}.json"))
                  for end in ("", ".written_out")]
        self.assertEqual(*graphs)
        plans = [self.assert_works(run("plan", folder / f"sizes_missing{end}.json", "--tp", "2"))
                 for end in ("", ".written_out")]
        self.assertEqual(*[plan.replace(".written_out", "") for plan in plans])

    def test_added_tokens_are_read(self):
        done = run("tokenize", find("added_tokens_decoder"), "--jsonl", text='"a<|new|>b"\n')
        self.assertEqual(self.assert_works(done).strip().replace(" ", ""), "[97,256,98]")

    def test_extra_special_tokens_reach_the_template(self):
        done = run("generate", find("extra_special_tokens"), "-p", "hi", "--max-tokens", "1")
        self.assert_works(done)
        self.assertIn("prompt 2 tokens", done.stderr.decode())

    def test_learned_positions_end_the_context(self):
        self.assert_fails(run("generate", find("learned_positions"), "--raw", "-p", "x", "--context", "20"), 1, "8 positions")

    def test_int8_of_bitsandbytes_is_read(self):
        model = find("bitsandbytes_int8")
        for command in ("verify", "plan"):
            self.assert_works(run(command, model, "--tp", "2"))

    def test_templates(self):
        messages = '{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]}'
        for name, text, wanted in (("groupby_named.jinja", messages, "tool:1 user:1 "), ("str_format_spec.jinja", "{}", "    x|3.14")):
            with self.subTest(name):
                self.assertEqual(self.assert_works(run("template", find(name), text=text)).removesuffix("\n"), wanted)


if __name__ == "__main__":
    unittest.main()

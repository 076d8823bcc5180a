"""`cleave bench MODEL`: what it prints, with files and with made-up weights. How fast anything is, no test says."""
import json
import shutil
import unittest

from cleave import DATA, Case, run

LLAMA = DATA / "models" / "llama"
QUICK = ("--prefill", 9, "--decode", 3, "--repetitions", 2)


class Bench(Case):
    def bare_config(self, name="llama", **changes):
        model = self.copy_model(name, **changes)
        for path in model.iterdir():
            if path.name != "config.json":
                path.unlink()
        return model

    def rows(self, *arguments):
        return json.loads(self.assert_works(run("bench", *arguments, *QUICK, "--json")))

    def test_measures_every_combination(self):
        report = self.rows(LLAMA, "--tp", "1,2", "--threads", "1,2", "--batch", "1,3", "--context", "0,40")
        self.assertEqual(report["architecture"], "LlamaForCausalLM")
        self.assertEqual([(row["ranks"], row["threads"]) for row in report["prefill"]], [(1, 1), (1, 2), (2, 2)])
        self.assertEqual({(row["batch"], row["context"]) for row in report["decode"]}, {(1, 0), (1, 40), (3, 0), (3, 40)})
        self.assertEqual(len(report["decode"]), 3 * 4)
        for row in report["prefill"] + report["decode"]:
            self.assertEqual(len(row["samples"]), 2)
            for key in ("tokens_per_second", "undisturbed_tokens_per_second", "limit_tokens_per_second", "share_of_limit"):
                self.assertGreater(row[key], 0, key)
            self.assertIn(row["limited_by"], ("memory", "arithmetic"))
            self.assertEqual(row["seconds_by_operation"]["exchange"] > 0, row["ranks"] > 1)
        self.assertEqual([(row["ranks"], row["threads"]) for row in report["loading"]], [(1, 1), (1, 2), (2, 2)])
        for row in report["loading"]:
            for key in ("seconds", "bytes_per_second", "file_bytes_per_second"):
                self.assertGreater(row[key], 0, key)
        self.assertEqual([limits["threads"] for limits in report["limits"]], [1, 2])
        self.assertEqual(set(report["limits"][0]["peaks"]), {"f32", "bf16", "int8"})

    def test_prints_tables(self):
        text = self.assert_works(run("bench", LLAMA, "--threads", 1, *QUICK))
        for part in ("LIMITS", "LOADING", "PREFILL", "DECODE", "TIME BY OPERATION", "matmul"):
            self.assertIn(part, text)

    def test_plain_is_one_line_for_programs(self):
        for flags, wanted in (((), r"[0-9.]+ [0-9.]+"), (("--prefill", 0), r"- [0-9.]+"), (("--decode", 0), r"[0-9.]+ -")):
            text = self.assert_works(run("bench", LLAMA, "--plain", "--repetitions", 1, *(flags or QUICK[:4])))
            self.assertRegex(text, rf"^{wanted}\n$")

    def test_predicts_only_with_rates_of_a_machine(self):
        hardware = json.loads((DATA / "hardware.json").read_text())
        slower = {key: value / 2 if key.endswith(("per_second", "flops")) else value * 2 if key.endswith("seconds") else value
                  for key, value in hardware.items() if not isinstance(value, dict)}
        path = self.copy_model("llama") / "slower.json"
        path.write_text(json.dumps(slower))
        as_given, halved = (self.rows(LLAMA, "--tp", 2, "--threads", 2, "--hardware", rates)
                            for rates in (DATA / "hardware.json", path))
        without = self.rows(LLAMA)
        for test in ("prefill", "decode"):
            self.assertNotIn("predicted_tokens_per_second", without[test][0])
            before, after = (report[test][0]["predicted_tokens_per_second"] for report in (as_given, halved))
            self.assertGreater(before, after)
            self.assertGreater(after, 0)

    def test_takes_the_flags_of_a_run(self):
        for flags in (("--exact",), ("--weights", "int8"), ("--isa", "portable"), ("--pin",), ("--tp", 2, "--rank-weights", "2,1"),
                      ("--tp", 2, "--policy", "split", "--keep", "o_proj"), ("--tp", 2, "--threads-per-rank", 1),
                      ("--hardware", DATA / "hardware.json")):
            with self.subTest(flags=flags):
                self.assert_works(run("bench", LLAMA, "--plain", *QUICK, *flags))

    def test_random_weights_need_nothing_but_a_config(self):
        model = self.bare_config()
        for path in (model, model / "config.json"):
            for kind in ("bf16", "f32", "q8_0", "Q4_K"):
                with self.subTest(path=path.name, kind=kind):
                    self.assert_works(run("bench", path, "--random-weights", kind, "--tp", 2, "--plain", *QUICK))
        self.assertNotIn("file_bytes_per_second", self.rows(model, "--random-weights", "bf16")["loading"][0])

    def test_random_weights_make_any_architecture(self):
        for name in ("mixtral", "mamba2", "gpt2", "deepseek-v3"):
            with self.subTest(name=name):
                config = DATA / "models" / name / "config.json"
                self.assert_works(run("bench", config, "--random-weights", "bf16", "--plain", *QUICK))

    def test_random_weights_have_no_blocks_that_a_model_would_cut(self):
        for name, changes in (("gpt2", {"n_embd": 96}), ("gpt-oss", {"hidden_size": 96, "intermediate_size": 64}),
                              ("deepseek-v2-lite-style", {"hidden_size": 96, "kv_lora_rank": 32})):
            with self.subTest(name=name):
                model = self.bare_config(name, **changes)
                self.assert_works(run("bench", model, "--random-weights", "q4_0", "--tp", 2, "--plain", *QUICK))
                shutil.rmtree(model)

    def test_wrong_usage(self):
        for flags, part in ((("--plain", "--tp", "1,2", "--threads", 2), "--plain"), (("--plain", "--json"), "--json"),
                            (("--prefill", 0, "--decode", 0), "--decode"), (("--tp", 2, "--threads", 1), "--threads"),
                            (("--batch", 0), "--batch"), (("--context", "-1"), "--context"), (("--repetitions", 0), "--repetitions"),
                            (("--random-weights", "q9"), "--random-weights"), (("--seed", 3), "--random-weights"),
                            (("--isa", "sse9"), "--isa"), (("--output", "file"), "--output"), (("--kernels",), "--kernels"),
                            (("--threads", 2, "--threads-per-rank", 1), "--threads")):
            with self.subTest(flags=flags):
                self.assert_fails(run("bench", LLAMA, *flags), 2, part)

    def test_says_where_weights_are_missing_or_too_many(self):
        self.assert_fails(run("bench", self.bare_config()), 1, "has no weights")
        self.assert_fails(run("bench", LLAMA, "--random-weights", "bf16"), 1, "has weights", "config.json")


if __name__ == "__main__":
    unittest.main()

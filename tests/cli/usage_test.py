"""Wrong usage ends with exit code 2 and one line; --help and --version are no errors."""
import json
import unittest

from cleave import DATA, Case, run


class Usage(Case):
    def test_help_names_every_command(self):
        text = self.assert_works(run("--help"))
        for command in ("generate", "chat", "plan", "bench", "perplexity", "verify", "models", "graph", "tokenize", "template"):
            self.assertIn(command, text)

    def test_help_of_a_command_names_its_flags(self):
        text = self.assert_works(run("generate", "--help"))
        for flag in ("--prompt", "--file", "--chat", "--raw", "--system", "--max-tokens", "--temperature", "--top-k", "--top-p",
                     "--min-p", "--repeat-penalty", "--seed", "--stop", "--threads", "--exact", "--weights", "--model-def",
                     "--context"):
            self.assertIn(flag, text)

    def test_version(self):
        self.assertRegex(self.assert_works(run("--version")), r"^cleave \d+\.\d+\.\d+\n$")

    def test_a_missing_command_is_named(self):
        self.assert_fails(run(), 2, "a command is missing", "generate", "cleave --help")

    def test_an_unknown_command_suggests_the_nearest(self):
        self.assert_fails(run("generat", "model"), 2, "unknown command generat", "did you mean generate?")

    def test_an_unknown_flag_suggests_the_nearest(self):
        self.assert_fails(run("generate", "model", "--temprature", "0.5"), 2, "--temprature", "did you mean --temperature?",
                          "cleave generate --help")
        self.assert_fails(run("models", "--jsno"), 2, "--jsno", "did you mean --json?")

    def test_a_missing_model_is_wrong_usage(self):
        self.assert_fails(run("generate", "-p", "Hello"), 2, "MODEL")

    def test_a_missing_prompt_is_wrong_usage(self):
        self.assert_fails(run("generate", DATA / "models" / "llama"), 2, "a prompt is missing")

    def test_two_prompts_are_wrong_usage(self):
        self.assert_fails(run("generate", "model", "-p", "a", "-f", "b"), 2, "--file", "--prompt")

    def test_an_argument_too_many_is_wrong_usage(self):
        self.assert_fails(run("generate", "model", "-p", "Hello", "world"), 2, "unexpected argument world")

    def test_values_out_of_range_are_wrong_usage(self):
        for flag, value in (("--temperature", "-1"), ("--temperature", "nan"), ("--temperature", "warm"), ("--top-p", "0"),
                            ("--top-p", "1.5"), ("--min-p", "2"), ("--top-k", "-3"), ("--repeat-penalty", "0"),
                            ("--threads", "0"), ("--threads", "many"), ("--max-tokens", "0"), ("--context", "0"),
                            ("--context", "99999999999"), ("--weights", "int3"), ("--seed", "-1x"), ("--seed", "-1"),
                            ("--seed", "18446744073709551616")):
            with self.subTest(flag=flag, value=value):
                self.assert_fails(run("generate", "model", "-p", "a", flag, value), 2, flag)

    def test_bench_says_what_it_can_measure(self):
        self.assert_fails(run("bench"), 2, "MODEL", "--hardware", "--kernels", "cleave bench --help")
        self.assert_fails(run("bench", "--hardware", "--threads", "0"), 2, "--threads")

    def test_contradicting_flags_are_wrong_usage(self):
        self.assert_fails(run("generate", "model", "-p", "a", "--raw", "--chat"), 2, "--raw", "--chat")
        self.assert_fails(run("generate", "model", "-p", "a", "--exact", "--weights", "int8"), 2, "--exact", "--weights")

    def test_a_flag_without_its_value_is_wrong_usage(self):
        self.assert_fails(run("generate", "model", "-p"), 2, "--prompt")


class Models(Case):
    def test_lists_architectures_with_their_origin(self):
        lines = self.assert_works(run("models")).splitlines()
        self.assertEqual(lines[0].split(), ["ARCHITECTURE", "DEFINITION", "ORIGIN"])
        self.assertIn(["LlamaForCausalLM", "llama.lua", "built-in"], [line.split() for line in lines])

    def test_as_json(self):
        rows = json.loads(self.assert_works(run("models", "--json")))
        self.assertIn({"architecture": "Qwen2ForCausalLM", "definition": "qwen2.lua", "origin": "built-in"}, rows)

    def test_a_definition_of_the_user_replaces_a_built_in_one(self):
        source = (DATA.parent.parent / "models" / "llama.lua").read_text()
        mine = self.folder / "mine.lua"
        mine.write_text(source)
        rows = json.loads(self.assert_works(run("models", "--json", "--model-def", mine)))
        rows = [row for row in rows if row["architecture"] == "LlamaForCausalLM"]
        self.assertEqual(rows, [{"architecture": "LlamaForCausalLM", "definition": "mine.lua", "origin": str(mine)}])

    def test_a_definition_that_is_not_there(self):
        self.assert_fails(run("models", "--model-def", "nowhere.lua"), 1, "nowhere.lua", "does not exist")

    def test_a_definition_with_a_mistake_names_its_line(self):
        wrong = self.folder / "wrong.lua"
        wrong.write_text("local x = 1\nreturn causal_lm {\n")
        self.assert_fails(run("models", "--model-def", wrong), 1, "wrong.lua:")


class Graph(Case):
    def test_prints_the_graph_of_a_model(self):
        text = self.assert_works(run("graph", DATA / "models" / "llama"))
        self.assertIn("model.layers.1.self_attn.q_proj", text)

    def test_a_configuration_alone_gives_the_same_graph(self):
        model = DATA / "models" / "llama"
        self.assertEqual(self.assert_works(run("graph", model / "config.json")), self.assert_works(run("graph", model)))

    def test_one_graph_by_its_name(self):
        model = DATA / "models" / "llama"
        self.assertEqual(self.assert_works(run("graph", model, "--graph", "decode")), self.assert_works(run("graph", model)))
        self.assert_fails(run("graph", model, "--graph", "encode"), 1, "encode", "decode")


if __name__ == "__main__":
    unittest.main()

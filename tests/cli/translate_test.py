"""`cleave generate` with models that read one text and write another, against the texts that Transformers finds."""
import json
import shutil
import unittest

from cleave import DATA, Case, run

MODELS = DATA / "encoder_decoders"


class Translate(Case):
    def make_model(self, name, **settings):
        """A reference model with a tokenizer whose words are w0, w1 ..., of no special tokens."""
        model = self.folder / f"{name}{len(list(self.folder.iterdir()))}"
        shutil.copytree(MODELS / name, model, copy_function=shutil.copyfile)
        tokenizer = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"},
                     "post_processor": None, "decoder": None, "truncation": None, "padding": None,
                     "model": {"type": "WordLevel", "vocab": {f"w{i}": i for i in range(131)}, "unk_token": "w0"}}
        (model / "tokenizer.json").write_text(json.dumps(tokenizer))
        (model / "generation_config.json").write_text(json.dumps(
            {"decoder_start_token_id": json.loads((model / "config.json").read_text())["decoder_start_token_id"], **settings}))
        return model

    def words(self, done):
        return [int(word[1:]) for word in self.assert_works(done).split()]

    def test_writes_the_text_that_transformers_finds(self):
        cases = json.loads((MODELS / "mbart" / "beams.json").read_text())[::4]
        self.assertEqual({case["settings"].get("num_beams", 1) > 1 for case in cases}, {True, False})
        for number, case in enumerate(cases):
            model = self.make_model("mbart", **case["settings"])
            text = " ".join(f"w{token}" for token in case["source"])
            for flags in ((), ("--tp", 3, "--policy", "split")):
                with self.subTest(case=number, flags=flags):
                    self.assertEqual(self.words(run("generate", model, "-p", text, "--exact", *flags)), case["texts"][0])

    def test_takes_a_config_json_where_there_is_no_generation_config_json(self):
        model = self.make_model("bart")
        (model / "generation_config.json").unlink()
        done = run("generate", model, "-p", "w40 w50", "--exact", "--max-tokens", 3)
        self.assertEqual(self.words(done)[2:], [2], "config.json forces the end token")

    def test_flags_go_before_the_settings(self):
        model = self.make_model("bart", forced_bos_token_id=77, forced_eos_token_id=78, num_beams=3, no_repeat_ngram_size=1)
        words = self.words(run("generate", model, "-p", "w40 w50", "--exact", "--max-tokens", 8))
        self.assertEqual((words[0], words[7], len(set(words))), (77, 78, 8))
        words = self.words(run("generate", model, "-p", "w40 w50", "--exact", "--max-tokens", 8, "--beams", 1, "--first-token",
                               "w99", "--no-repeat-ngram", 0, "--suppress-tokens", words[1]))
        self.assertEqual((words[0], words[7]), (99, 78))
        self.assertLess(len(set(words)), 8)

    def test_an_end_token_outside_the_vocabulary_is_none(self):
        model = self.make_model("bart", eos_token_id=1 << 30, min_length=5, max_length=7)
        self.assertEqual(len(self.words(run("generate", model, "-p", "w40", "--exact"))), 6)

    def test_refuses_flags_that_would_do_nothing(self):
        model = self.make_model("bart")
        for flag in (["--chat"], ["--system", "x"], ["--stop", "x"], ["--context", 9], ["--temperature", 1], ["--top-k", 3],
                     ["--top-p", 0.5], ["--min-p", 0.5], ["--seed", 1]):
            with self.subTest(flag=flag):
                self.assert_fails(run("generate", model, "-p", "w4", *flag), 1, flag[0], "leave it out")

    def test_refuses_what_it_cannot_do(self):
        for settings in ({"do_sample": True}, {"num_beam_groups": 2}, {"stop_strings": ["x"]}, {"num_beams": 257}):
            model = self.make_model("bart", **settings)
            self.assert_fails(run("generate", model, "-p", "w4"), 1, *settings)
        model = self.make_model("bart")
        self.assert_fails(run("generate", model, "-p", "w4", "--first-token", "nothing"), 1, 'no token "nothing"')
        self.assert_fails(run("generate", model, "-p", "w4 " * 200), 1, "200 tokens", "128 positions")
        self.assert_fails(run("perplexity", model, "-f", __file__), 1, "cleave generate alone")
        self.assert_fails(run("generate", DATA / "models" / "llama", "-p", "w4", "--beams", 2), 1, "--beams")


if __name__ == "__main__":
    unittest.main()

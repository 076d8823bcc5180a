"""`cleave generate` with models that read one text and write another, against the greedy tokens of Transformers."""
import json
import shutil
import unittest

from cleave import DATA, Case, read_safetensors, run

MODELS = DATA / "encoder_decoders"


def ids_of(tensors, name):
    content = tensors[name][2]
    return [int.from_bytes(content[i:i + 4], "little") for i in range(0, len(content), 4)]


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

    def test_writes_the_tokens_that_transformers_chooses_greedily(self):
        for name in ("bart",):
            model, tensors = self.make_model(name, forced_eos_token_id=None, eos_token_id=[]), read_safetensors(MODELS / name / "expected.safetensors")
            config = json.loads((model / "config.json").read_text())
            for key in ("forced_eos_token_id", "eos_token_id"):
                config.pop(key, None)
            (model / "config.json").write_text(json.dumps(config))
            for i in range(2):
                wanted = ids_of(tensors, f"greedy_{i}")[1:]
                if not wanted:
                    continue
                text = " ".join(f"w{token}" for token in ids_of(tensors, f"input_ids_{i}"))
                for flags in ((), ("--tp", 3, "--policy", "split")):
                    with self.subTest(model=name, case=i, flags=flags):
                        done = run("generate", model, "-p", text, "--exact", "--max-tokens", len(wanted), *flags)
                        self.assertEqual(self.words(done), wanted)

    def test_ends_as_the_settings_say(self):
        model = self.make_model("bart", forced_bos_token_id=77, forced_eos_token_id=78)
        self.assertEqual(self.words(run("generate", model, "-p", "w40 w50", "--exact", "--max-tokens", 2)), [77, 78])
        done = run("generate", model, "-p", "w40 w50", "--exact", "--max-tokens", 3, "--first-token", "w99", "--beams", 3)
        self.assertEqual(self.words(done)[0], 99)

    def test_refuses_what_it_cannot_do(self):
        model = self.make_model("bart", do_sample=True)
        self.assertIn(b"do_sample", run("generate", model, "-p", "w4").stderr)
        model = self.make_model("bart")
        self.assertIn(b'no token "nothing"', run("generate", model, "-p", "w4", "--first-token", "nothing").stderr)
        self.assert_fails(run("generate", model, "-p", "w4 " * 200), 1, "200 tokens", "128 positions")
        self.assert_fails(run("perplexity", model, "-f", __file__), 1, "cleave generate alone")
        self.assert_fails(run("generate", DATA / "models" / "llama", "-p", "w4", "--beams", 2), 1, "--beams")


if __name__ == "__main__":
    unittest.main()

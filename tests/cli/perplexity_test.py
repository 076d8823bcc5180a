"""`cleave perplexity` against what the reference logits of a fixture say."""
import json
import math
import struct
import unittest

from cleave import DATA, Case, read_safetensors, run


def log_probability(logits, token):
    largest = max(logits)
    return logits[token] - largest - math.log(sum(math.exp(x - largest) for x in logits))


class Perplexity(Case):
    def setUp(self):
        super().setUp()
        self.model = self.copy_model("llama")
        config = json.loads((self.model / "config.json").read_text())
        self.vocabulary = config["vocab_size"]
        words = {f"w{i}": i for i in range(self.vocabulary)}
        (self.model / "tokenizer.json").write_text(json.dumps(
            {"version": "1.0", "pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "WordLevel", "vocab": words, "unk_token": "w0"}}))
        expected = read_safetensors(DATA / "models" / "llama" / "expected.safetensors")
        dtype, shape, content = expected["input_ids_0"]
        self.ids = list(struct.unpack(f"<{shape[0]}{'q' if dtype == 'I64' else 'i'}", content))
        dtype, shape, content = expected["logits_0"]
        self.assertEqual(dtype, "F32")
        flat = struct.unpack(f"<{math.prod(shape)}f", content)
        self.logits = [flat[i * self.vocabulary:(i + 1) * self.vocabulary] for i in range(len(self.ids))]

    def text(self, ids):
        path = self.folder / "text.txt"
        path.write_text(" ".join(f"w{i}" for i in ids))
        return path

    def result(self, *flags):
        return json.loads(self.assert_works(run("perplexity", self.model, "-f", self.text(self.ids), "--exact", "--json", *flags)))

    def nll(self, first_counted, end=None):
        scores = [-log_probability(self.logits[i - 1], self.ids[i]) for i in range(first_counted, end or len(self.ids))]
        return sum(scores) / len(scores)

    def test_agrees_with_the_reference_logits(self):
        whole = len(self.ids)
        for flags, first in ((("--context", whole, "--stride", whole), 1), (("--context", whole), whole // 2 + 1)):
            with self.subTest(flags=flags):
                result = self.result(*flags)
                self.assertEqual(result["tokens"], whole - first)
                self.assertAlmostEqual(result["nll"], self.nll(first), places=4)
                self.assertAlmostEqual(result["perplexity"], math.exp(result["nll"]), places=6)

    def test_does_not_depend_on_ranks(self):
        self.assertAlmostEqual(self.result("--context", 8, "--tp", 3)["nll"], self.result("--context", 8)["nll"], places=5)

    def test_takes_the_first_tokens_only(self):
        result = self.result("--tokens", 6, "--context", 6, "--stride", 6)
        self.assertEqual(result["tokens"], 5)
        self.assertAlmostEqual(result["nll"], self.nll(1, 6), places=4)

    def test_prints_figures_and_method(self):
        text = self.assert_works(run("perplexity", self.model, "-f", self.text(self.ids), "--context", 8))
        self.assertRegex(text, r"^perplexity [0-9.]+ \+/- [0-9.]+\nmean NLL [0-9.]+ \+/- [0-9.]+ over \d+ tokens, in \d+ windows of "
                               r"8 tokens, of which the second half counts\n$")

    def test_wrong_usage(self):
        path = self.text(self.ids)
        for flags, part in (((), "--file"), (("-f", path, "--context", 1), "--context"), (("-f", path, "--stride", 0), "--stride"),
                            (("-f", path, "--context", 8, "--stride", 9), "--stride"), (("-f", path, "--tokens", 1), "--tokens")):
            with self.subTest(flags=flags):
                self.assert_fails(run("perplexity", self.model, *flags), 2, part)

    def test_says_what_a_text_lacks(self):
        self.assert_fails(run("perplexity", self.model, "-f", self.text([1, 2, 3])), 1, "3 tokens", "512", "--context")
        self.assert_fails(run("perplexity", self.model, "-f", self.text([1]), "--stride", 4), 1, "1 tokens", "2")
        self.assert_fails(run("perplexity", self.model, "-f", self.folder / "nowhere"), 1, "cannot open", "nowhere")
        self.assert_fails(run("perplexity", DATA / "models" / "llama", "-f", self.text(self.ids)), 1, "tokenizer")


if __name__ == "__main__":
    unittest.main()

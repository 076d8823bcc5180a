"""`cleave embed`: vectors of texts from an encoder whose last states Transformers computed, and the modules behind it."""
import json
import math
import shutil
import struct
import unittest

from cleave import DATA, Case, read_safetensors, run

ENCODER = DATA / "encoders" / "bert"
PLAIN = {"pooling_mode_mean_tokens": True}


def states():
    """[(ids, [vector of each token])] of the reference encoder."""
    tensors = read_safetensors(ENCODER / "expected.safetensors")
    cases = []
    for i in range(2):
        _, shape, content = tensors[f"hidden_{i}"]
        numbers = struct.unpack(f"<{len(content) // 4}f", content)
        ids = [int.from_bytes(tensors[f"input_ids_{i}"][2][4 * k:4 * k + 4], "little") for k in range(shape[0])]
        cases.append((ids, [numbers[k * shape[1]:(k + 1) * shape[1]] for k in range(shape[0])]))
    return cases


def mean(vectors):
    return [sum(column) / len(vectors) for column in zip(*vectors)]


def unit(vector):
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


def word(token):
    return {1: "<s>", 2: "</s>"}.get(token, f"w{token}")


def text_of(ids):
    """A text of these tokens: token 40 is the word w40."""
    return " ".join(word(i) for i in ids)


class Embed(Case):
    def setUp(self):
        super().setUp()
        self.cases = states()
        self.texts = [text_of(ids) for ids, _ in self.cases]
        self.means = [mean(vectors) for _, vectors in self.cases]

    def make_model(self, pooling=PLAIN, modules=("Transformer", "Pooling"), around=None, last_type=0, **files):
        """The reference encoder with a tokenizer of words, and the modules that sentence-transformers would have."""
        model = self.folder / f"model{len(list(self.folder.iterdir()))}"
        shutil.copytree(ENCODER, model, copy_function=shutil.copyfile)
        special = [{"id": i, "content": word(i), "special": True, "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": False} for i in (1, 2)]
        template = [{"Sequence": {"id": "A", "type_id": 0}}]
        if around:
            template = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, *template, {"SpecialToken": {"id": "</s>", "type_id": last_type}}]
        tokenizer = {
            "version": "1.0", "added_tokens": special, "normalizer": None, "pre_tokenizer": {"type": "Whitespace"},
            "decoder": None, "truncation": None, "padding": None,
            "post_processor": {"type": "TemplateProcessing", "single": template,
                               "pair": [*template, {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {word(i): {"id": word(i), "ids": [i], "tokens": [word(i)]} for i in (1, 2)}},
            "model": {"type": "WordLevel", "vocab": {word(i): i for i in range(131)}, "unk_token": "w0"}}
        (model / "tokenizer.json").write_text(json.dumps(tokenizer))
        if modules:
            (model / "modules.json").write_text(json.dumps([
                {"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{name}",
                 "type": f"sentence_transformers.models.{name}"} for i, name in enumerate(modules)]))
            (model / "1_Pooling").mkdir()
            (model / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
        for name, content in files.items():
            (model / f"{name}.json").write_text(json.dumps(content))
        return model

    def vectors(self, done):
        return [json.loads(line) for line in self.assert_works(done).splitlines()]

    def assert_near(self, got, wanted):
        self.assertEqual([len(vector) for vector in got], [len(vector) for vector in wanted])
        for a, b in zip(got, wanted):
            largest = max(map(abs, b))
            self.assertLess(max(abs(x - y) for x, y in zip(a, b)), 1e-4 * largest)

    def test_gives_the_mean_of_tokens_for_each_line(self):
        model = self.make_model()
        got = self.vectors(run("embed", model, "--exact", text="\n".join(self.texts) + "\n"))
        self.assert_near(got, self.means)

    def test_reads_files_and_json_strings_and_splits_over_ranks(self):
        model, file = self.make_model(), self.folder / "texts.jsonl"
        file.write_text("".join(json.dumps(text) + "\n" for text in self.texts * 40))
        got = self.vectors(run("embed", model, "--exact", "--jsonl", "-f", file, "--tp", 3, "--policy", "split"))
        self.assert_near(got, self.means * 40)

    def test_pools_as_the_modules_say(self):
        first, last = self.cases[0][1][0], self.cases[0][1][-1]
        for pooling, wanted in (({"pooling_mode_cls_token": True}, list(first)), ({"pooling_mode_lasttoken": True}, list(last)),
                                ({"pooling_mode": ["cls", "lasttoken"]}, [*first, *last])):
            got = self.vectors(run("embed", self.make_model(pooling), "--exact", "-p", self.texts[0]))
            self.assert_near(got, [wanted])

    def test_normalises_and_cuts_vectors(self):
        model = self.make_model(modules=("Transformer", "Pooling", "Normalize"))
        got = self.vectors(run("embed", model, "--exact", "-p", self.texts[0]))
        self.assert_near(got, [unit(self.means[0])])
        got = self.vectors(run("embed", model, "--exact", "-p", self.texts[0], "--dimensions", 10))
        self.assert_near(got, [unit(self.means[0])[:10]])
        got = self.vectors(run("embed", model, "--exact", "-p", self.texts[0], "--dimensions", 10, "--normalize"))
        self.assert_near(got, [unit(self.means[0][:10])])
        self.assert_fails(run("embed", model, "-p", "w4", "--dimensions", 49), 1, "--dimensions 49", "48 numbers")

    def test_writes_an_array_for_numpy(self):
        file = self.folder / "out.npy"
        done = run("embed", self.make_model(), "--exact", "--npy", file, text="\n".join(self.texts))
        self.assertEqual(self.assert_works(done), "")
        content = file.read_bytes()
        self.assertEqual(content[:8], b"\x93NUMPY\x01\x00")
        size = int.from_bytes(content[8:10], "little")
        self.assertEqual((10 + size) % 64, 0)
        header = eval(content[10:10 + size], {"__builtins__": {}}, {})  # noqa: S307: a literal that the program wrote
        self.assertEqual(header, {"descr": "<f4", "fortran_order": False, "shape": (2, 48)})
        numbers = struct.unpack("<96f", content[10 + size:])
        self.assert_near([numbers[:48], numbers[48:]], self.means)

    def test_puts_prompts_before_texts(self):
        ids = self.cases[0][0]
        prompts = {"prompts": {"query": text_of(ids[:3]) + " ", "none": ""}, "default_prompt_name": "none"}
        rest = text_of(ids[3:])
        model = self.make_model(config_sentence_transformers=prompts)
        self.assert_near(self.vectors(run("embed", model, "--exact", "-p", rest, "--prompt-name", "query")), [self.means[0]])
        self.assert_near(self.vectors(run("embed", model, "--exact", "-p", rest, "--prompt", text_of(ids[:3]) + " ")),
                         [self.means[0]])
        self.assert_fails(run("embed", model, "-p", rest, "--prompt-name", "nobody"), 1, 'no prompt "nobody"', '"query"')
        prompts["default_prompt_name"] = "query"
        pooling = {**PLAIN, "include_prompt": False}
        model = self.make_model(pooling, config_sentence_transformers=prompts)
        self.assert_near(self.vectors(run("embed", model, "--exact", "-p", rest)), [mean(self.cases[0][1][3:])])

    def test_cuts_long_texts_between_the_special_tokens(self):
        ids = self.cases[0][0]
        plain = self.make_model()
        model = self.make_model(around=True, sentence_bert_config={"max_seq_length": 6, "do_lower_case": False})
        wanted = self.vectors(run("embed", plain, "--exact", "-p", text_of([1, *ids[:4], 2])))
        done = run("embed", model, "--exact", "-p", self.texts[0])
        self.assert_near(self.vectors(done), wanted)
        self.assertIn("1 were longer than the model reads", done.stderr.decode())
        self.assert_fails(run("embed", model, "-p", self.texts[0], "--refuse-long"), 1, "text 1", "more than 6 tokens")
        (model / "tokenizer_config.json").write_text(json.dumps({"truncation_side": "left"}))
        wanted = self.vectors(run("embed", plain, "--exact", "-p", text_of([1, *ids[-4:], 2])))
        self.assert_near(self.vectors(run("embed", model, "--exact", "-p", self.texts[0])), wanted)
        self.assert_fails(run("embed", model, "-p", "w4", "--max-length", 129), 1, "129 tokens", "128 positions")
        self.assert_fails(run("embed", model, "-p", "w4", "--max-length", 2), 1, "2 are special")

    def test_says_what_it_does_without_modules(self):
        done = run("embed", self.make_model(modules=None), "--exact", "-p", self.texts[0])
        self.assert_near(self.vectors(done), [self.means[0]])
        self.assertIn("no modules.json", done.stderr.decode())

    def test_refuses_what_gives_no_vectors_and_encoders_that_continue_no_text(self):
        done = run("embed", DATA / "models" / "llama", "-p", "w4")
        self.assertEqual(done.returncode, 1)
        self.assertIn("LlamaForCausalLM gives logits", done.stderr.decode())
        for command in (["generate", "-p", "w4"], ["perplexity", "-f", __file__], ["bench"]):
            self.assert_fails(run(command[0], self.make_model(), *command[1:]), 1, "BertModel", "cleave embed")
        self.assert_fails(run("embed", self.make_model()), 1, "there is no text")

    def test_refuses_types_of_tokens_that_it_does_not_feed(self):
        model = self.make_model(around=True, last_type=2)
        self.assert_fails(run("embed", model, "-p", "w40"), 1, "tokenizer.json gives some tokens of a text another type than 0")


if __name__ == "__main__":
    unittest.main()

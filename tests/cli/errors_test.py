"""Models that cannot be run: exit code 1, one line that says what was seen and what was wanted."""
import json
import math
import struct
import unittest

from cleave import DATA, SMOLLM2, Case, read_safetensors, run


def generate(model, *more):
    return run("generate", model, "-p", "Hello", "--max-tokens", "4", *more)


class BadModels(Case):
    def test_a_path_that_is_not_there(self):
        self.assert_fails(generate(self.folder / "nothing"), 1, "no model at", "nothing")

    def test_a_directory_without_a_configuration(self):
        self.assert_fails(generate(self.folder), 1, "no config.json in", str(self.folder))

    def test_a_file_that_is_no_model(self):
        path = self.folder / "notes.txt"
        path.write_text("Hello")
        self.assert_fails(generate(path), 1, "notes.txt is no model")

    def test_a_configuration_that_is_no_json(self):
        model = self.copy_model()
        (model / "config.json").write_text("{ \"architectures\": [")
        self.assert_fails(generate(model), 1, "config.json")

    def test_a_configuration_alone_cannot_generate(self):
        self.assert_fails(generate(DATA / "models" / "llama" / "config.json"), 1, "has no weights")

    def test_a_million_layers(self):
        model = self.copy_model(num_hidden_layers=1_000_000)
        self.assert_fails(run("plan", model / "config.json"), 1, "llama.lua", "more than 100000 operations", "number of layers")

    def test_an_empty_file(self):
        path = self.folder / "empty.gguf"
        path.write_bytes(b"")
        self.assert_fails(generate(path), 1, "empty.gguf")

    def test_a_truncated_file_of_weights(self):
        model = self.copy_model()
        weights = model / "model.safetensors"
        for size in (0, 4, 100, weights.stat().st_size - 1):
            with self.subTest(size=size):
                weights.write_bytes((DATA / "models" / "llama" / "model.safetensors").read_bytes()[:size])
                self.assert_fails(generate(model), 1, "model.safetensors")

    def test_a_truncated_gguf_file(self):
        path = self.folder / "cut.gguf"
        whole = (DATA / "gguf" / "Q4_K.gguf").read_bytes()
        for size in (6, 40, len(whole) // 2, len(whole) - 1):
            with self.subTest(size=size):
                path.write_bytes(whole[:size])
                self.assert_fails(generate(path), 1, "cut.gguf")

    def test_a_missing_shard(self):
        model = self.copy_model()
        (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
        (model / "model.safetensors.index.json").write_text(json.dumps(
            {"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}))
        self.assert_fails(generate(model), 1, "model-00002-of-00002.safetensors", "missing")

    def test_shapes_that_contradict_the_configuration(self):
        for key, value in (("hidden_size", 60), ("intermediate_size", 90), ("num_key_value_heads", 2), ("vocab_size", 140)):
            with self.subTest(key=key):
                model = self.copy_model(**{key: value})
                self.assert_fails(run("graph", model), 1, "[")
                self.tearDownModel(model)

    def tearDownModel(self, model):
        for path in model.iterdir():
            path.unlink()
        model.rmdir()

    def test_weights_that_memory_does_not_hold(self):
        # A file of 9 TB by its length, most of it a hole.
        layers, wide = 8, 4_000_000_000
        model = self.copy_model(intermediate_size=wide, num_hidden_layers=layers)
        tensors = {}
        for name, (_, shape, _) in read_safetensors(model / "model.safetensors").items():
            for layer in range(layers if ".0." in name else 1):
                tensors[name.replace(".0.", f".{layer}.")] = [wide if size == 88 else size for size in shape]
        header, end = {}, 0
        for name, shape in tensors.items():
            begin, end = end, end + 2 * math.prod(shape)
            header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
        text = json.dumps(header).encode()
        with open(model / "model.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            try:
                file.truncate(8 + len(text) + end)
            except OSError as error:
                self.skipTest(f"no file of that length here: {error}")
        for flags in ((), ("--tp", 2)):
            self.assert_fails(run("bench", model, *flags), 1, "TB of memory", "left", "--weights")

    def test_a_missing_tensor(self):
        model = self.copy_model(num_hidden_layers=3)
        self.assert_fails(generate(model), 1, "model.layers.2.")

    def test_an_unknown_architecture_names_the_nearest_and_the_flag(self):
        model = self.copy_model(architectures=["LamaForCausalLM"])
        self.assert_fails(generate(model), 1, "LamaForCausalLM", "LlamaForCausalLM", "--model-def")

    def test_no_architecture(self):
        model = self.copy_model(architectures=None, model_type="cuneiform")
        self.assert_fails(generate(model), 1, "architecture", "cuneiform")

    def test_no_tokenizer(self):
        self.assert_fails(generate(DATA / "models" / "llama"), 1, "has no tokenizer: wanted tokenizer.json")

    def test_a_tokenizer_of_another_kind(self):
        model = self.copy_model()
        (model / "tokenizer.json").write_text(json.dumps({"model": {"type": "Cuneiform", "vocab": {}}}))
        self.assert_fails(generate(model), 1, "tokenizer.json", "Cuneiform")

    def test_a_tokenizer_file_of_another_kind(self):
        model = self.copy_model()
        (model / "tokenizer.model").write_bytes(b"\x0a\x00")
        self.assert_fails(generate(model), 1, "tokenizer.model", "no unknown piece")

    def test_names_with_control_characters_stay_on_one_line(self):
        self.assert_fails(generate(self.folder / "two\nlines\x1b[31m"), 1, "no model at")


class BadRequests(Case):
    def test_a_prompt_file_that_is_not_there(self):
        self.assert_fails(run("generate", SMOLLM2, "-f", self.folder / "none.txt"), 1, "none.txt")

    def test_a_prompt_that_does_not_fit_the_context(self):
        self.assert_fails(run("generate", SMOLLM2, "--raw", "-p", "word " * 50, "--context", "20"), 1, "tokens, which leaves no room",
                          "20")

    def test_an_empty_prompt(self):
        self.assert_fails(run("generate", SMOLLM2, "--raw", "-p", ""), 1, "no tokens")

    def test_chat_with_a_model_that_has_no_format_for_it(self):
        model = self.copy_model()
        tokenizer = DATA / "tokenizers" / "bpe-gpt2" / "tokenizer.json"
        (model / "tokenizer.json").write_bytes(tokenizer.read_bytes())
        self.assert_fails(run("chat", model), 1, "no chat format")
        self.assert_fails(generate(model, "--chat"), 1, "no chat format")
        self.assert_fails(generate(model, "--system", "Be brief."), 1, "--system needs a chat format")


if __name__ == "__main__":
    unittest.main()

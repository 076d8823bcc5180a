"""Checkpoints that are laid out otherwise than the reference models, and those that are none: read as Transformers reads them,
or refused in one line that says what they are and what to do."""
import json
import unittest

from cleave import DATA, Case, read_safetensors, run, write_safetensors

LLAMA = DATA / "models" / "llama"
REPORTS = DATA / "reports"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5000000000\n"


class Layouts(Case):
    def verify(self, model, *more, expected=LLAMA / "expected.safetensors"):
        return run("verify", model, "--expected", expected, "--exact", *more)

    def rewrite(self, model, change):
        """Changes the dictionary of a model's tensors."""
        tensors = read_safetensors(model / "model.safetensors")
        changed = change(tensors) or tensors
        write_safetensors(model / "model.safetensors", changed)

    def test_one_prefix_that_all_names_share(self):
        for prefix in ("module.", "_orig_mod.", "any.two."):
            for dropped in ("", "model."):
                with self.subTest(prefix=prefix, dropped=dropped):
                    model = self.copy_model()
                    self.rewrite(model, lambda tensors: {prefix + name.removeprefix(dropped): tensor
                                                         for name, tensor in tensors.items()})
                    self.assert_works(self.verify(model))
                    self.remove_model()

    def test_a_prefix_of_stacked_experts(self):
        model = self.copy_model("mixtral")
        self.rewrite(model, lambda tensors: {"module." + name: tensor for name, tensor in tensors.items()})
        self.assert_works(self.verify(model, expected=model / "expected.safetensors"))

    def remove_model(self):
        for path in (self.folder / "model").iterdir():
            path.unlink()
        (self.folder / "model").rmdir()

    def write_index(self, model, more):
        tensors = read_safetensors(model / "model.safetensors")
        shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        names = sorted(tensors)
        halves = (names[::2], names[1::2])
        index = {}
        for shard, half in zip(shards, halves):
            write_safetensors(model / shard, {name: tensors[name] for name in half})
            index.update({name: shard for name in half})
        (model / "model.safetensors").unlink()
        index.update(more(index, shards))
        (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))

    def test_an_index_that_names_what_no_part_needs(self):
        model = self.copy_model()
        self.write_index(model, lambda index, shards: {"model.rotary_emb.inv_freq": shards[0]})
        done = self.verify(model)
        self.assert_works(done)
        self.assertIn('lists a tensor that no file holds, "model.rotary_emb.inv_freq"', done.stderr.decode())

    def test_an_index_that_mistakes_the_shard(self):
        model = self.copy_model()
        self.write_index(model, lambda index, shards: {"lm_head.weight": shards[1 - shards.index(index["lm_head.weight"])]})
        done = self.verify(model)
        self.assert_works(done)
        self.assertEqual(done.stderr, b"")

    def test_an_index_that_names_what_is_needed_and_not_there(self):
        model = self.copy_model()
        self.rewrite(model, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != "model.norm.weight"})
        self.write_index(model, lambda index, shards: {"model.norm.weight": shards[0]})
        done = self.verify(model)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: model definition", done.stderr.decode())
        self.assertIn("weight model.norm.weight is not in the checkpoint", done.stderr.decode())

    def test_types_that_are_not_read_and_nothing_wants(self):
        model = self.copy_model()
        self.rewrite(model, lambda tensors: tensors.update({
            "vision.a": ("F4", [4], bytes(2)), "vision.b": ("C64", [2], bytes(16)), "vision.c": ("F8_SOMETHING", [], b"x")}))
        self.assert_works(self.verify(model))

    def test_a_type_that_is_not_read_and_is_wanted(self):
        # A bias is used only where there is one: one that cannot be read must not count as absent.
        for name, shape in (("model.layers.0.self_attn.q_proj.weight", [48, 48]), ("model.layers.1.mlp.down_proj.bias", [48])):
            model = self.copy_model()
            self.rewrite(model, lambda tensors: tensors.update({name: ("C64", shape, bytes(8 * shape[0] * shape[-1]))}))
            self.assert_fails(self.verify(model), 1, name, '"C64"')
            self.remove_model()

    def test_no_architecture_or_the_bare_model(self):
        for architectures in (None, [], ["LlamaModel"], ["LlamaPreTrainedModel"]):
            model = self.copy_model(architectures=architectures)
            done = self.verify(model)
            self.assert_works(done)
            self.assertIn("computed as LlamaForCausalLM", done.stderr.decode())
            self.remove_model()

    def test_an_architecture_that_is_no_language_model(self):
        for architecture in ("LlamaForSequenceClassification", "MistralModel"):
            model = self.copy_model(architectures=[architecture])
            self.assert_fails(self.verify(model), 1, architecture)
            self.remove_model()

    def test_the_folder_of_the_cache_of_hugging_face(self):
        cached = self.folder / "models--org--name"
        snapshot = cached / "snapshots" / "0123456789abcdef"
        snapshot.parent.mkdir(parents=True)
        self.copy_model().rename(snapshot)
        self.assert_works(self.verify(cached))
        (cached / "snapshots" / "fedcba9876543210").mkdir()
        self.assert_fails(self.verify(cached), 1, "has 2 snapshots", "refs/main")
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("0123456789abcdef")
        self.assert_works(self.verify(cached))
        self.assert_fails(self.verify(self.folder), 1, "no config.json", "models--org--name")
        (cached / "refs" / "main").write_text("../../secret")
        self.assert_fails(self.verify(cached), 1, "refs/main", "wanted the name of a folder")
        (cached / "refs" / "main").write_text("00")
        self.assert_fails(self.verify(cached), 1, "names snapshot 00, which is missing")


class Adapters(Case):
    def test_a_lora_beside_the_model_is_applied(self):
        model = REPORTS / "adapter_beside_model"
        for flags in (("--exact",), (), ("--exact", "--tp", 2), ("--exact", "--tp", 5)):
            done = run("verify", model, "--expected", model / "expected.safetensors", *flags)
            self.assert_works(done)
            self.assertIn("the adapter beside the model", done.stderr.decode())


class Tied(Case):
    def test_only_the_head_is_stored(self):
        model = REPORTS / "tied_only_head_stored"
        self.assert_works(run("verify", model, "--expected", model / "expected.safetensors", "--exact"))
        self.assert_works(run("verify", model, "--expected", model / "expected.safetensors", "--exact", "--tp", 3))

    def test_a_stored_head_that_differs_counts_with_a_warning(self):
        model = self.copy_model(tie_word_embeddings=True)
        done = run("verify", model, "--expected", LLAMA / "expected.safetensors", "--exact")
        self.assert_works(done)
        self.assertIn("lm_head.weight and model.embed_tokens.weight are both stored and differ", done.stderr.decode())

    def test_a_stored_head_that_is_the_embedding_needs_no_warning(self):
        model = self.copy_model("qwen2")
        config = json.loads((model / "config.json").read_text())
        tensors = read_safetensors(model / "model.safetensors")
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
        write_safetensors(model / "model.safetensors", tensors)
        (model / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
        self.assertEqual(run("graph", model).stderr, b"")


class Lengths(Case):
    """Phi's longrope: all is computed anew once a text exceeds the original length."""
    MODEL = REPORTS / "phi3_longrope_switch"

    def answer(self, text, count, *flags):
        """Of the model, whose tokens are bytes."""
        path = self.folder / "prompt"
        path.write_bytes(text)
        done = run("generate", self.MODEL, "--raw", "-f", path, "--max-tokens", count, "--exact", *flags)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def test_an_answer_that_passes_the_length_is_that_of_ever_longer_prompts(self):
        prompt = (self.MODEL / "prompt.txt").read_bytes()
        text = prompt
        for _ in range(16):
            text += self.answer(text, 1)
        self.assertLess(len(prompt), 18)
        for flags in ((), ("--tp", 2), ("--tp", 3)):
            self.assertEqual(prompt + self.answer(prompt, 16, *flags), text)

    def test_verify_feeds_inputs_past_the_length(self):
        for name in ("models/phi3-longrope", "models_v5saved/phi3-longrope"):
            model = DATA / name
            lines = self.assert_works(run("verify", model, "--expected", model / "expected.safetensors", "--exact")).splitlines()
            rows = [line for line in lines if "past 18" in line]
            self.assertEqual([row.split()[0] for row in rows], ["0"], "the other input is shorter")
            self.assertIn("12 of 12", rows[0])

    def test_inputs_of_one_to_three_tokens(self):
        whole = read_safetensors(LLAMA / "expected.safetensors")
        for length in (1, 2, 3):
            ids, logits = whole["input_ids_0"], whole["logits_0"]
            path = self.folder / "short.safetensors"
            write_safetensors(path, {"input_ids": ("I32", [length], ids[2][:4 * length]),
                                     "logits": ("F32", [length, logits[1][1]], logits[2][:4 * length * logits[1][1]])})
            self.assert_works(run("verify", LLAMA, "--expected", path, "--exact"))


class Ranges(Case):
    def test_keys_and_values_beyond_the_range_of_f16(self):
        model = REPORTS / "values_beyond_f16"
        for flags in ((), ("--tp", 2), ("--kv", "int8"), ("--exact",)):
            self.assert_works(run("verify", model, "--expected", model / "expected.safetensors", *flags))


class Refused(Case):
    def fails(self, path, *parts):
        self.assert_fails(run("plan", path), 1, *parts)

    def test_pointers_of_git_lfs(self):
        for name in ("model.safetensors", "config.json"):
            model = self.copy_model()
            (model / name).write_text(LFS)
            self.fails(model, name, "git-lfs pointer", '"git lfs pull"')
            Layouts.remove_model(self)
        path = self.folder / "model.gguf"
        path.write_text(LFS)
        self.fails(path, "model.gguf", "git-lfs pointer")
        path = self.folder / "tokenizer.json"
        path.write_text(LFS)
        self.assert_fails(run("tokenize", path, "-p", "x"), 1, "tokenizer.json", "git-lfs pointer")

    def test_weights_of_pytorch_alone(self):
        for name in ("pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "consolidated.00.pth", "tf_model.h5"):
            model = self.copy_model()
            (model / "model.safetensors").rename(model / name)
            (model / "expected.safetensors").unlink()
            self.assert_fails(run("generate", model, "-p", "x"), 1, "has no weights", name, "save_pretrained")
            self.fails(model / name, name, "of a format that is not read")
            Layouts.remove_model(self)

    def test_a_part_of_a_model(self):
        model = self.copy_model()
        (model / "tokenizer.json").write_text("{}")
        (model / "model.safetensors.index.json").write_text("{}")
        for name in ("model.safetensors", "tokenizer.json", "model.safetensors.index.json"):
            self.fails(model / name, name, "give the directory that it is in")

    def test_a_folder_in_the_place_of_a_file(self):
        self.assert_fails(run("verify", LLAMA, "--expected", self.folder), 1, "is a directory, wanted a file")
        self.assert_fails(run("generate", REPORTS / "phi3_longrope_switch", "-f", self.folder), 1, "is a directory, wanted a file")
        model = self.copy_model()
        (model / "config.json").unlink()
        (model / "config.json").mkdir()
        self.fails(model, "config.json is a directory, wanted a file")

    def test_an_adapter_alone_or_of_another_kind(self):
        model = self.copy_model()
        config = {"peft_type": "IA3", "base_model_name_or_path": "org/base", "target_modules": ["q_proj"]}
        (model / "adapter_config.json").write_text(json.dumps(config))
        self.fails(model, "adapter_config.json", "IA3", "does not apply")
        (model / "expected.safetensors").unlink()
        (model / "model.safetensors").unlink()
        self.fails(model, "holds an adapter", '"org/base"', "not the model's weights")
        (model / "config.json").unlink()
        self.fails(model, "holds an adapter", '"org/base"', "not the model's weights")


if __name__ == "__main__":
    unittest.main()

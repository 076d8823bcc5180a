"""`cleave verify` finds what is wrong: with a model, and with the file of references."""
import struct
import unittest

from cleave import DATA, Case, read_safetensors, run, write_safetensors

MODEL = DATA / "models" / "llama"
EXPECTED = MODEL / "expected.safetensors"


class Verify(Case):
    def verify_with(self, change, *more):
        """Runs with a changed copy of the references."""
        tensors = read_safetensors(EXPECTED)
        change(tensors)
        path = self.folder / "expected.safetensors"
        write_safetensors(path, tensors)
        return run("verify", MODEL, "--expected", path, "--exact", *more)

    def assert_finds(self, done, *parts):
        self.assertEqual(done.returncode, 1, done.stdout.decode())
        self.assertTrue(done.stdout.decode().splitlines()[-1].startswith("failed: "))
        self.assertEqual(done.stderr.count(b"\n"), 1)
        for part in parts:
            self.assertIn(part, done.stderr.decode())

    def test_prints_a_row_for_each_input_and_way_of_feeding(self):
        lines = self.assert_works(run("verify", MODEL, "--expected", EXPECTED, "--exact")).splitlines()
        for way in ("at once", "chunks of 1", "chunks of 3", "chunks of 7", "mixed"):
            rows = [line for line in lines if way in line]
            self.assertEqual(sorted({row.split()[0] for row in rows}), ["0", "1"], way)
            for row in rows:
                self.assertIn("12 of 12", row)
        self.assertTrue(lines[-1].startswith("passed: "))

    def test_chunk_feeds_in_chunks_of_that_size_only(self):
        lines = self.assert_works(run("verify", MODEL, "--expected", EXPECTED, "--exact", "--chunk", "5")).splitlines()
        self.assertEqual(len(lines), 1 + 2 + 1)
        self.assertIn("chunks of 5", lines[1])

    def test_reads_ids_of_64_bits_and_a_leading_extent_of_one(self):
        def change(tensors):
            _, shape, data = tensors["input_ids_0"]
            ids = struct.unpack(f"<{shape[0]}i", data)
            tensors["input_ids_0"] = ("I64", [1, *shape], struct.pack(f"<{shape[0]}q", *ids))
            dtype, shape, data = tensors["logits_0"]
            tensors["logits_0"] = (dtype, [1, *shape], data)
        self.assert_works(self.verify_with(change))

    def test_finds_one_wrong_logit(self):
        def change(tensors):
            dtype, shape, data = tensors["logits_1"]
            values = list(struct.unpack(f"<{len(data) // 4}f", data))
            values[len(values) // 2] += 0.01 * max(map(abs, values))
            tensors["logits_1"] = (dtype, shape, struct.pack(f"<{len(values)}f", *values))
        done = self.verify_with(change)
        self.assert_finds(done, "input 1", "logits differ by 1.0", "wanted at most 1e-04")
        self.assert_works(self.verify_with(change, "--tolerance", "0.02"))

    def test_finds_one_wrong_token(self):
        def change(tensors):
            dtype, shape, data = tensors["greedy_0"]
            last = struct.unpack("<i", data[-4:])[0]
            tensors["greedy_0"] = (dtype, shape, data[:-4] + struct.pack("<i", last ^ 1))
        self.assert_finds(self.verify_with(change), "input 0", "1 of 12 greedy tokens differ")

    def test_finds_a_wrong_weight(self):
        model = self.copy_model()
        path = model / "model.safetensors"
        tensors = read_safetensors(path)
        dtype, shape, data = tensors["model.layers.1.mlp.down_proj.weight"]
        tensors["model.layers.1.mlp.down_proj.weight"] = (dtype, shape, data[2:] + data[:2])  # every element one place off
        write_safetensors(path, tensors)
        self.assert_finds(run("verify", model, "--expected", EXPECTED, "--exact"), "logits differ")
        self.assert_finds(run("verify", model, "--expected", EXPECTED), "logits differ")


class BadReferences(Case):
    def fails_with(self, change, *parts):
        self.assert_fails(Verify.verify_with(self, change), 1, *parts)

    def test_a_file_that_is_not_there(self):
        self.assert_fails(run("verify", MODEL, "--expected", self.folder / "none.safetensors"), 1, "none.safetensors")

    def test_a_file_of_something_else(self):
        self.assert_fails(run("verify", MODEL, "--expected", MODEL / "model.safetensors"), 1, "no reference outputs", "input_ids_0")

    def test_a_missing_partner(self):
        self.fails_with(lambda tensors: tensors.pop("logits_1"), "has no tensor logits_1")
        self.fails_with(lambda tensors: tensors.pop("input_ids_0"), "has no tensor input_ids_0")

    def test_shapes_that_do_not_fit(self):
        def shorter(tensors):
            dtype, shape, data = tensors["logits_0"]
            tensors["logits_0"] = (dtype, [shape[0] - 1, shape[1]], data[:-4 * shape[1]])
        self.fails_with(shorter, "logits_0", "[18, 131]", "[19, 131]")

        def flat(tensors):
            dtype, shape, data = tensors["logits_0"]
            tensors["logits_0"] = (dtype, [shape[0] * shape[1]], data)
        self.fails_with(flat, "logits_0", "[2489]", "[19, 131]")

    def test_types_that_do_not_fit(self):
        def real(tensors):
            tensors["input_ids_0"] = ("F32", *tensors["input_ids_0"][1:])
        self.fails_with(real, "input_ids_0", "F32", "I32 or I64")

    def test_ids_outside_the_vocabulary(self):
        def change(tensors, value):
            dtype, shape, data = tensors["input_ids_0"]
            tensors["input_ids_0"] = (dtype, shape, struct.pack("<i", value) + data[4:])
        self.fails_with(lambda tensors: change(tensors, 131), "id 131 at 0", "vocabulary of 131")
        self.fails_with(lambda tensors: change(tensors, -1), "id -1 at 0")

    def test_references_that_are_no_numbers(self):
        def change(tensors):
            dtype, shape, data = tensors["logits_0"]
            tensors["logits_0"] = (dtype, shape, struct.pack("<f", float("inf")) + data[4:])
        self.fails_with(change, "logits_0", "inf")

    def test_a_layer_that_is_applied_again_takes_no_more_memory(self):
        def weights_in_memory(times):
            path = self.folder / f"{times}.lua"
            path.write_text(LAYER_AGAIN.replace("TIMES", str(times)))
            done = run("verify", DATA / "models" / "phi3", "--model-def", path, "--tp", "1,2,3", "--policy", "split")
            lines = self.assert_works(done).splitlines()
            return [line for line in lines if line.startswith("rank ")]
        once = weights_in_memory(1)
        self.assertEqual(len(once), 1 + 2 + 3)
        self.assertEqual(weights_in_memory(4), once)


# Fused projections, whose parts are functions of weights of their own.
LAYER_AGAIN = """
local function layer(l, x, c)
  local heads, kv, d = c.num_attention_heads, c.num_key_value_heads, c.head_dim
  local h = rms_norm(x, l.input_layernorm, c.rms_norm_eps)
  local q, k, v = split_qkv(l.self_attn.qkv_proj(h, (heads + 2 * kv) * d), heads, kv, d)
  x = x + l.self_attn.o_proj(attend(rope(q, c), rope(k, c), v), x:size())
  h = rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps)
  return x + fused_gated_mlp(l.mlp.gate_up_proj, l.mlp.down_proj, h, c.intermediate_size, silu)
end

return causal_lm {
  architectures = { "Phi3ForCausalLM" },
  layer = function(l, x, c, i)
    for _ = 1, i == 1 and TIMES or 0 do
      x = layer(l, x, c)
    end
    return x
  end,
}
"""


if __name__ == "__main__":
    unittest.main()

"""`cleave plan` and overrides as users write them."""
import json
import os
import unittest

from cleave import DATA, Case, run

MIXTRAL = DATA / "models" / "mixtral" / "config.json"
LLAMA = DATA / "models" / "llama" / "config.json"


def plan(*arguments, **environment):
    return run("plan", *arguments, "--policy", "split", "--json", env={**os.environ, **environment})


class Plan(Case):
    def placements(self, done):
        """{module: (placement, why)} of a plan printed as JSON."""
        rows = json.loads(self.assert_works(done))["modules"]
        return {row["module"]: (row["placement"], row["why"]) for row in rows}

    def test_a_configuration_alone_is_enough(self):
        text = self.assert_works(run("plan", LLAMA, "--tp", 2, "--policy", "split"))
        for part in ("LlamaForCausalLM over 2 ranks", "model.layers.*.mlp.down_proj", "all-reduce", "predicted for"):
            self.assertIn(part, text)

    def test_environment_variables_of_deepspeed_are_obeyed(self):
        rows = self.placements(plan(MIXTRAL, DS_ALL_REDUCE_LINEAR_ITEMS="{'w1':'mixtral','gate':'mixtral,qwen2_moe'}",
                                    DS_KEEP_LINEAR_ITEMS="['q_proj']"))
        self.assertEqual(rows["model.layers.*.block_sparse_moe.experts.*.w1"][0], "row")
        self.assertEqual(rows["model.layers.*.block_sparse_moe.gate"][0], "row")
        self.assertEqual(rows["model.layers.*.self_attn.q_proj"][0], "keep")
        self.assertIn("DS_KEEP_LINEAR_ITEMS", rows["model.layers.*.self_attn.q_proj"][1])

    def test_the_older_variables_are_obeyed_too(self):
        rows = self.placements(plan(LLAMA, keepLinearItems="{'down_proj':'llama'}"))
        self.assertEqual(rows["model.layers.*.mlp.down_proj"][0], "keep")

    def test_a_configuration_of_deepspeed_is_obeyed(self):
        path = self.folder / "ds_config.json"
        path.write_text(json.dumps({
            "train_batch_size": 8,
            "tensor_parallel": {"autotp_size": 2, "partition_config": {"use_default_specs": False, "layer_specs": [
                {"patterns": [".*\\.o_proj\\.weight$", ".*\\.down_proj\\.weight$"], "partition_type": "row"},
                {"patterns": [".*\\.[qkv]_proj\\.weight$"], "partition_type": "column"},
                {"patterns": [".*\\.(up|gate)_proj\\.weight$"], "partition_type": "skip"}]}}}))
        rows = self.placements(plan(LLAMA, "--config", path))
        self.assertEqual(rows["model.layers.*.mlp.down_proj"][0], "row")
        self.assertEqual(rows["model.layers.*.mlp.gate_proj"][0], "keep")
        self.assertEqual(rows["model.layers.*.self_attn.q_proj"][0], "column")

    def test_a_tp_plan_of_transformers_is_obeyed(self):
        path = self.folder / "tp.json"
        path.write_text(json.dumps({"base_model_tp_plan": {"layers.*.self_attn.q_proj": "colwise",
                                                           "layers.*.mlp.gate_proj": "replicate",
                                                           "layers.*.mlp.up_proj": "rowwise"}}))
        rows = self.placements(plan(LLAMA, "--config", path))
        self.assertEqual(rows["model.layers.*.mlp.gate_proj"][0], "keep")
        self.assertEqual(rows["model.layers.*.mlp.up_proj"][0], "row")

    def test_overrides_never_change_the_answer(self):
        model = DATA / "models" / "mixtral"
        done = run("verify", model, "--exact", "--tp", 3, "--policy", "split", "--keep", "w2", "--all-reduce", "q_proj",
                   "--column", "o_proj", "--expected", model / "expected.safetensors")
        self.assertIn("passed", self.assert_works(done))

    def test_an_override_that_matches_nothing_names_the_nearest(self):
        done = run("plan", LLAMA, "--keep", "down_prj")
        self.assert_works(done)
        self.assertIn("down_proj", done.stderr.decode())
        self.assert_fails(run("plan", LLAMA, "--keep", "down_prj", "--strict"), 1, "down_prj", "down_proj")

    def test_a_malformed_override_points_at_the_character(self):
        done = run("plan", LLAMA, env={**os.environ, "DS_KEEP_LINEAR_ITEMS": "{'w1':'mixtral'"})
        self.assert_fails(done, 1, "DS_KEEP_LINEAR_ITEMS")

    def test_the_cache_is_counted_in_the_type_that_it_is_kept_in(self):
        def bytes_per_token(*flags):
            return json.loads(self.assert_works(plan(LLAMA, *flags, "--tp", 1)))["cache_bytes_per_token_and_rank"][0]
        self.assertEqual(bytes_per_token("--exact"), 2 * bytes_per_token())
        self.assertLess(bytes_per_token("--kv", "int8"), bytes_per_token())

    def test_plans_are_exported_and_compared(self):
        exported = self.folder / "tp_plan.json"
        exported.write_text(self.assert_works(run("plan", LLAMA, "--policy", "split", "--export", "tp_plan")))
        self.assertIn("colwise", exported.read_text())
        a, b = self.folder / "a.json", self.folder / "b.json"
        a.write_text(self.assert_works(plan(LLAMA)))
        b.write_text(self.assert_works(plan(LLAMA, "--keep", "lm_head")))
        text = self.assert_works(run("plan", "--diff", a, b))
        self.assertIn("lm_head", text)
        self.assertIn("8 modules are treated alike", text)
        self.assert_fails(run("plan", "--diff", a, LLAMA), 1, "is no plan")

    def test_impossible_requests_are_refused(self):
        self.assert_fails(run("plan", LLAMA, "--tp", 2, "--rank-weights", "1,2,3"), 2, "3 weights for 2 ranks")
        self.assert_fails(run("plan", LLAMA, "--rank-weights", "1,0"), 2, "above 0")
        self.assert_fails(run("plan", LLAMA, "--tp", 0), 2, "--tp")
        self.assert_fails(run("plan"), 2, "MODEL")


if __name__ == "__main__":
    unittest.main()

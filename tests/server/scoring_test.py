"""Scoring of texts as lm-eval does it: what its model "local-completions" sends and how it reads the reply (0.4.13,
lm_eval/models/openai_completions.py), compared with `cleave perplexity`."""
import json
import subprocess
import unittest

from scripted_model import HEADS, HEAD_SIZE, write_model
from serving import CLEAVE, SMOLLM2, Case, Server

PAIRS = [("The capital of France is", " Paris."), ("The capital of France is", " London."), ("Two and two make", " four"),
         ("Once upon a time", " there was a little girl who lived in a house by the sea.")]


def payload(prompts):
    return {"model": "", "prompt": prompts, "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}


def read(body, context_lengths):
    """(log-likelihood, whether it is greedy) of each continuation, as lm-eval's parse_logprobs."""
    results = []
    for choice, length in zip(sorted(body["choices"], key=lambda choice: choice["index"]), context_lengths):
        scores = choice["logprobs"]["token_logprobs"][length:-1]
        tops = choice["logprobs"]["top_logprobs"][length:-1]
        results.append((sum(scores), all(score == max(top.values()) for score, top in zip(scores, tops))))
    return results


class LmEval(Case):
    def tokens(self, text):
        return self.server.post("/tokenize", {"prompt": text, "add_special_tokens": False})[2]["tokens"]

    def own_score(self, text):
        """The sum of the logarithms of the probabilities of all tokens but the first."""
        path = self.folder / "text.txt"
        path.write_text(text)
        done = subprocess.run([CLEAVE, "perplexity", str(SMOLLM2), "-f", str(path), "--context", "64", "--stride", "64", "--json"],
                              capture_output=True, check=True)
        report = json.loads(done.stdout)
        self.assertEqual(report["tokens"], len(self.tokens(text)) - 1)
        return -report["nll"] * report["tokens"]

    def test_log_likelihoods_are_those_of_cleave_itself(self):
        contexts = [self.tokens(context) for context, _ in PAIRS]
        wholes = [self.tokens(context + continuation) for context, continuation in PAIRS]
        for context, whole in zip(contexts, wholes):
            self.assertEqual(whole[:len(context)], context)
        status, _, body = self.server.post("/v1/completions", payload(wholes))
        self.assertEqual(status, 200, body)
        by_ids = read(body, [len(context) for context in contexts])
        texts = self.server.post("/v1/completions", payload([context + continuation for context, continuation in PAIRS]))[2]
        self.assertEqual(read(texts, [len(context) for context in contexts]), by_ids)
        for (context, continuation), (score, _) in zip(PAIRS, by_ids):
            own = self.own_score(context + continuation) - self.own_score(context)
            self.assertAlmostEqual(score, own, delta=0.002 * len(continuation))
        self.assertTrue(by_ids[0][1])
        self.assertFalse(by_ids[1][1])
        self.assertGreater(by_ids[0][0], by_ids[1][0])

    def test_its_tokenizer_is_the_servers(self):
        info = self.server.get("/tokenizer_info")[2]
        self.assertEqual(info["eos_token"], "<|im_end|>")
        self.assertIn("add_generation_prompt", info["chat_template"])
        self.assertEqual(len(self.tokens(info["eos_token"])), 1)

    def test_its_requests_for_texts(self):
        status, _, body = self.server.post("/v1/completions", {
            "prompt": [self.tokens("Question: What is the capital of France?\nAnswer:")], "model": "", "max_tokens": 20,
            "temperature": 0, "stop": ["\n\n", "<|im_end|>"], "seed": 1234})
        self.assertEqual(status, 200, body)
        self.assertNotIn("\n\n", body["choices"][0]["text"])

    def test_a_text_behind_which_the_answer_ends_at_once_has_all_its_scores(self):
        write_model(self.folder / "scripted")
        server = Server(model=self.folder / "scripted")
        self.addCleanup(server.end)
        ids = server.post("/tokenize", {"prompt": "<|result|>It is sunny in Paris."})[2]["tokens"]
        for tokens in (0, 1):
            body = server.post("/v1/completions", {**payload([ids]), "max_tokens": tokens})[2]
            scores = body["choices"][0]["logprobs"]["token_logprobs"]
            self.assertEqual(len(scores), len(ids) + tokens)
            self.assertGreater(min(scores[1:]), -1e-3)
        self.assertEqual(body["choices"][0]["finish_reason"], "stop")
        self.assertLess(max(ids), HEADS * HEAD_SIZE)


if __name__ == "__main__":
    unittest.main()

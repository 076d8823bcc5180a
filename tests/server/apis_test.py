"""The APIs of `cleave serve` with a real model: documents, fields, and how mistakes are told."""
import concurrent.futures

import subprocess
import unittest

from serving import ANSWER, CLEAVE, QUESTION, SMOLLM2, Case

STORY = "Once upon a time"


def greedy(prompt, tokens):
    done = subprocess.run([CLEAVE, "generate", str(SMOLLM2), "--raw", "-p", prompt, "--temperature", "0", "--max-tokens",
                           str(tokens)], capture_output=True, check=True)
    return done.stdout.decode()


class Chat(Case):
    def test_answers(self):
        status, headers, body = self.server.post("/v1/chat/completions", {"messages": QUESTION, "model": "SmolLM2-135M-Instruct.Q4_1"},
                                                 {"x-request-id": "mine-1"})
        self.assertEqual((status, headers["x-request-id"]), (200, "mine-1"))
        choice = body["choices"][0]
        self.assertEqual(choice["message"]["content"], ANSWER)
        self.assertEqual(choice["finish_reason"], "stop")
        usage = body["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]), (37, 8, 45))

    def test_takes_contents_in_parts_and_developers_for_systems(self):
        _, _, plain = self.server.post("/apply-template", {"messages": [{"role": "system", "content": "Be brief."}, *QUESTION]})
        _, _, parts = self.server.post("/apply-template", {"messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [{"type": "text", "text": QUESTION[0]["content"]}]}]})
        self.assertEqual(plain, parts)

    def test_stops_at_texts_and_tokens(self):
        ask = {"messages": QUESTION, "stop": ["France", "unseen"]}
        choice = self.server.post("/v1/chat/completions", ask)[2]["choices"][0]
        self.assertEqual(choice["message"]["content"], "The capital of ")
        self.assertEqual((choice["finish_reason"], choice["stop_reason"]), ("stop", "France"))
        choice = self.server.post("/v1/chat/completions", {**ask, "include_stop_str_in_output": True})[2]["choices"][0]
        self.assertEqual(choice["message"]["content"], "The capital of France")
        paris = self.server.post("/tokenize", {"prompt": " Paris"})[2]["tokens"][0]
        choice = self.server.post("/v1/chat/completions", {"messages": QUESTION, "stop_token_ids": [paris]})[2]["choices"][0]
        self.assertEqual((choice["message"]["content"], choice["stop_reason"]), ("The capital of France is", paris))

    def test_gives_several_answers_that_differ_and_repeat_with_a_seed(self):
        ask = {"messages": QUESTION, "n": 3, "seed": 5, "temperature": 1.5, "max_tokens": 12}
        first, again = (self.server.post("/v1/chat/completions", ask)[2] for _ in range(2))
        texts = [choice["message"]["content"] for choice in first["choices"]]
        self.assertEqual(len(set(texts)), 3)
        self.assertEqual(texts, [choice["message"]["content"] for choice in again["choices"]])
        self.assertEqual(first["usage"]["prompt_tokens"], 37)
        self.assertEqual(first["usage"]["completion_tokens"], 36)

    def test_logprobs_are_of_the_tokens_of_the_text(self):
        body = self.server.post("/v1/chat/completions", {"messages": QUESTION, "logprobs": True, "top_logprobs": 2})[2]
        content = body["choices"][0]["logprobs"]["content"]
        self.assertEqual(bytes(byte for token in content for byte in token["bytes"]).decode(), ANSWER)
        for token in content:
            self.assertEqual(len(token["top_logprobs"]), 2)
            self.assertLessEqual(token["logprob"], token["top_logprobs"][0]["logprob"])

    def test_a_full_context_is_told_as_agents_understand_it(self):
        body = {"messages": [{"role": "user", "content": "word " * 9000}]}
        error = self.assert_refused(self.server.post("/v1/chat/completions", body), 400)
        self.assertEqual((error["code"], error["type"]), ("context_length_exceeded", "invalid_request_error"))
        self.assertEqual(error["n_ctx"], 8192)
        self.assertGreater(error["n_prompt_tokens"], 9000)

    def test_what_cannot_be_done_is_refused_with_the_fields_name(self):
        for field, value in (("temperature", -1), ("stop_token_ids", [10**6]), ("logit_bias", {"1000000": 1}), ("max_tokens", 0),
                             ("response_format", {"type": "json_schema"}), ("tool_choice", "required")):
            with self.subTest(field=field):
                self.assert_refused(self.server.post("/v1/chat/completions", {"messages": QUESTION, field: value}), 400, field)
        self.assert_refused(self.server.post("/v1/chat/completions", {"messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}), 400, "image_url")

    def test_bad_bodies_are_clients_mistakes(self):
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"messages":' + b"[" * 100000, b'{"messages": NaN}', b"null",
                     b'{"messages":[{"role":"user","content":"\xed\xa0\x80"}]}'):
            with self.subTest(body=body[:20]):
                self.assert_refused(self.server.post("/v1/chat/completions", body), 400, "invalid_request_error")

    def test_other_models_are_not_found(self):
        error = self.assert_refused(self.server.post("/v1/chat/completions", {"messages": QUESTION, "model": "gpt-4"}), 404)
        self.assertEqual(error["code"], "model_not_found")


class Completions(Case):
    def test_is_what_generate_says(self):
        _, _, body = self.server.post("/v1/completions", {"prompt": STORY, "max_tokens": 24})
        self.assertEqual(body["choices"][0]["text"], greedy(STORY, 24))
        self.assertEqual(body["choices"][0]["finish_reason"], "length")

    def test_takes_texts_and_tokens(self):
        ids = self.server.post("/tokenize", {"prompt": STORY})[2]["tokens"]
        forms = {"prompt": STORY, "ids": ids, "prompts": [STORY, STORY], "lists": [ids, ids]}
        for name, prompt in forms.items():
            with self.subTest(name):
                choices = self.server.post("/v1/completions", {"prompt": prompt, "max_tokens": 6})[2]["choices"]
                self.assertEqual({choice["text"] for choice in choices}, {greedy(STORY, 6)})
                self.assertEqual(len(choices), 2 if name in ("prompts", "lists") else 1)

    def test_scores_a_text(self):
        ask = {"prompt": STORY + " there", "max_tokens": 0, "echo": True, "logprobs": 1}
        status, _, body = self.server.post("/v1/completions", ask)
        self.assertEqual(status, 200, body)
        choice = body["choices"][0]
        self.assertEqual(choice["text"], STORY + " there")
        logprobs = choice["logprobs"]
        self.assertIsNone(logprobs["token_logprobs"][0])
        self.assertEqual("".join(logprobs["tokens"]), choice["text"])
        self.assertEqual(logprobs["text_offset"][:2], [0, 4])
        self.assertLess(max(logprobs["token_logprobs"][1:]), 0)
        self.assertEqual(body["usage"]["completion_tokens"], 0)

    def test_many_at_once_have_the_texts_that_they_have_alone(self):
        prompts = [f"{'The number is ' * (1 + i % 7)}{i}. " for i in range(64)]
        ask = [{"prompt": prompt, "max_tokens": 4 + i % 9} for i, prompt in enumerate(prompts)]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda body: self.server.post("/v1/completions", body), ask))
        self.assertEqual({status for status, _, _ in answers}, {200})
        for i in (0, 20, 41, 63):
            alone = self.server.post("/v1/completions", ask[i])[2]
            self.assertEqual(answers[i][2]["choices"][0]["text"], alone["choices"][0]["text"])


class Messages(Case):
    def test_answers(self):
        body = {"model": "SmolLM2-135M-Instruct.Q4_1", "max_tokens": 20, "messages": QUESTION,
                "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}]}
        _, _, message = self.server.post("/v1/messages?beta=true", body, {"anthropic-version": "2023-06-01"})
        self.assertEqual(message["content"], [{"type": "text", "text": ANSWER}])
        self.assertEqual((message["stop_reason"], message["stop_sequence"]), ("end_turn", None))
        usage = message["usage"]
        self.assertEqual(usage["input_tokens"] + usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"], 37)
        count = self.server.post("/v1/messages/count_tokens", body)[2]
        self.assertEqual(count, {"input_tokens": 37})

    def test_says_which_text_stopped_it(self):
        message = self.server.post("/v1/messages", {"max_tokens": 20, "messages": QUESTION, "stop_sequences": [" is"]})[2]
        self.assertEqual((message["stop_reason"], message["stop_sequence"]), ("stop_sequence", " is"))
        message = self.server.post("/v1/messages", {"max_tokens": 2, "messages": QUESTION})[2]
        self.assertEqual(message["stop_reason"], "max_tokens")

    def test_goes_on_with_an_answer_that_has_begun(self):
        begun = [*QUESTION, {"role": "assistant", "content": "The capital of France"}]
        message = self.server.post("/v1/messages", {"max_tokens": 20, "messages": begun})[2]
        self.assertEqual(message["content"][0]["text"], " is Paris.")

    def test_errors_have_its_form(self):
        for path, body, status, kind in (("/v1/messages", {"messages": []}, 400, "invalid_request_error"),
                                         ("/v1/messages", {"messages": QUESTION, "model": "x"}, 404, "not_found_error"),
                                         ("/v1/messages/none", {}, 404, "not_found_error")):
            answer = self.server.post(path, body)
            self.assertEqual((answer[0], answer[2]["type"], answer[2]["error"]["type"]), (status, "error", kind))


class Responses(Case):
    def test_answers(self):
        response = self.server.post("/v1/responses", {"input": QUESTION[0]["content"]})[2]
        self.assertEqual(response["status"], "completed")
        self.assertEqual(response["output"][0]["content"][0]["text"], ANSWER)
        self.assertEqual(response["usage"]["output_tokens"], 8)

    def test_a_probe_with_no_input_is_answered(self):
        status, _, response = self.server.post("/v1/responses", {"input": [], "max_output_tokens": 1})
        self.assertEqual((status, response["status"]), (200, "incomplete"))

    def test_keeps_no_state(self):
        answer = self.server.post("/v1/responses", {"input": "a", "previous_response_id": "resp_1"})
        self.assert_refused(answer, 400, "previous_response_id")


class Documents(Case):
    FLAGS = ("--alias", "smol", "--alias", "other/name", "--context", "512")

    def test_models(self):
        _, _, models = self.server.get("/v1/models")
        self.assertEqual([model["id"] for model in models["data"]], ["smol", "other/name"])
        self.assertEqual(models["data"][0]["max_model_len"], 512)
        self.assertEqual(self.server.get("/v1/models/other/name")[2]["id"], "other/name")
        self.assertEqual(self.server.get("/v1/models/none")[0], 404)
        status = self.server.post("/v1/completions", {"model": "other/name", "prompt": "a", "max_tokens": 1})[0]
        self.assertEqual(status, 200)

    def test_tokens_and_back(self):
        tokens = self.server.post("/tokenize", {"content": "Hello <|im_end|>"})[2]
        self.assertEqual(tokens["count"], len(tokens["tokens"]))
        text = self.server.post("/detokenize", {"tokens": tokens["tokens"]})[2]
        self.assertEqual(text["content"], "Hello <|im_end|>")

    def test_paths_and_methods(self):
        self.assertEqual(self.server.get("/nothing")[0], 404)
        status, headers, _ = self.server.get("/v1/chat/completions")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))
        status, headers, _ = self.server.post("/v1/models", {})
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assert_refused(self.server.post("/v1/embeddings", {"input": "a"}), 400, "no embeddings")
        self.assertEqual(self.server.post("//chat//completions/", {"messages": QUESTION, "max_tokens": 1})[0], 200)
        status, headers, body = self.server.ask("HEAD", "/health")
        self.assertEqual((status, body), (200, b""))

    def test_metrics_count(self):
        before = self.server.metric("cleave_generation_tokens_total")
        self.server.post("/v1/completions", {"prompt": STORY, "max_tokens": 5})
        self.assertEqual(self.server.metric("cleave_generation_tokens_total") - before, 5)
        self.assertEqual(self.server.metric("vllm:generation_tokens_total"), self.server.metric("cleave_generation_tokens_total"))


if __name__ == "__main__":
    unittest.main()

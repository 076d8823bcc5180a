"""What clients of such servers count on, row by row, as far as the other tests here do not have it: transport, chat, completions,
errors, responses, messages, operation."""
import json
import socket
import time
import unittest

from scripted_model import write_model
from serving import ANSWER, QUESTION, Case, Server

CHAT = {"messages": QUESTION, "max_tokens": 20, "temperature": 0}
STORY = {"prompt": "Once upon a time", "max_tokens": 5, "temperature": 0}


class Transport(Case):
    def test_heads_of_streams(self):
        connection = self.server.connect()
        connection.request("POST", "/v1/chat/completions", json.dumps({**CHAT, "stream": True}), {"x-request-id": "mine"})
        response = connection.getresponse()
        self.assertEqual(response.getheader("content-type"), "text/event-stream; charset=utf-8")
        self.assertEqual(response.getheader("cache-control"), "no-cache")
        self.assertEqual(response.getheader("x-accel-buffering"), "no")
        self.assertEqual(response.getheader("x-request-id"), "mine")
        response.read()
        connection.close()

    def test_every_reply_has_an_id(self):
        for method, path, body in (("GET", "/health", None), ("GET", "/none", None), ("POST", "/v1/chat/completions", CHAT),
                                   ("POST", "/v1/chat/completions", {}), ("POST", "/tokenize", {"prompt": "a"})):
            self.assertTrue(self.server.ask(method, path, body)[1]["x-request-id"], path)
        odd = self.server.get("/health", {"x-request-id": "a b<c>"})[1]["x-request-id"]
        self.assertRegex(odd, "^req_")

    def test_waits_to_be_told_to_send_a_body(self):
        body = json.dumps(CHAT).encode()
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.settimeout(30)
            client.sendall(b"POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 100"))
            client.sendall(body)
            reply = b""
            while piece := client.recv(65536):
                reply += piece
        self.assertIn(ANSWER.encode(), reply)

    def test_mistakes_are_not_to_be_repeated_and_curls_form_type_will_do(self):
        status, _, body = self.server.post("/v1/chat/completions", json.dumps(CHAT).encode(),
                                           {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((status, body["choices"][0]["message"]["content"]), (200, ANSWER))
        for body in ({**CHAT, "stop": ""}, {**CHAT, "temperature": "x"}, {**CHAT, "messages": [{"role": "user"}, 5]}):
            self.assertLess(self.server.post("/v1/chat/completions", body)[0], 500)


class Chat(Case):
    def chat(self, **more):
        status, _, body = self.server.post("/v1/chat/completions", {**CHAT, **more})
        self.assertEqual(status, 200, body)
        return body

    def prompt(self, messages, **more):
        status, _, body = self.server.post("/apply-template", {"messages": messages, **more})
        self.assertEqual(status, 200, body)
        return body["prompt"]

    def test_histories_of_agents(self):
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}
        text = self.prompt([*QUESTION, {"role": "assistant", "content": None, "tool_calls": [call]},
                            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "42"}]},
                            {"role": "assistant", "content": "so", "refusal": None, "name": "n", "reasoning": "r"},
                            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "more"}])
        for part in ('"name": "f"', "42", "so", "Be brief.", "more"):
            self.assertIn(part, text)

    def test_goes_on_with_the_last_message_where_asked(self):
        begun = [*QUESTION, {"role": "assistant", "content": "The capital of France"}]
        body = self.chat(messages=begun, continue_final_message=True, add_generation_prompt=False)
        self.assertEqual(body["choices"][0]["message"]["content"], " is Paris.")
        self.assertTrue(self.prompt(begun).endswith("<|im_start|>assistant\n"))

    def test_fields_that_nobody_knows_are_ignored(self):
        body = self.chat(audio=None, moderation={}, verbosity="low", web_search_options={}, prompt_cache_key="k", store=True,
                         safety_identifier="s", service_tier="auto", metadata={"a": "b"}, prediction=None, user="u", functions=[])
        self.assertEqual(body["choices"][0]["message"]["content"], ANSWER)

    def test_more_tokens_than_there_is_room_for_are_as_many_as_there_is(self):
        self.assertEqual(self.chat(max_tokens=10**6)["choices"][0]["message"]["content"], ANSWER)

    def test_a_text_that_no_tokens_could_hold_is_refused_at_once(self):
        begin = time.monotonic()
        error = self.assert_refused(self.server.post("/v1/chat/completions", {
            "messages": [{"role": "user", "content": "word " * 4_000_000}]}), 400)
        self.assertEqual(error["code"], "context_length_exceeded")
        self.assertIn(f"has at least {error['n_prompt_tokens']} tokens", error["message"])
        self.assertLess(time.monotonic() - begin, 10)

    def test_further_rules_of_sampling(self):
        choice = self.chat(min_tokens=12, return_token_ids=True, top_k=-1, min_p=0.1)["choices"][0]
        self.assertGreaterEqual(len(choice["token_ids"]), 12)
        self.assertEqual(self.chat(ignore_eos=True)["usage"]["completion_tokens"], 20)
        yes, no = (self.server.post("/tokenize", {"prompt": word})[2]["tokens"][0] for word in ("Yes", "No"))
        choice = self.chat(allowed_token_ids=[yes, no], max_tokens=1)["choices"][0]
        self.assertIn(choice["message"]["content"], ("Yes", "No"))
        self.assertNotIn("Paris", self.chat(bad_words=["Paris"])["choices"][0]["message"]["content"])
        self.assertEqual(self.chat(logit_bias={str(no): 100}, max_tokens=1)["choices"][0]["message"]["content"], "No")
        self.assertEqual(self.chat(top_k=0, seed=-2**63)["choices"][0]["message"]["content"], ANSWER)
        hidden = self.chat(skip_special_tokens=False, stop_token_ids=[2], ignore_eos=True, max_tokens=9)
        self.assertEqual(hidden["choices"][0]["stop_reason"], 2)

    def test_streams_tell_usage_as_asked(self):
        for more, of_all in (({"include_usage": True}, False), ({"include_usage": True, "continuous_usage_stats": True}, True)):
            chunks = [data for _, data in self.server.stream("/v1/chat/completions", {
                **CHAT, "stream": True, "stream_options": more}) if data != "[DONE]"]
            self.assertEqual(len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}), 1)
            self.assertEqual([chunk["choices"][0]["delta"].get("role") for chunk in chunks[:-1]],
                             ["assistant"] + [None] * (len(chunks) - 2))
            self.assertEqual({chunk["usage"] is not None for chunk in chunks[:-1]}, {of_all})
            self.assertEqual((chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]), ([], 45))

    def test_usage_knows_what_was_cached_and_is_never_nothing(self):
        long = [{"role": "user", "content": "one two three four five six seven eight nine ten " * 8}]
        first, second = (self.chat(messages=long, max_tokens=3)["usage"] for _ in range(2))
        self.assertEqual(first["prompt_tokens"], second["prompt_tokens"])
        self.assertGreater(second["prompt_tokens_details"]["cached_tokens"], 0)
        self.assertEqual(second["completion_tokens"], 3)
        self.assertEqual(second["completion_tokens_details"]["reasoning_tokens"], 0)

    def test_logprobs_without_alternatives(self):
        choice = self.chat(logprobs=True, top_logprobs=0)["choices"][0]
        self.assertEqual({len(token["top_logprobs"]) for token in choice["logprobs"]["content"]}, {0})
        self.assertIsNone(choice["logprobs"]["refusal"])
        self.assertIsNone(self.chat()["choices"][0]["logprobs"])

    def test_forms_by_all_their_names(self):
        schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"], "additionalProperties": False}
        for more in ({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": schema}}},
                     {"response_format": {"type": "json_object", "schema": schema}}, {"json_schema": schema},
                     {"structured_outputs": {"json": schema}}, {"guided_json": schema}):
            self.assertIn(json.loads(self.chat(**more)["choices"][0]["message"]["content"])["a"], (1, 2), more)
        for more, texts in (({"structured_outputs": {"choice": ["red", "blue"]}}, ("red", "blue")),
                            ({"structured_outputs": {"regex": "re{1,3}d"}}, ("red", "reed", "reeed")),
                            ({"grammar": "root ::= \"x\" [12]"}, ("x1", "x2")),
                            ({"structured_outputs": {"grammar": "root ::= \"x\" [12]"}}, ("x1", "x2"))):
            self.assertIn(self.chat(**more)["choices"][0]["message"]["content"], texts)
        self.assert_refused(self.server.post("/v1/chat/completions", {**CHAT, "response_format": {
            "type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "array", "uniqueItems": True}}}}), 400,
            "uniqueItems")


class Completions(Case):
    def test_answers_stand_by_prompt_and_then_by_number(self):
        alone = [self.server.post("/v1/completions", {**STORY, "prompt": prompt})[2]["choices"][0]["text"] for prompt in ("a", "b")]
        choices = self.server.post("/v1/completions", {**STORY, "prompt": ["a", "b"], "n": 2})[2]["choices"]
        self.assertEqual([(choice["index"], choice["text"]) for choice in choices],
                         [(0, alone[0]), (1, alone[0]), (2, alone[1]), (3, alone[1])])

    def test_scores_of_chosen_tokens_alone(self):
        logprobs = self.server.post("/v1/completions", {**STORY, "echo": True, "logprobs": 0, "max_tokens": 0})[2]["choices"][0]["logprobs"]
        self.assertEqual(len(logprobs["tokens"]), len(logprobs["token_logprobs"]))
        self.assertLessEqual(max(len(top or {}) for top in logprobs["top_logprobs"]), 1)

    def test_what_cannot_be_done_is_refused(self):
        for more in ({"suffix": "end"}, {"best_of": 1, "n": 2}, {"logprobs": 1000}, {"prompt": []}, {"prompt": [[]]},
                     {"prompt": [10**6]}, {"prompt": [-1]}, {"prompt": 5}):
            self.assert_refused(self.server.post("/v1/completions", {**STORY, **more}), 400, next(iter(more)))

    def test_special_tokens_in_texts_are_tokens(self):
        usage = self.server.post("/v1/completions", {**STORY, "prompt": "<|im_start|>"})[2]["usage"]
        self.assertEqual(usage["prompt_tokens"], 1)

    def test_odd_texts_are_texts(self):
        for prompt in ("\u0000", "a\u0000b", "\ud83d\ude00", "x" * 5000):
            self.assertEqual(self.server.post("/v1/completions", {**STORY, "prompt": prompt})[0], 200)
        twice = b'{"prompt": "a", "prompt": "Once upon a time", "max_tokens": 5, "temperature": 0}'
        self.assertEqual(self.server.post("/v1/completions", twice)[2]["choices"], self.server.post("/v1/completions", STORY)[2]["choices"])


class OtherApis(Case):
    def test_what_codex_sends(self):
        request = {"model": "SmolLM2-135M-Instruct.Q4_1", "instructions": "Be brief.", "stream": True, "store": False,
                   "parallel_tool_calls": False, "reasoning": None, "include": ["reasoning.encrypted_content"], "tool_choice": "auto",
                   "prompt_cache_key": "k", "client_metadata": {}, "max_output_tokens": 5,
                   "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                             {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                             {"type": "function_call", "name": "shell", "call_id": "c", "arguments": "{}"},
                             {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok"}]},
                             {"type": "custom_tool_call", "name": "patch", "call_id": "d", "input": "x"},
                             {"type": "custom_tool_call_output", "call_id": "d", "output": "done"}],
                   "tools": [{"type": "function", "name": "shell", "parameters": {"type": "object"}}, {"type": "web_search"},
                             {"type": "custom", "name": "patch"}, {"type": "image_generation"}]}
        events = list(self.server.stream("/v1/responses", request))
        names = [name for name, _ in events if not name.endswith(".delta")]
        self.assertEqual(names[:4], ["response.created", "response.in_progress", "response.output_item.added",
                                     "response.content_part.added"])
        self.assertEqual(names[4:-1], ["response.output_text.done", "response.content_part.done", "response.output_item.done"])
        self.assertIn(names[-1], ("response.completed", "response.incomplete"))
        items = {data["item_id"] for _, data in events if "item_id" in data}
        self.assertEqual(items, {events[-1][1]["response"]["output"][0]["id"]})
        models = self.server.get("/v1/models")[2]["models"]
        self.assertEqual(models[0]["slug"], request["model"])

    def test_what_claude_code_sends(self):
        request = {"max_tokens": 5, "metadata": {"user_id": "u"}, "context_management": {},
                   "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=1"},
                              {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                   "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
                   "messages": [{"role": "user", "content": "What is it? " * 20}, {"role": "system", "content": "Now."},
                                {"role": "assistant", "content": [
                                    {"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "redacted_thinking", "data": "x"},
                                    {"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                                {"role": "user", "content": [
                                    {"type": "tool_result", "tool_use_id": "t", "is_error": True,
                                     "content": [{"type": "text", "text": "no such file"}]}]}]}
        first, second = (self.server.post("/v1/messages", request, {"anthropic-beta": "x"})[2] for _ in range(2))
        self.assertEqual(first["type"], "message", first)
        self.assertGreater(second["usage"]["cache_read_input_tokens"], 0)
        sums = {sum(message["usage"][key] for key in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
                for message in (first, second)}
        self.assertEqual(sums, {self.server.post("/v1/messages/count_tokens", request)[2]["input_tokens"]})
        other = {**request, "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=2"}, request["system"][1]]}
        self.assertEqual(self.server.post("/v1/messages", other)[2]["usage"], second["usage"])

    def test_metrics_have_the_names_that_gateways_read(self):
        text = self.server.get("/metrics")[2].decode()
        for name in ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "num_preemptions_total",
                     "prefix_cache_queries_total", "prefix_cache_hits_total", "time_to_first_token_seconds_bucket",
                     "inter_token_latency_seconds_bucket", "e2e_request_latency_seconds_bucket"):
            self.assertIn("\nvllm:" + name, text)
        self.assertIn("# TYPE cleave_rejections_total", text)


class Settings(Case):
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def serve(self, *flags, settings=None):
        model = self.folder / "scripted"
        if not model.exists():
            write_model(model)
        if settings:
            (model / "generation_config.json").write_text(json.dumps(settings))
        server = Server(*flags, model=model)
        self.addCleanup(server.end)
        return server

    def answer(self, server):
        request = {"messages": [{"role": "user", "content": "hello you"}], "max_tokens": 9}
        return server.post("/v1/chat/completions", request)[2]["choices"][0]["message"]["content"]

    def test_what_a_request_does_not_say_the_models_file_says(self):
        plain = self.serve()
        hello = plain.post("/tokenize", {"prompt": "Hello"})[2]["tokens"]
        self.assertEqual(self.answer(plain), "Hello there!!")
        settings = {"suppress_tokens": hello}
        self.assertNotIn("Hello", self.answer(self.serve(settings=settings)))
        self.assertEqual(self.answer(self.serve("--ignore-generation-config")), "Hello there!!")

    def test_it_warns_where_all_machines_may_use_it(self):
        server = self.serve("--host", "0.0.0.0")
        self.assertIn("0.0.0.0", "".join(server.log))
        self.assertTrue([line for line in server.log if "key" in line], server.log)


if __name__ == "__main__":
    unittest.main()

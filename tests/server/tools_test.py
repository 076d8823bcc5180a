"""Tools: calls as they stream, calls that are forced, and whole turns of an agent, against a model that plays scripts."""
import json
import unittest

from scripted_model import write_model
from serving import QUESTION, Case, Server

WEATHER = {"name": "get_weather", "description": "The weather.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["city"], "additionalProperties": False}}
STOP = {"name": "stop", "parameters": {"type": "object", "properties": {}, "additionalProperties": False}}
ARGUMENTS = '{"city": "Paris\\n\\u00e9", "days": 3}'
PLAN, HELLO, MUSE = ([{"role": "user", "content": text}] for text in ("plan a trip", "hello you", "muse a while"))


def chat_tools(*functions):
    return [{"type": "function", "function": function} for function in functions]


def response_tools(*functions):
    return [{"type": "function", **function} for function in functions]


def message_tools(*functions):
    return [{"name": function["name"], "input_schema": function["parameters"]} for function in functions]


class Scripted(Case):
    """A server with the scripted model."""

    @classmethod
    def setUpClass(cls):
        import pathlib
        import tempfile
        cls.holder = tempfile.TemporaryDirectory(prefix="cleave_tools_")
        write_model(pathlib.Path(cls.holder.name) / "scripted")
        cls.server = Server(model=pathlib.Path(cls.holder.name) / "scripted")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.holder.cleanup()

    def chat(self, messages, **more):
        status, _, body = self.server.post("/v1/chat/completions", {"messages": messages, "max_tokens": 200, **more})
        self.assertEqual(status, 200, body)
        return body

    def chunks(self, messages, **more):
        events = self.server.stream("/v1/chat/completions", {"messages": messages, "max_tokens": 200, "stream": True, **more})
        return [data["choices"][0] for _, data in events if data != "[DONE]"]


class Turns(Scripted):
    def streamed_chat(self, messages, **more):
        """(content, calls as {index: [id, name, arguments]}, finish_reason) of a stream."""
        content, calls, finish = "", {}, None
        for choice in self.chunks(messages, **more):
            content += choice["delta"].get("content") or ""
            finish = choice["finish_reason"] or finish
            for delta in choice["delta"].get("tool_calls", []):
                call = calls.setdefault(delta["index"], ["", "", ""])
                call[0] += delta.get("id", "")
                call[1] += delta["function"].get("name", "")
                call[2] += delta["function"].get("arguments", "")
        return content, calls, finish

    def test_chat(self):
        tools = chat_tools(WEATHER, STOP)
        choice = self.chat(PLAN, tools=tools)["choices"][0]
        self.assertEqual((choice["message"]["content"], choice["finish_reason"]), ("I look it up.", "tool_calls"))
        call, = choice["message"]["tool_calls"]
        self.assertEqual(call["function"], {"name": "get_weather", "arguments": ARGUMENTS})
        content, calls, finish = self.streamed_chat(PLAN, tools=tools)
        self.assertEqual((content, finish), ("I look it up.", "tool_calls"))
        self.assertEqual(calls[0][1:3], ["get_weather", ARGUMENTS])
        result = [*PLAN, choice["message"], {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}]
        self.assertEqual(self.chat(result, tools=tools)["choices"][0]["message"]["content"], "It is sunny in Paris.")
        self.assertEqual(self.streamed_chat(result, tools=tools), ("It is sunny in Paris.", {}, "stop"))
        prompt = self.server.post("/apply-template", {"messages": result})[2]["prompt"]
        self.assertIn('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris', prompt)

    def test_responses(self):
        request = {"input": PLAN[0]["content"], "tools": response_tools(WEATHER)}
        text, call = self.server.post("/v1/responses", request)[2]["output"]
        self.assertEqual((call["type"], call["name"], call["arguments"]), ("function_call", "get_weather", ARGUMENTS))
        events = list(self.server.stream("/v1/responses", {**request, "stream": True}))
        deltas = [data["delta"] for name, data in events if name == "response.function_call_arguments.delta"]
        done, = [data for name, data in events if name == "response.function_call_arguments.done"]
        self.assertEqual(("".join(deltas), done["arguments"]), (ARGUMENTS, ARGUMENTS))
        self.assertEqual(events[-1][1]["response"]["output"][1]["arguments"], ARGUMENTS)
        history = [*PLAN, text, call, {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}]
        answer = self.server.post("/v1/responses", {**request, "input": history})[2]
        self.assertEqual(answer["output"][0]["content"][0]["text"], "It is sunny in Paris.")

    def test_a_custom_tools_input_streams(self):
        tool = {"type": "custom", "name": "get_weather"}
        request = {"input": HELLO[0]["content"], "tools": [tool], "tool_choice": {"type": "custom", "name": "get_weather"},
                   "max_output_tokens": 60}
        events = list(self.server.stream("/v1/responses", {**request, "stream": True}))
        text = "".join(data["delta"] for name, data in events if name == "response.custom_tool_call_input.delta")
        done, = [data["input"] for name, data in events if name == "response.custom_tool_call_input.done"]
        self.assertEqual(text, done)

    def test_messages(self):
        request = {"messages": PLAN, "max_tokens": 100, "tools": message_tools(WEATHER)}
        message = self.server.post("/v1/messages", request)[2]
        self.assertEqual(message["stop_reason"], "tool_use")
        text, call = message["content"]
        self.assertEqual((call["name"], call["input"]), ("get_weather", {"city": "Paris\né", "days": 3}))
        events = list(self.server.stream("/v1/messages", {**request, "stream": True}))
        pieces = [data["delta"]["partial_json"] for name, data in events
                  if name == "content_block_delta" and data["delta"]["type"] == "input_json_delta"]
        self.assertEqual("".join(pieces), ARGUMENTS)
        history = [*PLAN, {"role": "assistant", "content": message["content"]}, {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"}]}]
        answer = self.server.post("/v1/messages", {**request, "messages": history})[2]
        self.assertEqual(answer["content"], [{"type": "text", "text": "It is sunny in Paris."}])
        self.assertEqual(answer["stop_reason"], "end_turn")

    def test_a_cut_call_ends_with_its_length(self):
        for tokens in range(4, 9):
            choice = self.chat(PLAN, tools=chat_tools(WEATHER), max_tokens=tokens)["choices"][0]
            self.assertEqual(choice["finish_reason"], "length")
            for call in choice["message"].get("tool_calls", []):
                self.assertTrue(ARGUMENTS.startswith(call["function"]["arguments"]))
        message = self.server.post("/v1/messages", {"messages": PLAN, "max_tokens": 8, "tools": message_tools(WEATHER)})[2]
        self.assertEqual(message["stop_reason"], "max_tokens")

    def test_a_call_is_held_to_the_tools_from_its_opening_on(self):
        narrow = {**WEATHER, "parameters": {"type": "object", "properties": {"days": {"enum": [7]}}, "required": ["days"],
                                            "additionalProperties": False}}
        call, = self.chat(PLAN, tools=chat_tools(narrow))["choices"][0]["message"]["tool_calls"]
        self.assertEqual(json.loads(call["function"]["arguments"]), {"days": 7})
        call, = self.chat(PLAN, tools=chat_tools(STOP))["choices"][0]["message"]["tool_calls"]
        self.assertEqual((call["function"]["name"], json.loads(call["function"]["arguments"])), ("stop", {}))
        unknown = {**WEATHER, "parameters": {"type": "object", "properties": {"city": {"type": "string", "format": "odd"}}}}
        call, = self.chat(PLAN, tools=chat_tools(unknown))["choices"][0]["message"]["tool_calls"]
        self.assertEqual(call["function"]["name"], "get_weather", "what cannot be held is left to the model")
        self.assert_refused(self.server.post("/v1/chat/completions", {
            "messages": PLAN, "tools": chat_tools({**unknown, "strict": True})}), 400, "odd", "get_weather")


class Forced(Scripted):
    def forced(self, choice, tools=(WEATHER, STOP), **more):
        return self.chat(HELLO, tools=chat_tools(*tools), tool_choice=choice, **more)["choices"][0]

    def test_required(self):
        choice = self.forced("required")
        self.assertEqual(choice["finish_reason"], "tool_calls")
        self.assertIsNone(choice["message"]["content"])
        self.assertIn(choice["message"]["tool_calls"][0]["function"]["name"], ("get_weather", "stop"))

    def test_named(self):
        for name in ("get_weather", "stop"):
            choice = self.forced({"type": "function", "function": {"name": name}}, max_tokens=120)
            call, = choice["message"]["tool_calls"]
            self.assertEqual(call["function"]["name"], name)
            self.assertIn(choice["finish_reason"], ("stop", "length"))
        self.assertEqual(choice["finish_reason"], "stop")

    def test_no_more_than_one_call_where_one_is_wanted(self):
        choice = self.forced("required", tools=(STOP,), parallel_tool_calls=False)
        self.assertEqual(len(choice["message"]["tool_calls"]), 1)

    def test_allowed_tools(self):
        allowed = {"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{"type": "function", "function": {"name": "stop"}}]}}
        choice = self.forced(allowed, parallel_tool_calls=False)
        self.assertEqual(choice["message"]["tool_calls"][0]["function"], {"name": "stop", "arguments": "{}"})

    def test_in_the_other_apis(self):
        call = self.server.post("/v1/responses", {"input": HELLO[0]["content"], "tools": response_tools(WEATHER, STOP),
                                                  "tool_choice": {"type": "function", "name": "stop"}})[2]["output"][0]
        self.assertEqual((call["type"], call["name"], call["arguments"]), ("function_call", "stop", "{}"))
        for choice in ({"type": "any", "disable_parallel_tool_use": True}, {"type": "tool", "name": "stop"}):
            message = self.server.post("/v1/messages", {"messages": HELLO, "max_tokens": 100, "tools": message_tools(STOP),
                                                        "tool_choice": choice})[2]
            self.assertEqual(message["stop_reason"], "tool_use")
            self.assertEqual([block["type"] for block in message["content"]], ["tool_use"])
            self.assertEqual((message["content"][0]["name"], message["content"][0]["input"]), ("stop", {}))

    def test_a_schema_or_a_call(self):
        schema = {"type": "object", "properties": {"a": {"enum": ["<tool_call>"]}}, "required": ["a"],
                  "additionalProperties": False}
        form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
        choice = self.chat(HELLO, response_format=form)["choices"][0]
        self.assertEqual(json.loads(choice["message"]["content"]), {"a": "<tool_call>"})
        both = self.chat(HELLO, response_format=form, tools=chat_tools(STOP))["choices"][0]["message"]
        if both.get("tool_calls"):
            self.assertEqual(both["tool_calls"][0]["function"]["name"], "stop")
        else:
            self.assertEqual(json.loads(both["content"]), {"a": "<tool_call>"})

    def test_what_cannot_be_held_is_refused_by_name(self):
        odd = {"name": "odd", "parameters": {"type": "object", "properties": {"x": {"type": "array", "contains": {}}}}}
        for fields in ({"tool_choice": "required"}, {"tool_choice": {"type": "function", "function": {"name": "odd"}}}):
            self.assert_refused(self.server.post("/v1/chat/completions", {
                "messages": HELLO, "tools": chat_tools(odd), **fields}), 400, "contains", "odd")
        self.assert_refused(self.server.post("/v1/chat/completions", {
            "messages": HELLO, "tools": chat_tools({"name": "a b"}), "tool_choice": "required"}), 400, "a b")

    def test_strict_tools_are_others_than_the_same_ones_that_are_not(self):
        odd = {"name": "odd", "parameters": {"type": "object", "properties": {"x": {"type": "array", "contains": {}}}}}
        self.chat(HELLO, tools=chat_tools(odd))
        for _ in range(2):
            self.assert_refused(self.server.post("/v1/chat/completions", {
                "messages": HELLO, "tools": chat_tools({**odd, "strict": True})}), 400, "contains", "odd")
        self.chat(HELLO, tools=chat_tools(odd))


class Thinking(Scripted):
    def test_reasoning_ends_with_its_budget(self):
        for budget in (0, 5):
            answer = self.chat(MUSE, thinking_token_budget=budget)
            message = answer["choices"][0]["message"]
            self.assertEqual(message.get("reasoning_content", ""), " round and about round and"[1:] if budget else "")
            self.assertEqual(message["content"], "Hello there!!")
        message = self.server.post("/v1/messages", {"messages": MUSE, "max_tokens": 100,
                                                    "thinking": {"type": "enabled", "budget_tokens": 5}})[2]
        self.assertEqual([block["type"] for block in message["content"]], ["thinking", "text"])
        self.assertEqual(message["content"][1]["text"], "Hello there!!")

    def test_without_one_it_goes_on(self):
        choice = self.chat(MUSE, max_tokens=40)["choices"][0]
        self.assertEqual((choice["finish_reason"], choice["message"]["content"]), ("length", ""))

    def test_a_form_or_a_call_follows_it(self):
        schema = {"type": "object", "properties": {"a": {"const": "</think>b"}}, "required": ["a"], "additionalProperties": False}
        message = self.chat(MUSE, thinking_token_budget=3, response_format={
            "type": "json_schema", "json_schema": {"name": "s", "schema": schema}})["choices"][0]["message"]
        self.assertEqual(json.loads(message["content"]), {"a": "</think>b"})
        self.assertEqual(message["reasoning_content"], "round and about")
        message = self.chat(MUSE, thinking_token_budget=3, tools=chat_tools(STOP), tool_choice={
            "type": "function", "function": {"name": "stop"}})["choices"][0]["message"]
        self.assertEqual(message["tool_calls"][0]["function"]["name"], "stop")
        self.assertEqual(message["reasoning_content"], "round and about")


class Plain(Case):
    """A model whose template knows no calls (SmolLM2)."""

    def test_a_forced_call_is_a_plain_object(self):
        request = {"messages": QUESTION, "max_tokens": 80, "tools": chat_tools(WEATHER, STOP),
                   "tool_choice": {"type": "function", "function": {"name": "get_weather"}}}
        choice = self.server.post("/v1/chat/completions", request)[2]["choices"][0]
        call, = choice["message"]["tool_calls"]
        self.assertEqual(call["function"]["name"], "get_weather")
        self.assertEqual(choice["finish_reason"], "stop")
        arguments = json.loads(call["function"]["arguments"])
        deltas = [delta["function"]["arguments"] for name, data in self.server.stream("/v1/chat/completions", {
            **request, "stream": True}) if data != "[DONE]" for delta in data["choices"][0]["delta"].get("tool_calls", [])]
        self.assertEqual("".join(deltas), call["function"]["arguments"])
        self.assertGreaterEqual(len(deltas), 3, "arguments come in one piece")
        self.assertIsInstance(arguments["city"], str)
        history = [*QUESTION, choice["message"], {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}]
        prompt = self.server.post("/apply-template", {**request, "messages": history})[2]["prompt"]
        self.assertIn('{"name": "get_weather", "arguments": {', prompt)
        self.assertIn("Answer with a call of one of these functions", prompt)
        self.assertNotIn("Answer with a call", self.server.post("/apply-template", {"messages": QUESTION})[2]["prompt"])

    def test_the_best_of_several(self):
        ask = {"prompt": "The best", "max_tokens": 6, "temperature": 1.0, "seed": 3, "logprobs": 0}
        every = self.server.post("/v1/completions", {**ask, "n": 6})[2]["choices"]
        best = self.server.post("/v1/completions", {**ask, "n": 2, "best_of": 6})[2]
        every.sort(key=lambda choice: -sum(choice["logprobs"]["token_logprobs"]))
        self.assertEqual([choice["text"] for choice in best["choices"]], [choice["text"] for choice in every[:2]])
        self.assertEqual(best["usage"]["completion_tokens"], 36)
        self.assert_refused(self.server.post("/v1/completions", {**ask, "best_of": 2, "stream": True}), 400, "best_of")


if __name__ == "__main__":
    unittest.main()

"""The packages `openai` and `anthropic`, where they are installed, talk to `cleave serve` unchanged."""
import sys
import unittest

try:
    import anthropic
    import openai
except ImportError:
    print("skipped: the packages openai and anthropic are not installed")
    sys.exit(77)

import json

from embeddings_test import WIDTH, Encoder
from serving import ANSWER, QUESTION, Case
from tools_test import ARGUMENTS, HELLO, PLAN, STOP, WEATHER, Scripted, chat_tools, message_tools, response_tools

MODEL = "SmolLM2-135M-Instruct.Q4_1"


class OpenAI(Case):
    def setUp(self):
        super().setUp()
        self.client = openai.OpenAI(base_url=f"http://127.0.0.1:{self.server.port}/v1", api_key="none", max_retries=0)

    def test_chat(self):
        answer = self.client.chat.completions.create(model=MODEL, messages=QUESTION, logprobs=True, top_logprobs=1)
        self.assertEqual(answer.choices[0].message.content, ANSWER)
        self.assertEqual(len(answer.choices[0].logprobs.content), 7)
        stream = self.client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True, n=2, max_tokens=20,
                                                     stream_options={"include_usage": True})
        chunks = list(stream)
        self.assertEqual(chunks[-1].usage.prompt_tokens, 37)
        self.assertEqual({choice.index for chunk in chunks for choice in chunk.choices}, {0, 1})

    def test_completions(self):
        answer = self.client.completions.create(model=MODEL, prompt=["a", "b"], max_tokens=3, n=2)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2, 3])

    def test_responses(self):
        answer = self.client.responses.create(model=MODEL, input=QUESTION[0]["content"])
        self.assertEqual(answer.output_text, ANSWER)
        with self.client.responses.stream(model=MODEL, input=QUESTION[0]["content"]) as stream:
            for _ in stream:
                pass
            self.assertEqual(stream.get_final_response().output_text, ANSWER)

    def test_models(self):
        self.assertEqual([model.id for model in self.client.models.list()], [MODEL])

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.chat.completions.create(model="none", messages=QUESTION)
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "word " * 9000}])
        self.assertEqual(raised.exception.code, "context_length_exceeded")


class Embeddings(Encoder):
    def test_embeddings(self):
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{self.server.port}/v1", api_key="none", max_retries=0)
        for form in ({}, {"encoding_format": "float"}):  # by default, the package asks for base64
            reply = client.embeddings.create(model="encoder", input=self.texts, **form)
            for entry, (_, wanted) in zip(reply.data, self.cases):
                self.assert_near(list(entry.embedding), wanted)
            self.assertEqual(reply.usage.prompt_tokens, sum(len(ids) for ids, _ in self.cases))
        ids = [ids for ids, _ in self.cases]
        self.assertEqual([len(entry.embedding) for entry in client.embeddings.create(model="encoder", input=ids, dimensions=5).data],
                         [5, 5])
        with self.assertRaises(openai.BadRequestError) as raised:
            client.embeddings.create(model="encoder", input="w4", dimensions=WIDTH + 1)
        self.assertEqual(raised.exception.param, "dimensions")
        with self.assertRaises(openai.BadRequestError):
            client.chat.completions.create(model="encoder", messages=QUESTION)


class Anthropic(Case):
    def setUp(self):
        super().setUp()
        self.client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{self.server.port}", api_key="none", max_retries=0)

    def test_messages(self):
        answer = self.client.messages.create(model=MODEL, max_tokens=20, messages=QUESTION)
        self.assertEqual((answer.content[0].text, answer.stop_reason), (ANSWER, "end_turn"))
        with self.client.messages.stream(model=MODEL, max_tokens=20, messages=QUESTION) as stream:
            self.assertEqual("".join(stream.text_stream), ANSWER)
        self.assertEqual(self.client.messages.count_tokens(model=MODEL, messages=QUESTION).input_tokens, 37)

    def test_errors(self):
        with self.assertRaises(anthropic.NotFoundError):
            self.client.messages.create(model="none", max_tokens=20, messages=QUESTION)


class Agent(Scripted):
    """A question, a call, the tool's result, and the answer: each with the packages, streamed and not."""

    def setUp(self):
        super().setUp()
        self.openai = openai.OpenAI(base_url=f"http://127.0.0.1:{self.server.port}/v1", api_key="none", max_retries=0)
        self.anthropic = anthropic.Anthropic(base_url=f"http://127.0.0.1:{self.server.port}", api_key="none", max_retries=0)

    def test_chat(self):
        ask = {"model": "scripted", "tools": chat_tools(WEATHER, STOP), "max_tokens": 100}
        message = self.openai.chat.completions.create(messages=PLAN, **ask).choices[0].message
        call, = message.tool_calls
        self.assertEqual((call.function.name, call.function.arguments), ("get_weather", ARGUMENTS))
        history = [*PLAN, message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        self.assertEqual(self.openai.chat.completions.create(messages=history, **ask).choices[0].message.content,
                         "It is sunny in Paris.")
        with self.openai.chat.completions.stream(messages=PLAN, **ask) as stream:
            events = [event.type for event in stream]
            final = stream.get_final_completion().choices[0]
        self.assertEqual(final.message.tool_calls[0].function.arguments, ARGUMENTS)
        self.assertEqual(final.finish_reason, "tool_calls")
        self.assertIn("tool_calls.function.arguments.delta", events)
        forced = self.openai.chat.completions.create(messages=HELLO, tool_choice="required", parallel_tool_calls=False, **ask)
        self.assertEqual(len(forced.choices[0].message.tool_calls), 1)

    def test_responses(self):
        ask = {"model": "scripted", "tools": response_tools(WEATHER)}
        first = self.openai.responses.create(input=PLAN, **ask)
        call = first.output[-1]
        self.assertEqual((call.type, call.arguments), ("function_call", ARGUMENTS))
        history = [*PLAN, *(item.model_dump(exclude_none=True) for item in first.output),
                   {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        self.assertEqual(self.openai.responses.create(input=history, **ask).output_text, "It is sunny in Paris.")
        with self.openai.responses.stream(input=PLAN, **ask) as stream:
            deltas = [event.delta for event in stream if event.type == "response.function_call_arguments.delta"]
            self.assertEqual(stream.get_final_response().output[-1].arguments, ARGUMENTS)
        self.assertEqual("".join(deltas), ARGUMENTS)

    def test_messages(self):
        ask = {"model": "scripted", "tools": message_tools(WEATHER), "max_tokens": 100}
        first = self.anthropic.messages.create(messages=PLAN, **ask)
        call = first.content[-1]
        self.assertEqual((first.stop_reason, call.name, call.input), ("tool_use", "get_weather", json.loads(ARGUMENTS)))
        history = [*PLAN, {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
                   {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}]
        self.assertEqual(self.anthropic.messages.create(messages=history, **ask).content[0].text, "It is sunny in Paris.")
        with self.anthropic.messages.stream(messages=PLAN, **ask) as stream:
            pieces = [event.partial_json for event in stream if event.type == "input_json"]
            self.assertEqual(stream.get_final_message().content[-1].input, json.loads(ARGUMENTS))
        self.assertEqual("".join(pieces), ARGUMENTS)
        forced = self.anthropic.messages.create(messages=HELLO, model="scripted", max_tokens=100, tools=message_tools(STOP),
                                                tool_choice={"type": "any", "disable_parallel_tool_use": True})
        self.assertEqual([block.name for block in forced.content], ["stop"])

    def test_a_form_of_python_classes(self):
        import pydantic

        class Point(pydantic.BaseModel):
            is_near: bool
            name: str

        parsed = self.openai.chat.completions.parse(model="scripted", messages=HELLO, response_format=Point, max_tokens=300)
        self.assertIsInstance(parsed.choices[0].message.parsed, Point)


if __name__ == "__main__":
    unittest.main()

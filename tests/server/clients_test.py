"""The packages `openai` and `anthropic`, where they are installed, talk to `cleave serve` unchanged."""
import sys
import unittest

try:
    import anthropic
    import openai
except ImportError:
    print("skipped: the packages openai and anthropic are not installed")
    sys.exit(77)

from serving import ANSWER, QUESTION, Case

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


if __name__ == "__main__":
    unittest.main()

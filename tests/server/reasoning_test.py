"""What a client is told where an answer begins with reasoning, of which a constraint would make something else."""
import json
import shutil
import struct
import unittest

from serving import DATA, Case, Server

TEMPLATE = """{%- for m in messages -%}
{{ m.role + ':\\n' }}
{%- if m.reasoning_content %}{{ '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}{% endif -%}
{{ m.content + '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ 'assistant:\\n' + ('<think>\\n' if enable_thinking | default(true) else '<think>\\n\\n</think>\\n\\n') }}
{%- endif -%}"""
SCHEMA = {"type": "object", "properties": {"a": {"enum": ["b"]}}, "required": ["a"], "additionalProperties": False}


def write_model(folder, positions=256):
    """The tiny model with positions for a conversation (it has eight), and a template that opens reasoning."""
    shutil.copytree(DATA / "tiny-gpt2", folder, copy_function=shutil.copyfile)
    config = json.loads((folder / "config.json").read_text())
    config.update(n_positions=positions, n_ctx=positions)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    content = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    name = next(name for name in header if name.endswith("wpe.weight"))
    header[name] = {"dtype": "F32", "shape": [positions, config["n_embd"]],
                    "data_offsets": [len(data), len(data) + positions * config["n_embd"] * 4]}
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(
        struct.pack("<Q", len(text)) + text + data + bytes(positions * config["n_embd"] * 4))


class Reasoning(Case):
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def test_a_schema_holds_for_what_follows_reasoning(self):
        write_model(self.folder / "model")
        server = Server(model=self.folder / "model")
        request = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 220, "temperature": 0,
                   "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}
        status, _, answer = server.post("/v1/chat/completions", {**request, "thinking_token_budget": 20})
        self.assertEqual(status, 200, answer)
        choice = answer["choices"][0]
        self.assertEqual((json.loads(choice["message"]["content"]), choice["finish_reason"]), ({"a": "b"}, "stop"))
        self.assertGreater(len(choice["message"]["reasoning_content"]), 0)
        self.assertGreaterEqual(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 20)
        request["chat_template_kwargs"] = {"enable_thinking": False}
        status, _, answer = server.post("/v1/chat/completions", request)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["choices"][0]["finish_reason"], "stop")
        self.assertEqual(json.loads(answer["choices"][0]["message"]["content"]), {"a": "b"})
        server.end()


if __name__ == "__main__":
    unittest.main()

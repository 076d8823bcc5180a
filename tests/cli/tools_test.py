"""`cleave template --explain`: what is found of a model's answers, and that answers which its template writes read back to
themselves, whole and cut at every byte.

The published templates are not in the repository: where ../shared/data/chat_templates.tar.xz does not lie beside it, they are
skipped."""
import json
import pathlib
import tarfile
import unittest

from cleave import DATA, Case, run

ARCHIVE = DATA.resolve().parents[1].parent / "shared" / "data" / "chat_templates.tar.xz"
HERMES = """{%- for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}{% for c in m.tool_calls %}
<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
DECLARED = {"version": 1, "fields": {
    "thinking": {"open": "<think>", "close": "</think>"}, "content": {},
    "tool_calls": {"open": "<tool_call>", "close": "</tool_call>", "content": "json", "repeats": True, "transform": {
        "type": "function", "function": {"name": "{content.name}", "arguments": "{content.arguments}"}}}}}
# Its template writes content before a call into the channel of reasoning.
DIFFERS = {("openai-gpt-oss-120b", "content and a call")}


def outcomes(text):
    """{what was written: what became of it} of an explanation."""
    lines = text.split("cut anywhere:\n")[1].splitlines()
    return {line[:24].strip(): line[24:] for line in lines if not line.startswith("  ")}


class Tools(Case):
    def explain(self, path):
        return self.assert_works(run("template", path, "--explain"))

    def test_a_template_is_explained(self):
        path = self.folder / "hermes.jinja"
        path.write_text(HERMES)
        text = self.explain(path)
        self.assertIn('reasoning           "<think>\\n" ... "\\n</think>\\n\\n"', text)
        self.assertIn("calls               JSON objects", text)
        self.assertEqual(set(outcomes(text).values()), {"the same"})

    def test_what_a_checkpoint_declares_comes_first(self):
        (self.folder / "chat_template.jinja").write_text(HERMES)
        config = self.folder / "tokenizer_config.json"
        config.write_text(json.dumps({"response_template": DECLARED}))
        self.assertIn("found in            the checkpoint's response_template", self.explain(self.folder))
        self.assertEqual(set(outcomes(self.explain(self.folder)).values()), {"the same"})
        config.write_text(json.dumps({"response_template": {"version": 2, "fields": {}}}))
        text = self.explain(self.folder)
        self.assertIn("found in            renderings of the chat template", text)
        self.assertIn("note                response_template: its version is not supported", text)

    @unittest.skipUnless(pathlib.Path(ARCHIVE).exists(), f"{ARCHIVE.name} is not there")
    def test_answers_of_published_templates_read_back(self):
        same = 0
        with tarfile.open(ARCHIVE) as archive:
            for member in archive.getmembers():
                if not member.name.endswith(".jinja"):
                    continue
                path = self.folder / pathlib.PurePath(member.name).name
                path.write_bytes(archive.extractfile(member).read())
                for what, outcome in outcomes(self.explain(path)).items():
                    with self.subTest(template=path.stem, what=what):
                        if (path.stem, what) not in DIFFERS:
                            self.assertIn(outcome, ("the same", "not written by the template"))
                    same += what == "one call" and outcome == "the same"
        self.assertEqual(same, 24, "templates that write calls")


if __name__ == "__main__":
    unittest.main()

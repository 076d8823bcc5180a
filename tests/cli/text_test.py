"""`cleave tokenize` and `cleave template`: lines in, lines out, errors."""
import json
import unittest

from cleave import DATA, SMOLLM2, Case, run

LLAMA3 = DATA / "tokenizers" / "bpe-llama3" / "tokenizer.json"
EXPECTED = json.loads((LLAMA3.parent / "expected.json").read_text())
CHATML = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def lines(values):
    return "".join(json.dumps(value) + "\n" for value in values)


class Tokenize(Case):
    def test_jsonl_gives_the_ids_of_every_line(self):
        done = run("tokenize", LLAMA3, "--jsonl", "--no-special", text=lines(case["text"] for case in EXPECTED))
        self.assertEqual([json.loads(line) for line in self.assert_works(done).splitlines()], [case["ids"] for case in EXPECTED])

    def test_special_tokens_are_added_unless_told_otherwise(self):
        done = run("tokenize", LLAMA3, "--jsonl", text=lines(["Hello"]))
        self.assertEqual(json.loads(self.assert_works(done))[0], 0)

    def test_jsonl_gives_the_text_of_every_list_of_ids(self):
        ids = [case["ids_with_special"] if case["ids_with_special"] != "same" else case["ids"] for case in EXPECTED]
        for flags, key in (([], "decoded_with_special"), (["--no-special"], "decoded")):
            done = run("tokenize", LLAMA3, "--jsonl", "--decode", *flags, text=lines(ids))
            self.assertEqual([json.loads(line) for line in self.assert_works(done).splitlines()], [case[key] for case in EXPECTED])

    def test_a_text_becomes_a_list_of_pieces(self):
        text = self.assert_works(run("tokenize", LLAMA3, "-p", "the\n", "--no-special"))
        pieces = [line.split("\t") for line in text.splitlines()]
        self.assertEqual("".join(json.loads(piece) for _, piece in pieces), "the\n")

    def test_ids_become_the_text(self):
        ids = run("tokenize", LLAMA3, "--jsonl", "--no-special", text=lines(["wordtool é"])).stdout.decode()
        self.assertEqual(self.assert_works(run("tokenize", LLAMA3, "--decode", "-p", ids)), "wordtool é")
        self.assertEqual(self.assert_works(run("tokenize", LLAMA3, "--decode", "-p", ids.strip("[]\n").replace(",", " "))), "wordtool é")

    def test_other_files_of_tokenizers(self):
        for name in ("bpe.model", "unigram.model", "tiny.tiktoken"):
            cases = json.loads((DATA / "vocabularies" / "cases.json").read_text())
            done = run("tokenize", DATA / "vocabularies" / name, "--jsonl", text=lines(cases["texts"]))
            self.assertEqual([json.loads(line) for line in self.assert_works(done).splitlines()], cases[name])

    def test_lines_that_are_not_what_was_asked_for(self):
        self.assert_fails(run("tokenize", LLAMA3, "--jsonl", text='\n[1]\n'), 1, "line 2", "wanted a string")
        self.assert_fails(run("tokenize", LLAMA3, "--jsonl", "--decode", text="[1, -1]\n"), 1, "line 1", "saw -1")
        self.assert_fails(run("tokenize", LLAMA3, "--jsonl", text="{\n"), 1, "line 1", "not valid JSON")

    def test_a_file_that_is_not_there(self):
        self.assert_fails(run("tokenize", self.folder / "none.json", "-p", "a"), 1, "none.json")


class Template(Case):
    def template(self, text):
        path = self.folder / "chat.jinja"
        path.write_text(text)
        return path

    def test_a_conversation(self):
        variables = {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": True}
        done = run("template", self.template(CHATML), text=json.dumps(variables))
        self.assertEqual(self.assert_works(done), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")

    def test_jsonl_goes_on_behind_an_error(self):
        path = self.template("{{ raise_exception('Only user') if x else tools | tojson }}")
        done = run("template", path, "--jsonl", text=lines([{"x": 1}, {"tools": {"b": 1, "a": "é"}}]))
        first, second = [json.loads(line) for line in self.assert_works(done).splitlines()]
        self.assertEqual(first, {"error": "chat.jinja:1:19: TemplateError: Only user"})
        self.assertEqual(second, '{"b": 1, "a": "é"}')

    def test_the_day_can_be_told(self):
        done = run("template", self.template("{{ strftime_now('%d %B %Y') }}"), "--date", "2024-07-26", text="{}")
        self.assertEqual(self.assert_works(done), "26 July 2024")
        self.assert_fails(run("template", self.template(""), "--date", "today", text="{}"), 2, "2024-07-26")

    def test_named_templates(self):
        (self.folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": [
            {"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]}))
        self.assertEqual(self.assert_works(run("template", self.folder, text="{}")), "plain")
        self.assertEqual(self.assert_works(run("template", self.folder, "--name", "tool_use", text="{}")), "tools")
        self.assert_fails(run("template", self.folder, "--name", "rag", text="{}"), 1, "named rag", "default, tool_use")

    def test_the_template_of_a_gguf_file(self):
        done = run("template", SMOLLM2, text=json.dumps({"messages": [{"role": "user", "content": "Hi"}]}))
        self.assertIn("<|im_start|>user\nHi<|im_end|>", self.assert_works(done))

    def test_a_broken_template(self):
        self.assert_fails(run("template", self.template("{% if %}"), text="{}"), 1, "chat.jinja:1:7", "TemplateSyntaxError")

    def test_a_directory_without_one(self):
        self.assert_fails(run("template", self.folder, text="{}"), 1, "no chat template")


if __name__ == "__main__":
    unittest.main()

"""What a model's own files and a person's commands make of answers, with a model that has 8 learned positions and always
prefers the token "alpha ", then "beta ", then "gamma "."""
import json
import shutil
import unittest

from cleave import DATA, Case, run

ALPHA, BETA, GAMMA = 256, 257, 258


class Answers(Case):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(DATA / "tiny-gpt2", self.model, copy_function=shutil.copyfile)

    def write(self, name, content):
        (self.model / name).write_text(json.dumps(content))

    def generate(self, *flags, **settings):
        self.write("generation_config.json", settings)
        return run("generate", self.model, "--raw", "-p", "x", *flags)

    def words(self, *flags, **settings):
        return self.assert_works(self.generate(*flags, **settings)).split()

    def chat(self, *lines, flags=()):
        self.write("tokenizer_config.json", {"chat_template": "{% for m in messages %}{{ m.role[0] + m.content }}{% endfor %}"})
        return run("chat", self.model, *flags, text="".join(line + "\n" for line in lines))

    def test_rules_of_the_model_hold_without_sampling(self):
        for settings, wanted in ((dict(), "alpha alpha alpha"), (dict(repetition_penalty=1.3), "alpha beta alpha"),
                                 (dict(no_repeat_ngram_size=1), "alpha beta gamma"),
                                 (dict(suppress_tokens=[ALPHA]), "beta beta beta"),
                                 (dict(begin_suppress_tokens=[ALPHA]), "beta alpha alpha"),
                                 (dict(bad_words_ids=[[ALPHA, ALPHA]]), "alpha beta alpha"),
                                 (dict(forced_bos_token_id=GAMMA), "gamma alpha alpha"),
                                 (dict(forced_eos_token_id=GAMMA), "alpha alpha gamma"),
                                 (dict(min_new_tokens=2, no_repeat_ngram_size=1), "alpha beta gamma")):
            with self.subTest(settings):
                self.assertEqual(self.words("--max-tokens", 3, **settings), wanted.split())

    def test_flags_come_before_the_model(self):
        self.assertEqual(self.words("--max-tokens", 3, "--no-repeat-ngram", 1), ["alpha", "beta", "gamma"])
        self.assertEqual(self.words("--max-tokens", 3, "--no-repeat-ngram", 0, no_repeat_ngram_size=1), ["alpha"] * 3)
        self.assertEqual(self.words("--max-tokens", 2, "--suppress-tokens", f"{ALPHA},{BETA}"), ["gamma"] * 2)
        self.assert_fails(self.generate("--no-repeat-ngram", -1), 2, "--no-repeat-ngram")

    def test_the_models_length_counts_where_no_flag_says_one(self):
        self.assertEqual(len(self.words(max_new_tokens=2)), 2)
        self.assertEqual(len(self.words(max_length=4)), 3)
        self.assertEqual(len(self.words("--max-tokens", 1, max_new_tokens=2)), 1)
        self.assert_fails(self.generate(max_length=1), 1, "max_length of 1")

    def test_what_is_not_done_is_named(self):
        done = self.generate("--max-tokens", 1, num_beams=4, stop_strings=["a"])
        self.assertIn('warning: generation_config.json sets what is not done here: num_beams 4, stop_strings ["a"]',
                      done.stderr.decode())
        self.assertNotIn("warning", self.generate("--max-tokens", 1, num_beams=1, repetition_penalty=2).stderr.decode())

    def test_settings_that_make_no_sense_are_refused(self):
        self.assert_fails(self.generate(suppress_tokens="all"), 1, "suppress_tokens", "the id of a token")
        self.assert_fails(self.generate(bad_words_ids=[[999]]), 1, "999", "vocabulary of 260")
        self.assert_fails(self.generate(suppress_tokens=list(range(260))), 1, "forbid all of 260 tokens")

    def test_the_context_ends_at_the_learned_positions(self):
        self.assertEqual(len(self.words()), 7)
        self.assert_fails(self.generate("--context", 20), 1, "learned 8 positions")
        self.assert_fails(run("generate", self.model, "--raw", "-p", "x" * 9), 1, "no room")

    def test_a_template_gets_what_generate_gives_it(self):
        self.write("tokenizer_config.json", {"chat_template": "{{ bos_token }}{{ image_token }}{{ tools }}{{ add_generation_prompt }}",
                                             "bos_token": "<s>", "extra_special_tokens": {"image_token": "<i>"}})
        self.assertEqual(self.assert_works(run("template", self.model, text="{}")), "<s><i>NoneTrue")
        self.assertEqual(self.assert_works(run("template", self.model, text='{"tools": 1, "add_generation_prompt": false}')),
                         "<s><i>1False")

    def test_a_chat_outlives_a_message_that_does_not_fit(self):
        done = self.chat("long" * 9, "a", "/reset", "a", flags=("--max-tokens", 1))
        self.assertEqual(self.assert_works(done).split(), ["alpha"] * 2)
        self.assertIn("error: the prompt has 37 tokens", done.stderr.decode())
        self.assertEqual(self.chat("a", "long" * 9).returncode, 1)

    def test_commands_of_a_chat(self):
        saved = self.folder / "saved.json"
        done = self.chat("/help", "a", "/system b", "/regenerate", "/stats", f"/save {saved}", "/exit", "a",
                         flags=("--max-tokens", 1))
        self.assertEqual(self.assert_works(done).split(), ["alpha"] * 2)
        notes = done.stderr.decode()
        for command in ("/help", "/system", "/regenerate", "/reset", "/save", "/stats", "/exit"):
            self.assertIn(command, notes)
        self.assertIn("of 8 tokens of the context", notes)
        self.assertEqual(json.loads(saved.read_text()), {"messages": [
            {"role": "system", "content": "b"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "alpha "}]})

    def test_an_unknown_command_is_no_message(self):
        done = self.chat("/quit now", "/save", "/regenerate", "//a", flags=("--max-tokens", 1))
        self.assertEqual(self.assert_works(done).split(), ["alpha"])
        for wanted in ("error: /quit is no command; /help", "/save wants", "no answer yet"):
            self.assertIn(wanted, done.stderr.decode())


if __name__ == "__main__":
    unittest.main()

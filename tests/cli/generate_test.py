"""`cleave generate` and `cleave chat` with a real model: text, streams, signals."""
import json
import os
import re
import signal
import subprocess
import unittest

from cleave import CLEAVE, DATA, SECONDS, SMOLLM2, Case, run

REFERENCE = json.loads((DATA / "smollm2" / "expected.json").read_text())["cases"]
QUESTION = REFERENCE[0]["messages"][0]["content"]
STORY = "Once upon a time"
LONG = ["generate", str(SMOLLM2), "--raw", "-p", STORY, "--max-tokens", "3000"]


def prompt_tokens(done):
    return int(re.search(r"prompt (\d+) tokens", done.stderr.decode()).group(1))


class Generate(Case):
    def test_several_ranks_give_the_text_of_one(self):
        def answer(ranks):
            return self.assert_works(run("generate", SMOLLM2, "-p", "Write three sentences about the sea.", "--temperature", 0,
                                         "--max-tokens", 48, "--tp", ranks))
        one = answer(1)
        self.assertGreater(len(one), 100)
        for ranks in (2, 3):  # of 9 heads and 3 key-value heads
            self.assertEqual(answer(ranks), one)

    def test_says_in_exact_arithmetic_what_transformers_says(self):
        for case in REFERENCE:
            messages = case.get("messages", [])
            with self.subTest(text=case["text"]):
                flags = ["--raw", "-p", case["text"]]
                if messages:
                    flags = ["-p", messages[-1]["content"]]
                    if messages[0]["role"] == "system":
                        flags += ["--system", messages[0]["content"]]
                done = run("generate", SMOLLM2, "--exact", "--max-tokens", 48, *flags)
                self.assertEqual(self.assert_works(done), case["greedy_text"])
                self.assertEqual(prompt_tokens(done), len(case["ids"]))

    def test_standard_error_tells_the_rates(self):
        done = run("generate", SMOLLM2, "-p", QUESTION, "--max-tokens", 8)
        self.assertRegex(done.stderr.decode(),
                         r"^prompt 37 tokens, [\d.]+ tokens/s; answer \d tokens, [\d.]+ tokens/s; loaded in [\d.]+ s\n$")

    def test_rates_are_on_a_line_of_their_own_where_they_follow_the_answer(self):
        arguments = [CLEAVE, "generate", str(SMOLLM2), "-p", QUESTION, "--max-tokens", "8"]
        apart = subprocess.run(arguments, capture_output=True, timeout=SECONDS, check=True)
        self.assertFalse(apart.stdout.endswith(b"\n"))
        self.assertTrue(apart.stderr.startswith(b"prompt "))
        together = [subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                                   check=True).stdout]
        path = self.folder / "log.txt"
        with open(path, "ab") as log:
            subprocess.run(arguments, stdout=log, stderr=log, timeout=SECONDS, check=True)
        together.append(path.read_bytes())
        for text in together:
            self.assertTrue(text.startswith(apart.stdout + b"\nprompt 37 tokens"), text)

    def test_reads_prompts_unchanged_from_standard_input_and_files(self):
        text = f"{STORY}\n\n"
        flags = ["--raw", "--exact", "--max-tokens", 4]
        wanted = run("generate", SMOLLM2, "-p", text, *flags)
        piped = run("generate", SMOLLM2, "-p", "-", *flags, text=text)
        path = self.folder / "prompt.txt"
        path.write_text(text)
        filed = run("generate", SMOLLM2, "-f", path, *flags)
        for done in (piped, filed):
            self.assertEqual(self.assert_works(done), self.assert_works(wanted))
            self.assertEqual(prompt_tokens(done), prompt_tokens(wanted))
        self.assertGreater(prompt_tokens(piped), prompt_tokens(run("generate", SMOLLM2, "-p", STORY, *flags)))

    def test_ends_before_the_first_stop_text(self):
        text = REFERENCE[3]["greedy_text"]
        stop = "thriving metropolis"
        done = run("generate", SMOLLM2, "--raw", "--exact", "-p", STORY, "--stop", "not there", "--stop", stop)
        self.assertEqual(self.assert_works(done), text[:text.index(stop)])

    def test_a_seed_repeats_a_text_whatever_the_threads(self):
        def sample(seed, threads):
            return self.assert_works(run("generate", SMOLLM2, "--raw", "--exact", "-p", STORY, "--max-tokens", 12, "--temperature",
                                         1.2, "--top-p", 0.95, "--seed", seed, "--threads", threads))
        self.assertEqual(sample(7, 1), sample(7, 2))
        self.assertNotEqual(sample(7, 1), sample(8, 1))

    def test_top_k_of_one_is_greedy(self):
        greedy = run("generate", SMOLLM2, "--raw", "--exact", "-p", STORY, "--max-tokens", 8)
        one = run("generate", SMOLLM2, "--raw", "--exact", "-p", STORY, "--max-tokens", 8, "--temperature", 2, "--top-k", 1)
        self.assertEqual(self.assert_works(one), self.assert_works(greedy))

    def test_an_empty_system_message_means_none(self):
        with_default = run("generate", SMOLLM2, "-p", QUESTION, "--max-tokens", 1)
        without = run("generate", SMOLLM2, "-p", QUESTION, "--max-tokens", 1, "--system", "")
        self.assertLess(prompt_tokens(without), prompt_tokens(with_default))


class Streams(Case):
    def assert_one_error(self, process, *parts):
        error = process.stderr.read().decode()
        self.assertEqual(process.wait(SECONDS), 1, error)
        self.assertEqual(error.count("\n"), 1, error)
        for part in ("cleave: error: ", "standard output", *parts):
            self.assertIn(part, error)

    def test_a_closed_pipe_ends_with_one_line(self):
        with subprocess.Popen([CLEAVE, *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertNotEqual(process.stdout.read(1), b"")
            process.stdout.close()
            self.assert_one_error(process, "Broken pipe")

    def test_a_full_disk_ends_with_one_line(self):
        for arguments in (LONG, ["models"], ["--help"]):
            with open("/dev/full", "wb") as full, self.subTest(arguments=arguments), \
                    subprocess.Popen([CLEAVE, *arguments], stdout=full, stderr=subprocess.PIPE) as process:
                self.assert_one_error(process, "No space left")

    def test_control_c_ends_with_what_was_said_so_far(self):
        with subprocess.Popen([CLEAVE, *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            first = process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            text, error = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(first + text)
        (first + text).decode()  # whole characters
        self.assertRegex(error.decode(), r"^prompt 4 tokens, [^\n]*; answer \d+ tokens[^\n]*\n$")

    def test_text_comes_as_it_is_made(self):
        with subprocess.Popen([CLEAVE, *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertLess(len(os.read(process.stdout.fileno(), 1 << 16)), 200)
            process.kill()


class Chat(Case):
    def chat(self, *lines):
        done = run("chat", SMOLLM2, "--exact", "--max-tokens", 24, text="".join(line + "\n" for line in lines))
        return self.assert_works(done).splitlines(), done

    def test_answers_every_line_in_the_light_of_those_before(self):
        again = "And of Italy?"
        answers, done = self.chat(QUESTION, again)
        first = REFERENCE[0]["greedy_text"]
        self.assertEqual(answers[0], first)
        conversation = (REFERENCE[0]["text"] + first + "<|im_end|>\n<|im_start|>user\n" + again +
                        "<|im_end|>\n<|im_start|>assistant\n")
        whole = run("generate", SMOLLM2, "--exact", "--raw", "-p", conversation, "--max-tokens", 24)
        self.assertEqual("\n".join(answers[1:]), self.assert_works(whole))
        answered = len(REFERENCE[0]["greedy"]) - 1  # computed while the first answer was given
        self.assertEqual(prompt_tokens(done), prompt_tokens(whole) - answered)

    def test_reset_forgets_and_exit_ends(self):
        answers, _ = self.chat(QUESTION, "/reset", "", QUESTION, "/exit", QUESTION)
        self.assertEqual(answers, [REFERENCE[0]["greedy_text"]] * 2)

    def test_a_full_context_is_an_error_where_nobody_can_reset(self):
        done = run("chat", SMOLLM2, "--context", 60, text=f"{QUESTION}\n{'Tell me more. ' * 10}\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("leaves no room", done.stderr.decode())

    def test_control_c_while_waiting_ends_the_conversation(self):
        with subprocess.Popen([CLEAVE, "chat", str(SMOLLM2), "--max-tokens", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdin.write(QUESTION.encode() + b"\n")
            process.stdin.flush()
            answer = b""
            while not answer.endswith(b"\n"):
                answer += process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(SECONDS), 130)


if __name__ == "__main__":
    unittest.main()

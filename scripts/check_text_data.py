#!/usr/bin/env python3
"""check_text_data.py DATA_DIR [CLEAVE]: compares `cleave tokenize` and `cleave template` with recorded results.

DATA_DIR holds, unpacked, whichever there are of
  tokenizers/NAME/{tokenizer.json,expected.json}, tokenizers/texts.json   ids and decodings of the tokenizers library
  gguf_vocab/NAME.gguf{,.inp,.out}                                       ids of llama.cpp
  sentencepiece/*.model                                                  compared with the Python package sentencepiece
  chat_templates/{templates,renderings.json,unit_cases.json}             renderings of Jinja2
CLEAVE is the program, build/release/cleave by default. Prints one line for each tokenizer or template that differs, a line
per kind, and exits 1 when something differs.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent


class Checker:
    def __init__(self, data, cleave):
        self.data, self.cleave, self.failed = data, cleave, False

    def run(self, *arguments, lines):
        """Standard output of the program for JSON lines, parsed; None and the error where it fails."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        result = subprocess.run([self.cleave, *map(str, arguments), "--jsonl"], input=text.encode(), capture_output=True)
        if result.returncode != 0:
            return None, result.stderr.decode().strip()
        return [json.loads(line) for line in result.stdout.decode().splitlines()], ""

    def report(self, kind, name, wrong, total, example=""):
        if wrong:
            self.failed = True
            print(f"{kind}: {name}: {wrong} of {total} differ {example[:600]}")
        return total

    def compare(self, kind, name, got, wanted, error=""):
        if got is None:
            return self.report(kind, name, len(wanted), len(wanted), error)
        differing = [(g, w) for g, w in zip(got, wanted) if g != w]
        differing += [("", w) for w in wanted[len(got):]]
        return self.report(kind, name, len(differing), len(wanted), str(differing[:1]))

    def tokenizers(self):
        folder = self.data / "tokenizers"
        texts = [entry["text"] for entry in json.loads((folder / "texts.json").read_text())]
        total = 0
        for path in sorted(folder.glob("*/expected.json")):
            name, model = path.parent.name, path.parent / "tokenizer.json"
            cases = json.loads(path.read_text())["cases"]
            special = [case["ids"] if case.get("ids_special", "same") == "same" else case["ids_special"] for case in cases]
            total += self.compare("tokenizer", name + " ids", *_and(self.run("tokenize", model, "--no-special", lines=texts),
                                                                  [case["ids"] for case in cases]))
            total += self.compare("tokenizer", name + " ids with special tokens", *_and(self.run("tokenize", model, lines=texts),
                                                                                     special))
            for key, flags in (("decoded", []), ("decoded_skip_special", ["--no-special"])):
                chosen = [(case["ids"], case[key]) for case in cases if key in case]
                got = self.run("tokenize", model, "--decode", *flags, lines=[ids for ids, _ in chosen])
                total += self.compare("tokenizer", f"{name} {key}", *_and(got, [text for _, text in chosen]))
        for path in sorted(folder.glob("bad-*/tokenizer.json")):
            got, error = self.run("tokenize", path, lines=["a"])
            total += self.report("tokenizer", path.parent.name, got is not None or "cleave: error:" not in error, 1)
        print(f"tokenizers: {total} results compared")

    def fixtures(self):
        total = 0
        for path in sorted((ROOT / "tests/data/tokenizers").glob("*/expected.json")):
            cases = json.loads(path.read_text())
            special = [case["ids"] if case["ids_with_special"] == "same" else case["ids_with_special"] for case in cases]
            got = self.run("tokenize", path.parent / "tokenizer.json", lines=[case["text"] for case in cases])
            total += self.compare("fixture", path.parent.name, *_and(got, special))
        print(f"fixtures: {total} results compared")

    def gguf(self):
        total = 0
        for path in sorted((self.data / "gguf_vocab").glob("*.gguf")):
            texts = pathlib.Path(f"{path}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
            rows = pathlib.Path(f"{path}.out").read_text().split("\n")
            wanted = [[int(number) for number in row.split()] for row in rows][:len(texts)]
            total += self.compare("gguf", path.name, *_and(self.run("tokenize", path, "--no-special", lines=texts), wanted))
        print(f"gguf vocabularies: {total} results compared")

    def sentencepiece(self):
        try:
            import sentencepiece
        except ImportError:
            print("sentencepiece: skipped, the Python package is not installed")
            return
        texts = self.corpus()
        total = 0
        for path in sorted((self.data / "sentencepiece").glob("*.model")):
            model = sentencepiece.SentencePieceProcessor(model_file=str(path))
            total += self.compare("sentencepiece", path.name, *_and(self.run("tokenize", path, lines=texts), model.encode(texts)))
        print(f"sentencepiece: {total} results compared")

    def corpus(self):
        """Awkward texts and lines of every book."""
        texts = [entry["text"] for entry in json.loads((self.data / "tokenizers/texts.json").read_text())]
        for path in sorted((self.data / "text").glob("*.txt")):
            text = path.read_text()
            texts += text.splitlines()[:3000] + [text[:20000]]
        return texts

    def templates(self):
        folder = self.data / "chat_templates"
        recorded = json.loads((folder / "renderings.json").read_text())
        total = 0
        for name, renderings in recorded["renderings"].items():
            got, error = self.run("template", folder / "templates" / name, "--date", "2024-07-26",
                                  lines=[recorded["contexts"][context] for context in renderings])
            total += self.compare_rendered("template", name, got, list(renderings.values()), error)
        print(f"templates: {total} renderings compared")

    def unit_cases(self):
        cases = json.loads((self.data / "chat_templates/unit_cases.json").read_text())
        total = 0
        scratch = ROOT / "build/unit_case.jinja"
        for name, case in cases.items():
            if case["context_has_functions"]:
                continue
            scratch.write_bytes(case["template"].encode())
            wanted = {"error": case["jinja2_error"]} if "jinja2_error" in case else {"text": case["jinja2_output"]}
            got, error = self.run("template", scratch, lines=[case["context"]])
            total += self.compare_rendered("unit case", name, got, [wanted], error)
        print(f"unit cases: {total} renderings compared")

    def compare_rendered(self, kind, name, got, wanted, error):
        """Texts must be equal; an error must end with Jinja2's, which says neither file nor line."""
        if got is None:
            return self.report(kind, name, len(wanted), len(wanted), error)
        differing = [(g, w) for g, w in zip(got, wanted)
                     if (g != w["text"] if "text" in w else not isinstance(g, dict) or not g["error"].endswith(w["error"]))]
        return self.report(kind, name, len(differing) + len(wanted) - len(got), len(wanted), str(differing[:1]))


def _and(result, wanted):
    got, error = result
    return got, wanted, error


def main():
    data = pathlib.Path(sys.argv[1])
    cleave = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "build/release/cleave")
    checker = Checker(data, cleave)
    checker.fixtures()
    for folder, check in (("tokenizers", checker.tokenizers), ("gguf_vocab", checker.gguf), ("sentencepiece", checker.sentencepiece),
                          ("chat_templates", checker.templates), ("chat_templates", checker.unit_cases)):
        if (data / folder).is_dir():
            check()
        else:
            print(f"{folder}: skipped, not in {data}")
    return 1 if checker.failed else 0


if __name__ == "__main__":
    sys.exit(main())

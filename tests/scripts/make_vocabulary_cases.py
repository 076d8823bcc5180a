#!/usr/bin/env python3
"""make_vocabulary_cases.py OUT_DIR: small SentencePiece and tiktoken vocabularies with ids that their own libraries give.

Writes OUT_DIR/{bpe.model,unigram.model,tiny.tiktoken,cases.json}, which are tests/data/vocabularies. Needs the Python packages
sentencepiece and tiktoken; the tests do not.
"""
import base64
import io
import json
import pathlib
import sys

import sentencepiece
import tiktoken

# Enough repetition for pieces to form.
LINES = ["the quick brown fox jumps over the lazy dog", "the dog sleeps while the fox runs over the hill", "a quick answer is worth a slow one",
         "numbers such as 1234 and 1999 stand among words", "straße über café naïve", "東京は日本の首都です 東京の東", "running, jumping and sleeping",
         "what the fox says is what the dog hears"] * 12
TEXTS = ["", " ", "the quick brown fox", "  the   dog ", "tooltool tool <tool>", "über straße 東京は遠い", "12345 1999", "unseen: Ωμέγα 😀!", "a\u0301 ﬁ ①",
         "the\nfox\truns", "<s>the</s>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "     ", "▁the▁", "\u0001x", "théfox <unk>", "..........--------",
         "the dog sleeps while the fox runs over the hill and the dog hears what the fox says: a slow answer, worth 1234 words"]
RULES = {"ﬁ": "fi", "①": "1", "\t": " ", "\n": " ", "é": "e", "ox": "OX"}
PATTERN = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""


def train(out, name, rules, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(LINES), model_writer=model, hard_vocab_limit=False, minloglevel=2,
                                             normalization_rule_tsv=str(rules), **options)
    (out / name).write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).encode(TEXTS)


def train_tiktoken(out):
    tokens = [bytes([b]) for b in range(256)] + [b"th", b"he", b"the", b" the", b" q", b"uick", b"ui", b"ck", b"quick", b"aa", b"aaaa", b"aaaaaaaa", b"12", b"  ",
                                                 "東".encode(), b"\xe6\x9d", b" fo", b"fox", b"ox"]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    (out / "tiny.tiktoken").write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))
    return [tiktoken.Encoding("tiny", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}).encode_ordinary(text) for text in TEXTS]


def main():
    out = pathlib.Path(sys.argv[1])
    rules = out / "rules.tsv"
    rules.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in sorted(RULES.items())))
    cases = {"texts": TEXTS,
             "bpe.model": train(out, "bpe.model", rules, model_type="bpe", vocab_size=420, byte_fallback=True, add_dummy_prefix=True,
                                remove_extra_whitespaces=False, user_defined_symbols=["tool", "<tool>"]),
             "unigram.model": train(out, "unigram.model", rules, model_type="unigram", vocab_size=110, user_defined_symbols=["tool"]),
             "tiny.tiktoken": train_tiktoken(out)}
    rules.unlink()
    (out / "cases.json").write_text(json.dumps(cases, ensure_ascii=False))


if __name__ == "__main__":
    main()

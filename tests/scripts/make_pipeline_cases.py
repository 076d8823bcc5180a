#!/usr/bin/env python3
"""make_pipeline_cases.py OUT.json: what the tokenizers library makes of awkward texts with each normalizer, pre-tokenizer and decoder.

The model is a BPE whose only tokens are bytes, with "##" before every character that does not begin a piece, so that the ids
show the text and where it is cut. The result, tests/data/pipelines/cases.json, holds per configuration one string per text: the
bytes of the ids, with <257> for an added token. Needs the Python package tokenizers (0.23); the tests do not.
"""
import json
import sys
import tempfile

import tokenizers

BYTES = {f"<0x{b:02X}>": b for b in range(256)} | {"<unk>": 256}
ADDED = [dict(id=257, content="<s>", single_word=False, lstrip=False, rstrip=False, normalized=False, special=True),
         dict(id=258, content="<m>", single_word=False, lstrip=True, rstrip=True, normalized=False, special=True),
         dict(id=259, content="Tool", single_word=True, lstrip=False, rstrip=False, normalized=True, special=False),
         dict(id=260, content="É x", single_word=False, lstrip=True, rstrip=False, normalized=True, special=False)]
TEXTS = ["", " ", "  a  b ", "Hello, world! it's 12345 don't", "a1b22  c333\n\nd\t4", "Grüße, naïve café ÀÉÎ", "e\u0301 vs é ﬁ Å Å ①② ½",
         "東京は日本の首都です。カ゛ー", "한국어 \u1112\u1161\u11ab 각", "Привет, мир! שלום مرحبا", "नमस्ते दुनिया ที่ ำ", "😀👨‍👩‍👧🏳️‍🌈 👍🏽", "<s>hi</s> <s> Tool",
         " <m>  x<m>y ", "ToolTool Tool, aTool Tool", "É x É x e\u0301 x", "▁a ▁▁b", "x\u00a0y\u2003z\u200bw\ufeffv\u00ad", "İstanbul ß ſ K ǅ Σς",
         "\u0001\u007f\r\n", "!!!???...---$+<=>^`|~", "a,b;c:d", "ＡＢＣ　ｆｕｌｌ", "\u0301\u0327a\u0327\u0301"]
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PATTERNS = [{"String": " "}, {"Regex": r"\p{L}+"}, {"Regex": r"\w+|[^\w\s]+"}, {"Regex": r"\b"}, {"Regex": r"^|$"}, {"Regex": r"\d{1,3}(?=(?:\d{3})*\b)"},
            {"Regex": r"(?i:ß|k)"}, {"Regex": r"[[:alpha:]]+"}, {"Regex": r"\h+"}, {"Regex": r"x*"},
            {"Regex": r"[\p{L}&&[^\p{Han}aeiou]]+"}, {"Regex": r"[^a-m[0-9]\s]+"}, {"Regex": r"[\W&&[^\s]]"}]


def normalizers():
    for kind in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"):
        yield {"type": kind}
    for left in (True, False):
        yield {"type": "Strip", "strip_left": left, "strip_right": not left}
    for clean, chinese, accents, lower in ((True, True, None, True), (True, True, None, False), (False, False, True, False), (False, True, False, True)):
        yield {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}
    yield {"type": "Prepend", "prepend": "▁"}
    yield {"type": "Replace", "pattern": {"String": "  "}, "content": "_"}
    yield {"type": "Replace", "pattern": {"Regex": r"(?<=a)b|\p{Lu}"}, "content": "<>"}
    yield {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, {"type": "Lowercase"}]}


def pre_tokenizers():
    yield from ({"type": kind} for kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"))
    yield {"type": "CharDelimiterSplit", "delimiter": "a"}
    yield {"type": "FixedLength", "length": 3}
    yield from ({"type": "Digits", "individual_digits": each} for each in (True, False))
    yield from ({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS)
    for pattern in PATTERNS:
        for behavior in BEHAVIORS if "String" in pattern else ("Isolated", "Removed"):
            yield from ({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert} for invert in (False, True))
    for scheme in ("always", "first", "never"):
        yield from ({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut} for cut in (True, False))
    for prefix in (True, False):
        yield from ({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex} for regex in (True, False))
    first = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    yield {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, first]}
    yield {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": r"\d"}, "behavior": "Removed", "invert": False}, first,
                                                 {"type": "Punctuation", "behavior": "MergedWithNext"}]}


def decoders():
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    space = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    yield {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield from ({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True} for scheme in ("always", "never"))
    yield from ({"type": "WordPiece", "prefix": "##", "cleanup": cleanup} for cleanup in (True, False))
    yield {"type": "BPEDecoder", "suffix": "</w>"}
    yield {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True}
    yield {"type": "Sequence", "decoders": [space, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]}
    yield {"type": "Sequence", "decoders": [strip, {"type": "Fuse"}, {"type": "Replace", "pattern": {"Regex": "l+"}, "content": "L"}]}
    yield None


TOKENS = [["▁Hello", "▁▁x", ",", "▁world"], ["Ġa", "Ã", "©", "b"], ["hello", "##ing", ".", "do", "n't", "'s", "##ly"], ["low</w>", "er", "</w>", "x</w>"],
          ["<0xE2>", "<0x82>", "<0xAC>", "a", "<0xC3>", "b"], ["<0xE2>", "<0x82>", "<0xAC>", "<0xFF>"], ["h", "h", "<pad>", "h", "|", "|", "e", "l", "l"], [" a", "  b", "all"],
          ["▁"], [], ["▁", "▁a▁b▁"]]


def load(description):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(description, file)
        file.flush()
        return tokenizers.Tokenizer.from_file(file.name)


def skeleton(normalizer, pre_tokenizer):
    return dict(version="1.0", truncation=None, padding=None, added_tokens=ADDED, normalizer=normalizer, pre_tokenizer=pre_tokenizer,
                post_processor=None, decoder=None,
                model=dict(type="BPE", dropout=None, unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix=None,
                           fuse_unk=False, byte_fallback=True, ignore_merges=False, vocab=BYTES, merges=[]))


def shown(ids):
    return b"".join(bytes([i]) if i < 256 else f"<{i}>".encode() for i in ids).decode()


def words(decoder, vocabulary):
    return dict(version="1.0", truncation=None, padding=None, added_tokens=[], normalizer=None, pre_tokenizer=None, post_processor=None,
                decoder=decoder, model=dict(type="WordLevel", vocab=vocabulary, unk_token="<unk>"))


def main():
    pipelines = []
    for normalizer, pre_tokenizer in [(n, None) for n in normalizers()] + [(None, p) for p in pre_tokenizers()]:
        library = load(skeleton(normalizer, pre_tokenizer))
        pipelines.append(dict(normalizer=normalizer, pre_tokenizer=pre_tokenizer,
                              results=[shown(library.encode(text, add_special_tokens=False).ids) for text in TEXTS]))
    vocabulary = {token: i for i, token in enumerate(["<unk>", *dict.fromkeys(t for tokens in TOKENS for t in tokens)])}
    decodings = []
    for decoder in decoders():
        library = load(words(decoder, vocabulary))
        decodings.append(dict(decoder=decoder, results=[library.decode([vocabulary[t] for t in tokens]) for tokens in TOKENS]))
    with open(sys.argv[1], "w") as out:
        json.dump(dict(tokenizers=tokenizers.__version__, skeleton=skeleton(None, None), texts=TEXTS, pipelines=pipelines,
                       words=words(None, vocabulary), tokens=TOKENS, decoders=decodings), out, ensure_ascii=False, indent=0)
    print(len(pipelines), "pipelines,", len(decodings), "decoders")


if __name__ == "__main__":
    main()

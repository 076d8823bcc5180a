#!/usr/bin/env python3
"""make_beam_cases.py MODEL...: what Transformers' generate() writes with each model, greedily and by beam search, under various settings.

MODEL is a folder with config.json, model.safetensors and expected.safetensors, of whose input_ids_0 and input_ids_1 the texts are
taken. The result, beams.json in the folder, holds for each case the settings, the text that is read, and all texts that are found,
best first, with their scores; the token that texts begin with is left out. Cases whose texts change where the logits do by 1e-3 are
passed over: their choices are ties. Needs the Python packages torch (2.8), transformers (4.57.6) and safetensors; the tests do not.
"""
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file

ENDS = list(range(3, 131, 5))  # so many that texts of random models end
CASES = [
    {"max_new_tokens": 12},
    {"max_new_tokens": 12, "no_repeat_ngram_size": 2, "forced_bos_token_id": 50, "forced_eos_token_id": 60},
    {"max_length": 11, "num_beams": 4},
    {"max_new_tokens": 14, "num_beams": 4, "eos_token_id": ENDS, "length_penalty": 2.0, "early_stopping": True, "no_repeat_ngram_size": 2},
    {"max_new_tokens": 14, "num_beams": 4, "eos_token_id": ENDS, "length_penalty": 0.0, "no_repeat_ngram_size": 3},
    {"max_new_tokens": 14, "num_beams": 3, "eos_token_id": ENDS, "length_penalty": 0.6, "early_stopping": "never", "no_repeat_ngram_size": 2},
    {"max_new_tokens": 14, "num_beams": 4, "eos_token_id": ENDS, "length_penalty": -1.5},
    {"max_new_tokens": 14, "num_beams": 5, "eos_token_id": ENDS, "min_length": 6, "no_repeat_ngram_size": 3},
    {"max_new_tokens": 10, "num_beams": 4, "eos_token_id": ENDS, "min_new_tokens": 4, "forced_bos_token_id": 50, "forced_eos_token_id": 60},
    {"max_new_tokens": 10, "num_beams": 4, "eos_token_id": ENDS, "no_repeat_ngram_size": 3, "suppress_tokens": [13, 28, 63, 17], "bad_words_ids": [[5], [7, 8]],
     "begin_suppress_tokens": [33, 44, 70, 25]},
    {"max_new_tokens": 12, "num_beams": 2, "repetition_penalty": 1.5},
    {"max_new_tokens": 40, "num_beams": 4, "no_repeat_ngram_size": 2},
]


class Noise(transformers.LogitsProcessor):
    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, ids, scores):
        return scores + 1e-3 * torch.rand(scores.shape, generator=self.generator)


def texts_of(model, ids, case, noise=()):
    settings = transformers.GenerationConfig(**{"eos_token_id": None, **case}, pad_token_id=1,
                                             decoder_start_token_id=model.config.decoder_start_token_id, use_cache=True)
    beams = case.get("num_beams", 1)
    done = model.generate(ids, generation_config=settings, num_return_sequences=beams, return_dict_in_generate=True,
                          output_scores=True, logits_processor=transformers.LogitsProcessorList(noise))
    ends = case.get("eos_token_id", [])
    texts = []
    for row in done.sequences[:, 1:].tolist():
        end = next((i for i, token in enumerate(row) if token in ends), len(row) - 1)
        texts.append(row[:end + 1])
    return texts, done.sequences_scores.tolist() if beams > 1 else []


def cases_of(folder):
    torch.manual_seed(0)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config = transformers.GenerationConfig()
    inputs = load_file(folder / "expected.safetensors")
    for case in CASES:
        for i in range(2):
            ids = inputs[f"input_ids_{i}"].reshape(1, -1).long()
            texts, scores = texts_of(model, ids, case)
            if any(texts_of(model, ids, case, [Noise(seed)])[0] != texts for seed in range(8)):
                continue
            yield {"settings": case, "source": ids[0].tolist(), "texts": texts, "scores": scores}


def main():
    for name in sys.argv[1:]:
        folder = pathlib.Path(name)
        with torch.no_grad():
            cases = list(cases_of(folder))
        lines = ",\n".join("  " + json.dumps(case) for case in cases)
        (folder / "beams.json").write_text("[\n" + lines + "\n]\n")
        print(f"{folder.name}: {len(cases)} of {2 * len(CASES)} cases")


main()

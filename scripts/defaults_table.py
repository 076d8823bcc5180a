#!/usr/bin/env python3
"""defaults_table.py FOLDER [--check]: writes models/defaults.json, what configuration classes take for keys that a config.json
leaves out, from FOLDER/transformers-*.json (each class's to_dict() without arguments, and its attribute_map). With --check it only
says whether the file is as it would be written, and exits 1 where it is not.

The table has the classes of the architectures that models/*.lua serve and the keys that a definition which serves the class, its
library or src/define names. Where versions differ, the newest counts; a class that only an older one has keeps its own. What a class
computes from other keys is left out: src/define/derived_defaults.cpp has it."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "models" / "defaults.json"
NEWEST, OLDER = "transformers-5.24.0.json", "transformers-4.57.6.json"

# Classes whose name is not that of the architecture in other letters.
CLASSES = {"HunYuanDenseV1ForCausalLM": ["hunyuan_v1_dense"], "HunYuanMoEV1ForCausalLM": ["hunyuan_v1_moe"]}
# Further classes of an architecture, by Transformers' own table of them.
MORE_CLASSES = {"LlamaForCausalLM": ["internlm3", "iquestcoder"], "DeepseekV3ForCausalLM": ["sarvam_mla"],
                "Glm4MoeForCausalLM": ["sarvam_moe"], "GPT2LMHeadModel": ["gpt-sw3"]}

# Keys that a class computes where they are absent, and the classes that do ("*": all that have the key).
COMPUTED = {
    "layer_types": "*", "mlp_layer_types": "*", "layers_block_type": "*", "_sliding_window_pattern": "*", "no_rope_layers": "*", "moe_layers": "*", "layer_rope_theta": "*",
    "attention_layers": "*", "full_attn_idxs": "*", "per_layer_config": "*", "mamba_d_head": "*", "mamba_dt_rank": "*",
    "time_step_rank": "*", "lru_width": "*", "word_embed_proj_dim": "*", "embedding_size": "roformer", "num_decoder_layers": "*", "moe_layer_end_index": "*",
    "decoder_vocab_size": "*", "scale_decoder_outputs": "*",
    "attention_multiplier": "hyperclovax", "intermediate_size": "mamba falcon_mamba", "num_kv_heads": "falcon",
    "ffn_hidden_size": "falcon", "v_head_dim": "minicpm3",
    "linear_num_key_heads": "olmo_hybrid", "linear_num_value_heads": "olmo_hybrid", "linear_key_head_dim": "olmo_hybrid",
    "linear_value_head_dim": "olmo_hybrid",
    "head_dim": "arcee aria_text cohere2 deepseek_v2 deepseek_v3 diffllama hyperclovax jais2 llama minicpm3 mistral nemotron "
                "qwen3_vl_moe_text recurrent_gemma sarvam_mla youtu",
    "num_key_value_heads": "apertus arcee aria_text cohere cohere2 cohere2_moe deepseek_v2 diffllama flex_olmo gpt_bigcode granite "
                           "granitemoe granitemoe_swa granitemoehybrid granitemoeshared hunyuan_v1_dense hunyuan_v1_moe "
                           "hyperclovax jais2 llama nanochat olmo olmo2 olmo3 olmo_hybrid olmoe phi phi3 recurrent_gemma "
                           "sarvam_mla",
}

# Defaults that to_dict() does not show: a window that counts once use_sliding_window is set.
HIDDEN = {name: {"sliding_window": 4096} for name in ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe")}


def architectures(text):
    listed = re.search(r"architectures\s*=\s*\{(.*?)\}", text, re.S)
    return re.findall(r'"([^"]+)"', listed.group(1)) if listed else []


def letters(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def classes_of(architecture, known):
    """Model types of an architecture. A multimodal model and its text part alone may share one."""
    endings = "ForCausalLM|ForConditionalGeneration|WithLMHeadModel|LMHeadModel|ForMaskedLM|ForPreTraining|TextModel|MTModel|Model"
    stem = letters(re.sub(f"({endings})$", "", architecture))
    parts = [stem + "text", stem] if re.search("(ForCausalLM|TextModel)$", architecture) else [stem]
    return CLASSES.get(architecture) or [name for part in parts for name in known if letters(name) == part]


# Classes whose rotary settings, where all are absent, are more than a base and a part of the dimensions.
SCALED_ROPE = {"apertus", "cwm", "gemma4_text", "gpt_oss", "mellum", "mimo_v2_flash", "ministral3"}


def spread_rope(name, defaults):
    """Rotary defaults as keys of their own, which count for settings that are only half there, too."""
    rope = defaults.pop("rope_parameters", None)
    if not rope:
        return defaults
    full = rope.get("full_attention", rope)
    spread = {key: full[key] for key in ("rope_theta", "partial_rotary_factor") if key in full}
    if name in SCALED_ROPE:
        spread = {"rope_parameters": rope} | ({"rope_theta": rope["rope_theta"]} if "rope_theta" in rope else {})
    elif full != rope and rope["sliding_attention"] != full:
        spread["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    if name == "gpt_oss":  # a base beside the settings counts
        rope.pop("rope_theta")
    if name == "ministral3":  # what settings without a base have
        spread["rope_theta"] = 10000.0
        rope.pop("max_position_embeddings")
    return defaults | spread


def is_computed(name, key):
    return COMPUTED.get(key) == "*" or name in COMPUTED.get(key, "").split()


def kept(value, words):
    """What is left of a default: no key that nobody names, no absent value; None for nothing."""
    if not isinstance(value, dict):
        return value
    inside = {key: kept(v, words) for key, v in value.items() if key in words}
    return {key: v for key, v in sorted(inside.items()) if v is not None} or None


def entry(name, of_class, words):
    """A class's line: default values, other names of keys, class of its text part."""
    defaults = {}
    for key, value in sorted((spread_rope(name, dict(of_class["defaults"])) | HIDDEN.get(name, {})).items()):
        if key in words and key not in ("text_config", "model_type") and not is_computed(name, key):
            value = kept(value, words)
            if value is not None:
                defaults[key] = value
    names = {key: own for key, own in sorted(of_class["attribute_map"].items()) if {key, own} & words}
    text = (of_class["defaults"].get("text_config") or {}).get("model_type")
    return {k: v for k, v in (("text", text), ("names", names), ("defaults", defaults)) if v}


def words_of(paths):
    return set(re.findall(r"\w+", " ".join(path.read_text() for path in paths)))


def make(folder):
    known = json.loads((folder / OLDER).read_text()) | json.loads((folder / NEWEST).read_text())
    shared = words_of([*(ROOT / "models" / "lib").glob("*.lua"), *(ROOT / "src" / "define").glob("*.cpp")])
    words, served = {}, {}
    for path in sorted((ROOT / "models").glob("*.lua")):
        for architecture in architectures(path.read_text()):
            more = MORE_CLASSES.get(architecture, [])
            for name in classes_of(architecture, known) + more:
                text = (known[name]["defaults"].get("text_config") or {}).get("model_type")
                if name not in more:
                    served.setdefault(name, []).append(architecture)
                for part in filter(None, (name, text)):
                    words.setdefault(part, set(shared)).update(words_of([path]))
    table = {}
    for name in sorted(words):
        table[name] = ({"architectures": served[name]} if name in served else {}) | entry(name, known[name], words[name])
    lines = [f"{json.dumps(name)}: {json.dumps(table[name], separators=(',', ':'))}" for name in table]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    text = make(pathlib.Path(arguments[0]))
    if "--check" not in sys.argv[1:]:
        TABLE.write_text(text)
    elif text != TABLE.read_text():
        sys.exit("models/defaults.json is not up to date; run scripts/defaults_table.py")


if __name__ == "__main__":
    main()

"""A model that plays scripts: each token has one successor, so that what an answer says depends only on the token that its
prompt ends with. Its chat template chooses that by the first word of the user's last message, and by whether a tool's
result is the last message ("result" is the script then)."""
import json
import struct

# What answers say, in pieces that are one token each; no piece may occur twice. `None` goes on at the first piece again.
SCRIPTS = {
    "plan": ["I look ", "it up.", "<tool_call>", '\n{"name": "get_wea', 'ther", "argu', 'ments": {"city": "Par', "is\\n",
             '\\u00e9", "days": 3', "}}\n", "</tool_call>"],
    "result": ["It is ", "sunny in", " Paris."],
    "hello": ["Hello", " there", "!!"],
    "muse": ["<think>", " round", " and", " about", None],
}
SPECIAL = ["<|im_start|>", "<|im_end|>", *(f"<|{name}|>" for name in SCRIPTS)]
END = "<|im_end|>"
TEMPLATE = """{%- if tools %}<|im_start|>system
{{ tools | tojson }}<|im_end|>
{% endif -%}
{%- for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}{% for c in m.tool_calls %}{% if m.content or not loop.first %}
{% endif %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if messages[-1].role == 'tool' %}<|result|>{% else %}{{ '<|' + messages[-1].content.split(' ')[0] + '|>' }}{% endif %}
{%- endif %}"""
HEADS, HEAD_SIZE = 5, 64
# What an answer goes on with where its script does not say and a grammar holds it: to its end, the soonest.
LEANINGS = {END: 0.04, "<tool_call>": 0.005, "{": 0.005, '"': 0.03, "}": 0.02, **{digit: 0.01 for digit in "0123456789"}}


def byte_letters():
    """The letters that stand for bytes in a byte-level vocabulary, by byte (GPT-2's)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def tokenizer(pieces):
    added = [{"id": 256 + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": text in SPECIAL} for i, text in enumerate(pieces)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {letter: byte for byte, letter in enumerate(byte_letters())}, "merges": []}}


def successors(ids):
    """The token that follows each."""
    following = {}
    for name, pieces in SCRIPTS.items():
        chain = [f"<|{name}|>", *pieces, END]
        if None in pieces:
            chain = chain[:chain.index(None)] + [pieces[1]]
        for token, after in zip(chain, chain[1:]):
            assert following.setdefault(ids[token], ids[after]) == ids[after], token
    following[ord("\n")] = ids["Hello"]  # what follows reasoning that was ended
    return following


def write_tensors(path, tensors):
    """`tensors`: name -> (shape, {index: number}); all other numbers are 0."""
    header, data = {}, b""
    for name, (shape, numbers) in tensors.items():
        size = 1
        for dimension in shape:
            size *= dimension
        values = [numbers] * size if isinstance(numbers, float) else [0.0] * size
        for index, number in (numbers.items() if isinstance(numbers, dict) else ()):
            values[index] = number
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * size]}
        data += struct.pack(f"<{size}f", *values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_model(folder):
    folder.mkdir()
    pieces = [*SPECIAL, *(piece for script in SCRIPTS.values() for piece in script if piece), "</think>"]
    assert len(set(pieces)) == len(pieces)
    ids = {piece: 256 + i for i, piece in enumerate(pieces)}
    width = HEADS * HEAD_SIZE  # of the vocabulary, too: a token is the number of its place
    assert 256 + len(pieces) <= width
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": width, "intermediate_size": 32,
              "num_hidden_layers": 1, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "vocab_size": width,
              "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "silu",
              "tie_word_embeddings": False, "torch_dtype": "float32", "bos_token_id": None, "eos_token_id": ids[END]}
    square, layer = [width, width], "model.layers.0."
    head = {ids.get(text, ord(text[0])) * width + token: lean for text, lean in LEANINGS.items() for token in range(width)}
    head.update({after * width + token: 2.0 for token, after in successors(ids).items()})
    tensors = {"model.embed_tokens.weight": (square, {i * width + i: 1.0 for i in range(width)}),
               "lm_head.weight": (square, head),
               "model.norm.weight": ([width], 1.0), layer + "input_layernorm.weight": ([width], 1.0),
               layer + "post_attention_layernorm.weight": ([width], 1.0),
               layer + "mlp.gate_proj.weight": ([32, width], {}), layer + "mlp.up_proj.weight": ([32, width], {}),
               layer + "mlp.down_proj.weight": ([width, 32], {})}
    for name in "qkvo":
        tensors[f"{layer}self_attn.{name}_proj.weight"] = (square, {})
    write_tensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(pieces)))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)

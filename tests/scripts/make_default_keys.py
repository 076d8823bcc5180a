#!/usr/bin/env python3
"""make_default_keys.py CONFIGS: writes tests/data/default_keys.json, which keys of each reference configuration can be left out: those
whose value is what Transformers' class takes where they are absent. Needs Transformers 5 (pip install transformers, nothing else);
CONFIGS is the unpacked configs.tar.xz of the reference data, whose fixtures lie in ../shared beside the checkout.

A key can be left out where the class makes the same of the configuration without it. For keys that stand for one another (two
spellings of one number) only all but one can; "together" lists those that can be left out at once, where these are fewer."""
import copy
import json
import pathlib
import re
import sys

from transformers import CONFIG_MAPPING

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "fixtures"
WORDS = set(re.findall(r"\w+", " ".join(p.read_text() for folder, kind in (("models", "*.lua"), ("src/define", "*.cpp"))
                                        for p in (ROOT / folder).rglob(kind)) + (ROOT / "models" / "defaults.json").read_text()))
SERVED = set(re.findall(r'"(\w+)"', " ".join(re.search(r"architectures\s*=\s*\{(.*?)\}", p.read_text(), re.S).group(1)
                                              for p in (ROOT / "models").glob("*.lua"))))


def plain(value):
    """Numbers in tuples, keys that are integers and infinities as a config.json has them; what no model computes left out."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items() if k not in ("vision_config", "transformers_version", "dtype")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def number(value):
    """{"__float__": "Infinity"}, as version 5 writes it."""
    return float(value["__float__"]) if set(value) == {"__float__"} else value


def read_by_class(config):
    return plain(CONFIG_MAPPING[config["model_type"]].from_dict(copy.deepcopy(config)).to_dict())


def without(config, path):
    *folder, key = path.split("/")
    copied = copy.deepcopy(config)
    inner = copied
    for name in folder:
        inner = inner[name]
    del inner[key]
    return copied


def paths_of(config, prefix=""):
    for key, value in config.items():
        if key in WORDS and key not in ("architectures", "model_type"):
            yield prefix + key
            if isinstance(value, dict) and key not in ("per_layer_config", "layer_types"):
                yield from paths_of(value, prefix + key + "/")


def is_same(config, wanted):
    try:
        return read_by_class(config) == wanted
    except Exception:  # the class refuses it: the key is needed
        return False


def keys_of(config):
    wanted = read_by_class(config)
    single = [path for path in paths_of(config) if is_same(without(config, path), wanted)]
    together, rest = [], config
    for path in single:
        try:
            less = without(rest, path)
        except KeyError:  # its object is gone already
            continue
        if is_same(less, wanted):
            rest = less
            together.append(path)
    return {"single": single} | ({"together": together} if together != single else {})


def configurations(archive):
    for folder in ("models", "models_v5saved"):
        for path in sorted((ROOT / "tests" / "data" / folder).glob("*/config.json")):
            yield f"data/{folder}/{path.parent.name}", path
    for folder in ("models", "models_v5saved", "models_v5"):
        for path in sorted((SHARED / folder).glob("*/config.json")):
            yield f"shared/{folder}/{path.parent.name}", path
    for path in sorted(pathlib.Path(archive).glob("*/config.json")):
        yield f"configs/{path.parent.name}", path


def main():
    table = {}
    for name, path in configurations(sys.argv[1]):
        config = json.loads(path.read_text(), object_hook=number)
        if (config.get("architectures") or [""])[0] not in SERVED or config.get("model_type") not in CONFIG_MAPPING:
            continue
        try:
            table[name] = keys_of(config)
        except Exception as error:
            print(f"{name}: the class does not read it: {error}".splitlines()[0], file=sys.stderr)
    lines = [f"{json.dumps(name)}: {json.dumps(keys, separators=(',', ':'))}" for name, keys in table.items()]
    (ROOT / "tests" / "data" / "default_keys.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

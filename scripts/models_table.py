#!/usr/bin/env python3
"""models_table.py [--check]: writes the table of architectures into docs/models.md, between its two markers, from the
definitions in models/ and the reference models in tests/data. With --check it only says whether the table is as it would
be written, and exits 1 where it is not."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- table of architectures: scripts/models_table.py -->", "<!-- end of table -->"


def architectures(text):
    listed = re.search(r"architectures\s*=\s*\{(.*?)\}", text, re.S)
    return re.findall(r'"([^"]+)"', listed.group(1)) if listed else []


def reference_models():
    """Architecture -> names of the reference models that tests compare with."""
    models = {}
    for config in sorted([*ROOT.glob("tests/data/models*/*/config.json"), *ROOT.glob("tests/data/encoder*/*/config.json")]):
        for name in json.loads(config.read_text().replace("Infinity", "0")).get("architectures", [])[:1]:
            saved_by_5 = config.parent.parent.name == "models_v5saved"
            models.setdefault(name, []).append(config.parent.name + (" (v5)" if saved_by_5 else ""))
    return models


def table():
    tested = reference_models()
    rows = ["| definition | lines | architectures | compared with Transformers |", "|---|---|---|---|"]
    lines_of_all = []
    for path in sorted((ROOT / "models").glob("*.lua")):
        text = path.read_text()
        names = architectures(text)
        lines = len(text.splitlines())
        lines_of_all.append(lines)
        variants = ", ".join(variant for name in names for variant in tested.get(name, []))
        rows.append(f"| `{path.name}` | {lines} | {', '.join(names)} | {variants or '-'} |")
    mean = sum(lines_of_all) / len(lines_of_all)
    rows.append("")
    rows.append(f"{len(lines_of_all)} definitions of {mean:.0f} lines on average, over "
                f"{sum(len(p.read_text().splitlines()) for p in (ROOT / 'models' / 'lib').glob('*.lua'))} shared lines in "
                "`models/lib`.")
    return "\n".join(rows)


def main():
    document = DOCUMENT.read_text()
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        sys.exit(f"{DOCUMENT}: wanted the lines {BEGIN} and {END}, once each")
    before, rest = document.split(BEGIN)
    wanted = before + BEGIN + "\n\n" + table() + "\n\n" + END + rest.split(END)[1]
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(wanted)
    elif wanted != document:
        sys.exit("docs/models.md: the table of architectures is not up to date; run scripts/models_table.py")


main()

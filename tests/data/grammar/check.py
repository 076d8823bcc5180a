#!/usr/bin/env python3
"""check.py: compares the verdicts of schemas.json with those of the Python package jsonschema (4.26), formats included.

A text is "valid", "invalid", or "refused": valid by the schema, and not written by Cleave, for example because its keys
are in another order. Needs the packages jsonschema, fqdn, rfc3339-validator and rfc3986-validator.
"""
import json
import pathlib
import sys

import jsonschema

# multipleOf of jsonschema divides doubles, so that 0.3 is no multiple of 0.1; schemas.json has no such case. Draft 4's
# exclusiveMinimum is a flag.
DRAFT_4 = {"draft 4 limits"}


def wrong_verdicts(case):
    dialect = jsonschema.Draft4Validator if case["name"] in DRAFT_4 else jsonschema.Draft202012Validator
    validator = dialect(case["schema"], format_checker=dialect.FORMAT_CHECKER)
    for verdict in ("valid", "invalid", "refused"):
        for text in case[verdict]:
            if validator.is_valid(json.loads(text)) != (verdict != "invalid"):
                yield f"{case['name']}: {text} is not {verdict}"


def main():
    cases = json.loads((pathlib.Path(__file__).parent / "schemas.json").read_text())
    wrong = [line for case in cases for line in wrong_verdicts(case)]
    print("\n".join(wrong) if wrong else f"{len(cases)} schemas: all verdicts agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

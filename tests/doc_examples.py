#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Validates the examples of docs against proto/schemas: blocks ```json example=NAME (or yaml), each
against NAME.schema.json. Exit status 77 (skipped) where python3-jsonschema or python3-yaml is not
installed."""
import json
import pathlib
import re
import sys
import warnings

try:
    import jsonschema
    import yaml
except ImportError:
    print("skipped: python3-jsonschema or python3-yaml is not installed (./dev deps)")
    sys.exit(77)

# RefResolver is all that Debian 12 has; newer versions call it deprecated.
warnings.filterwarnings("ignore", category=DeprecationWarning)
EXAMPLE = re.compile(r"^```(json|yaml) example=([a-z-]+)\n(.*?)^```$", re.M | re.S)


def load_schemas(folder):
    schemas = {}
    for path in sorted(folder.glob("*.schema.json")):
        # The resolver joins addresses as web pages do, which a urn: has no way to do.
        schema = json.loads(path.read_text().replace("urn:vouch:schema:", "https://vouch.invalid/"))
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[path.name.removesuffix(".schema.json")] = schema
    return schemas


def main(root):
    schemas = load_schemas(root / "proto/schemas")
    store = {schema["$id"]: schema for schema in schemas.values() if "$id" in schema}
    examples, problems = 0, []
    for page in sorted([*(root / "docs/formats").glob("*.md"), *(root / "docs").glob("*.md")]):
        for language, name, text in EXAMPLE.findall(page.read_text()):
            examples += 1
            where = f"{page.name}: example {name}"
            if name not in schemas:
                problems.append(f"{where}: no such schema")
                continue
            schema = schemas[name]
            resolver = jsonschema.RefResolver.from_schema(schema, store=store)
            validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
            value = json.loads(text) if language == "json" else yaml.safe_load(text)
            problems += [f"{where}: {error.json_path}: {error.message}"
                         for error in validator.iter_errors(value)]
            # A schema that accepts an example without one of its members must call it optional.
            for key in schema.get("required", []):
                if validator.is_valid({k: v for k, v in value.items() if k != key}):
                    problems.append(f"{where}: valid without its required member {key}")
    if examples == 0:
        problems.append("no examples found in docs")
    print("\n".join(problems) or f"{examples} examples are valid")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))

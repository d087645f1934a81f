"""Records what ansible-core's own loader makes of the texts in inputs.json.

    python tests/yaml/record.py > tests/yaml/expected.json     (with ansible-core installed)

For each text: its value with types, where the warnings about keys stand, or where the error stands. For the topic "places" also where each
node begins, and where the scalars end. The topic "dump" holds values and options for to_yaml instead.
"""

import importlib.metadata
import json
import pathlib

import yaml
from ansible._internal._datatag._tags import Origin, TrustedAsTemplate
from ansible._internal._yaml import _constructor
from ansible._internal._yaml._dumper import AnsibleDumper
from ansible.module_utils._internal._datatag import AnsibleTagHelper
from ansible.parsing.utils.yaml import from_yaml
from ansible.parsing.vault import EncryptedString

WARNINGS = []


class Display:
    """Takes the place of the terminal: only where a warning stands is of interest."""

    def warning(self, msg=None, obj=None, help_text=None):
        origin = Origin.get_tag(obj)
        WARNINGS.append([origin.line_num, origin.col_num] if origin else None)

    def deprecated(self, *args, **kwargs):
        pass


_constructor.display = Display()


def typed(value):
    """A value with its type beside it, in a form that JSON can hold."""
    if isinstance(value, EncryptedString):
        return {"vault": value._ciphertext}
    if isinstance(value, str):
        return {"text" if TrustedAsTemplate.is_tagged_on(value) else "unsafe": str(AnsibleTagHelper.untag(value))}
    if isinstance(value, dict):
        return {"dict": [[typed(key), typed(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple, set)):
        return {"list": [typed(item) for item in value]}
    plain = value if value is None else AnsibleTagHelper.as_native_type(value)
    return {type(plain).__name__: plain.decode() if isinstance(plain, bytes) else str(plain)}


def load(text):
    WARNINGS.clear()
    trusted = TrustedAsTemplate().tag(Origin(path="/x.yml").tag(text))
    try:
        return {"value": typed(from_yaml(trusted)), "warnings": list(WARNINGS)}
    except Exception as error:
        mark = getattr(error.__cause__, "problem_mark", None)
        return {"error": [mark.line + 1, mark.column + 1] if mark else None}


def places(text):
    """Where the nodes begin, in the order of the text; of scalars also where they end."""
    found = []

    def walk(node):
        start, end = node.start_mark, node.end_mark
        scalar = isinstance(node, yaml.ScalarNode)
        found.append([start.line + 1, start.column + 1] + ([end.line + 1, end.column + 1] if scalar else []))
        children = [] if scalar else node.value
        for child in children:
            for part in child if isinstance(child, tuple) else [child]:
                walk(part)

    walk(yaml.compose(text, Loader=yaml.CSafeLoader))
    return found


class PlainDumper(AnsibleDumper):
    """Without anchors for what stands twice: rplay writes it out each time."""

    def ignore_aliases(self, data):
        return True


def dump(case):
    options = {"allow_unicode": True, "default_flow_style": None, **case["options"]}
    return {"dumped": yaml.dump(yaml.safe_load(case["value"]), Dumper=PlainDumper, **options)}


def record(topic, case):
    if topic == "dump":
        return {**case, **dump(case)}
    return {"text": case, **load(case), **({"places": places(case)} if topic == "places" else {})}


inputs = json.loads((pathlib.Path(__file__).parent / "inputs.json").read_text())
versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "PyYAML")}
topics = {topic: [record(topic, case) for case in cases] for topic, cases in inputs.items()}
print(json.dumps({"recorded_with": versions, "topics": topics}, indent=1, ensure_ascii=True))

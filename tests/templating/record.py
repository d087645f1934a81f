"""Records what ansible-core makes of the cases: for each TOPIC.yml a TOPIC.json with one answer per case.

Run it with a Python that has ansible-core: `python tests/templating/record.py`.
"""

import json
import pathlib

from ansible import release
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible._internal._datatag._tags import TrustedAsTemplate
from ansible.errors import AnsibleError, AnsibleUndefinedVariable, AnsibleValueOmittedError
from ansible.plugins.loader import init_plugin_loader

HERE = pathlib.Path(__file__).resolve().parent


def cause(error):
    """The message of the innermost cause."""
    seen = error
    while getattr(seen, "__cause__", None) is not None:
        seen = seen.__cause__
    return getattr(seen, "_original_message", None) or str(seen)


def answer(case, loader):
    variables = loader.load_from_file(str(HERE / "vars.yml"), trusted_as_template=True)
    variables["ansible_search_path"] = [str(HERE / "files")]
    templar = Templar(loader=loader, variables=variables)
    try:
        if isinstance(case, dict) and "when" in case:
            value = templar.evaluate_conditional(TrustedAsTemplate().tag(case["when"]))
        elif isinstance(case, dict):
            value = templar.template(TrustedAsTemplate().tag("{{ lookup('template', '%s') }}" % case["file"]))
        else:
            value = templar.template(TrustedAsTemplate().tag(case))
        if isinstance(case, dict) and "file" in case:
            value = "" if value is None else str(value)  # what the template module writes
    except AnsibleValueOmittedError:
        return {"value": "<<Omit>>"}
    except AnsibleUndefinedVariable as error:
        return {"undefined": cause(error)}
    except AnsibleError as error:
        chain, seen = [], error
        while seen is not None:
            if isinstance(seen, AnsibleUndefinedVariable):
                return {"undefined": cause(error)}
            chain.append(seen)
            seen = seen.__cause__
        return {"error": cause(error)}
    return {"value": repr(value), "type": type(value).__name__.replace("_AnsibleTagged", "")}


def main():
    init_plugin_loader()
    loader = DataLoader()
    loader.set_basedir(str(HERE))
    for topic in sorted(HERE.glob("*.yml")):
        if topic.name == "vars.yml":
            continue
        cases = [plain(case) for case in loader.load_from_file(str(topic))]
        answers = [{"case": case, **answer(case, loader)} for case in cases]
        head = {"recorded_with": f"ansible-core {release.__version__}", "answers": answers}
        topic.with_suffix(".json").write_text(json.dumps(head, indent=1, ensure_ascii=False) + "\n")
        print(f"{topic.name}: {len(answers)}")


def plain(case):
    """The case without Ansible's tags."""
    if isinstance(case, dict):
        return {str(key): str(value) for key, value in case.items()}
    return str(case)


main()

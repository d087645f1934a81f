#!/usr/bin/env python3
"""Writes into expected.json what ansible-core answers to cases.yml:  record.py FOLDER-OF-ITS-PROGRAMS  (needs PyYAML)."""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).parent


def without_internal(text):
    """ansible-core's own collection is in every list; rplay has none."""
    try:
        found = json.loads(text)
    except ValueError:
        text = re.sub(r"\n# [^\n]*/_internal/.*?(?=\n# |\Z)", "", text, flags=re.S)
        return re.sub(r"^\S*/_internal/\S*:\n(?:  .*\n)*", "", text, flags=re.M)
    if isinstance(found, dict) and any("/_internal/" in key for key in found):
        return json.dumps({key: value for key, value in found.items() if "/_internal/" not in key}) + "\n"
    return text


def record(case, programs):
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        for path, text in case.get("files", {}).items():
            at = Path(folder, path)
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)
        program, *words = [word.replace("{DIR}", folder) for word in case["run"]]
        env = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", **case.get("env", {})}
        if program == "ansible":
            env["ANSIBLE_PYTHON_INTERPRETER"] = os.path.realpath(sys.executable)
        done = subprocess.run([f"{programs}/{program}", *words], cwd=folder, env=env, input=case.get("stdin", ""), capture_output=True, text=True)
        read = lambda path: path.read_text() if path.exists() else None
        after = {path: read(Path(folder, path)) for path in case.get("after", [])}
        return json.loads(json.dumps({"rc": done.returncode, "stdout": without_internal(done.stdout), "after": after}).replace(folder, "{DIR}"))


def main():
    cases = yaml.safe_load((HERE / "cases.yml").read_text())
    version = subprocess.run([f"{sys.argv[1]}/ansible", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    answers = {case["name"]: record(case, sys.argv[1]) for case in cases}
    (HERE / "expected.json").write_text(json.dumps({"recorded": version, "answers": answers}, indent=1) + "\n")


main()

#!/usr/bin/env python3
"""Records what Molecule itself answers: interpolation.json, sequences.json and the verdicts of schema.json.

Needs a Python with molecule 26 and ansible-core: `python record.py`, in this folder. The tests replay the files without either.
"""
import json
import os
import pathlib
import subprocess
import tempfile

from molecule.config import Config
from molecule.interpolation import Interpolator, InvalidInterpolation, TemplateWithDefaults

HERE = pathlib.Path(__file__).parent
COMMANDS = "check cleanup converge create dependency destroy idempotence prepare side_effect syntax test verify".split()


def rewrite(name, change):
    path = HERE / name
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def interpolation(data):
    for row in data["rows"]:
        row.pop("answer", None), row.pop("error", None)
        try:
            row["answer"] = Interpolator(TemplateWithDefaults, data["env"]).interpolate(row["text"], row.get("keep"))
        except InvalidInterpolation as error:
            row["error"] = str(error.place)


def in_project(text, ask):
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder) / "molecule" / "default"
        scenario.mkdir(parents=True)
        (scenario / "molecule.yml").write_text(text)
        (scenario / "converge.yml").write_text("- hosts: all\n")
        os.environ["MOLECULE_EPHEMERAL_DIRECTORY"] = folder + "/work"
        os.chdir(folder)
        try:
            return ask(scenario / "molecule.yml")
        finally:
            os.chdir(HERE)


def matrix(file):
    answers = {}
    for command in COMMANDS:
        config = Config(molecule_file=str(file), args={}, command_args={"subcommand": command})
        answers[command] = list(config.scenario.sequence)
    return answers


def verdict(file):
    run = subprocess.run(["molecule", "list"], capture_output=True, text=True)
    return "accepted" if run.returncode == 0 else "refused"


rewrite("interpolation.json", interpolation)
rewrite("sequences.json", lambda rows: [row.update(steps=in_project(row["text"], matrix)) for row in rows])
rewrite("schema.json", lambda rows: [row.update(molecule=in_project(row["text"], verdict)) for row in rows])

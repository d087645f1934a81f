#!/usr/bin/env python3
"""Records what ansible-core does with the parity cases: writes `expected.json` beside each playbook.

Run by hand with the Python that has ansible-core 2.19 installed:

    PYTHON tests/parity/record.py [topic/case ...]     without arguments: all cases
    PYTHON tests/parity/record.py --missing            only those that have no expected.json yet
    PYTHON tests/parity/record.py --check [...]        record again, write nothing, name what differs

`tests/cases/heritage/*` holds what ansible-core no longer takes: there `modern.yml` says the same in today's
words, and it is that playbook which is recorded.

The rules that make two runs comparable are in normalise.json and are applied in the same way by
tests/parity.rs. README.md describes the files.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
RULES = json.loads((HERE / "normalise.json").read_text())
REPLACE = [(re.compile(pattern), text) for pattern, text in RULES["replace"]]
LINES = [re.compile(pattern) for pattern in RULES["lines"]]
BANNER = re.compile(r"(TASK|RUNNING HANDLER) \[")
DROP = set(RULES["drop"])
DROP_IF = {key: re.compile(pattern) for key, pattern in RULES["drop_if_matches"].items()}
RUN_ENV = {
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "PARITY": "1",
}


class Scratch:
    """One run's directories: a copy of the case, the place it writes to, a home."""

    def __init__(self, case):
        self.root = Path(tempfile.mkdtemp(prefix="parity-"))
        self.case, self.out, self.home = self.root / "case", self.root / "out", self.root / "home"
        shutil.copytree(case, self.case, symlinks=True, ignore=shutil.ignore_patterns("expected.json"))
        self.out.mkdir()
        self.home.mkdir()
        (self.root / "empty.cfg").touch()

    def mask(self, text):
        for path, name in ((self.out, "<out>"), (self.case, "<case>"), (self.home, "<home>")):
            text = text.replace(str(path), name)
        for pattern, name in REPLACE:
            text = pattern.sub(name, text)
        return text

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def settings(case):
    path = case / "case.yml"
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def command(case, scratch, extra):
    inventory = next(n for n in ("inventory.ini", "inventory.yml", "inventory") if (case / n).exists())
    given = [str(arg).replace("{out}", str(scratch.out)) for arg in extra.get("args", [])]
    forks = [] if extra.get("forks") is None else ["-f", str(extra["forks"])]
    books = extra.get("playbooks", ["modern.yml" if (case / "modern.yml").exists() else "playbook.yml"])
    return ["-i", inventory, "-e", f"out={scratch.out}", *(forks or ["-f", "1"]), *given, *books]


def environment(scratch, extra):
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch.home), **RUN_ENV}
    config = scratch.case / "ansible.cfg"
    env["ANSIBLE_CONFIG"] = str(config if config.exists() else scratch.root / "empty.cfg")
    env.update({key: str(value) for key, value in extra.get("env", {}).items()})
    return env


def clean(value):
    if isinstance(value, list):
        return [clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    directory = value.get("state") == "directory" or value.get("isdir") is True
    for key, item in value.items():
        if key in DROP or key.startswith("_ansible") or (key == "size" and directory):
            continue
        if key in DROP_IF and isinstance(item, str) and DROP_IF[key].search(item):
            continue
        out[key] = clean(item)
    return out


def status(event, body):
    return event.rsplit("_", 1)[1]


def tidy(body):
    """A result without its items, and without what only repeats the status."""
    kept = clean({k: v for k, v in body.items() if k not in ("results", "changed", "failed", "skipped", "unreachable")})
    if kept.get("ansible_facts") == {}:
        del kept["ansible_facts"]
    return kept


def item_status(item):
    for name in ("unreachable", "failed", "skipped"):
        if item.get(name):
            return name
    return "ok"


def host_result(event, body):
    result = {"status": status(event, body), "changed": bool(body.get("changed", False)), "result": tidy(body)}
    items = body.get("results")
    if isinstance(items, list) and all(isinstance(i, dict) and ("ansible_loop_var" in i or "censored" in i) for i in items):
        result["items"] = [
            {"status": item_status(i), "changed": bool(i.get("changed", False)), "result": tidy(i)} for i in items
        ]
    elif items is not None:
        result["result"]["results"] = clean(items)
    return result


def fold(lines):
    """Events, one per line, to plays > tasks > hosts, and the recap."""
    plays, recap, open_tasks, order = [], {}, {}, 0
    for line in filter(str.strip, lines):
        event = json.loads(line)
        kind = event["_event"]
        if kind == "v2_playbook_on_play_start":
            plays.append({"play": event["play"]["name"], "tasks": []})
            open_tasks = {}
        elif kind in ("v2_playbook_on_task_start", "v2_playbook_on_handler_task_start", "v2_runner_on_start"):
            start_task(plays, open_tasks, event, "handler" if "handler" in kind else "task")
        elif kind in ("v2_runner_on_ok", "v2_runner_on_failed", "v2_runner_on_skipped", "v2_runner_on_unreachable"):
            for host, body in event["hosts"].items():
                task = open_tasks[event["task"]["id"]]
                task["hosts"][host] = host_result(kind, body)
                task["order"][host] = order = order + 1
                task["meta"] = body.get("action") in ("meta", "ansible.builtin.meta")
        elif kind == "v2_playbook_on_stats":
            recap = event["stats"]
    return plays, recap


def settle(plays):
    """Tasks without a result are left out, and the banners that ansible-core repeats for a meta task are one."""
    for play in plays:
        kept = []
        for task in play["tasks"]:
            meta = task.pop("meta", False)
            task.pop("order")
            same = kept and kept[-1]["task"] == task["task"] and not kept[-1]["hosts"].keys() & task["hosts"].keys()
            if meta and same:
                kept[-1]["hosts"].update(task["hosts"])
            elif task["hosts"]:
                kept.append(task)
        play["tasks"] = kept
    return plays


def start_task(plays, open_tasks, event, kind):
    task = event["task"]
    if event["_event"] == "v2_runner_on_start" and task["id"] in open_tasks:
        return
    open_tasks[task["id"]] = {"task": task["name"], "kind": kind, "hosts": {}, "order": {}}
    plays[-1]["tasks"].append(open_tasks[task["id"]])


def per_host(plays):
    """For strategies without an order between hosts: each host's own sequence."""
    for play in plays:
        steps = [
            (host, task["order"][host], {"task": task["task"], **result})
            for task in play.pop("tasks")
            for host, result in task["hosts"].items()
        ]
        steps.sort(key=lambda step: step[:2])
        play["hosts"] = {}
        for host, _, step in steps:
            play["hosts"].setdefault(host, []).append(step)
    return plays


def shown(text):
    """The lines of the default output that the comparison looks at."""
    kept, inside, dropping = [], "", None
    for line in text.splitlines():
        if dropping is not None:
            dropping = None if re.match(dropping + r"[\]}]", line) else dropping
        elif inside == "json":
            if not dropped_line(line):
                kept.append(line.rstrip().rstrip(","))
            elif line.endswith(("{", "[")):
                dropping = "^" + re.match(" *", line)[0]
            inside = "" if line == "}" else inside
        elif inside == "diff":
            kept.append(line.rstrip())
            inside = "diff" if line else ""
        elif any(pattern.search(line) for pattern in LINES):
            kept.append(short(line))
            inside = "json" if line.endswith("=> {") else ""
        elif line.startswith("--- "):
            kept.append(line.rstrip())
            inside = "diff"
    return only_filled([line for line in kept if line])


def only_filled(lines):
    """Without the banners that nothing follows, and without a banner that is repeated."""
    kept, last = [], None
    for line, following in zip(lines, [*lines[1:], ""]):
        banner = bool(BANNER.match(line))
        if banner and (line == last or re.match(r"(TASK|PLAY|RUNNING HANDLER)\b", following)):
            continue
        last = line if banner else last
        kept.append(line)
    return kept


def dropped_line(line):
    match = re.match(r'^\s+"([^"]+)": (.*)$', line)
    if not match:
        return False
    key, value = match[1], match[2].strip('",')
    return key in DROP or (key in DROP_IF and bool(DROP_IF[key].search(value)))


def short(line):
    line = re.sub(r" \*+$", "", line.rstrip())
    if re.match(r"^[^ ]+ +: ok=", line):
        return re.sub(r" +", " ", line)
    return re.sub(r" => \{.+$", " =>", line) if re.match(r"^(fatal|failed): ", line) else line


def tree(root):
    entries = []
    for path in sorted(root.rglob("*"), key=lambda p: str(p.relative_to(root))):
        info = path.lstat()
        entry = {"path": str(path.relative_to(root))}
        if stat.S_ISLNK(info.st_mode):
            entry.update(type="link", target=os.readlink(path))
        elif stat.S_ISDIR(info.st_mode):
            entry.update(type="dir", mode=f"{stat.S_IMODE(info.st_mode):04o}")
        elif stat.S_ISREG(info.st_mode):
            entry.update(type="file", mode=f"{stat.S_IMODE(info.st_mode):04o}", **content(path.read_bytes()))
        else:
            entry.update(type="other")
        entries.append(entry)
    return entries


def content(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None or len(data) > 2000:
        return {"sha256": hashlib.sha256(data).hexdigest()}
    return {"text": text}


def masked(scratch, value):
    return json.loads(scratch.mask(json.dumps(value, ensure_ascii=False)))


def run(name):
    case, extra = HERE / name, settings(HERE / name)
    scratch = Scratch(case)
    try:
        events = scratch.root / "events.jsonl"
        env = environment(scratch, extra)
        env.update(
            ANSIBLE_CALLBACK_PLUGINS=str(HERE / "plugins"),
            ANSIBLE_CALLBACKS_ENABLED="parity_jsonl",
            ANSIBLE_PYTHON_INTERPRETER=sys.executable,
            PARITY_EVENTS=str(events),
        )
        ansible = Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [ansible, *command(case, scratch, extra)],
            cwd=scratch.case, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300,
        )
        lines = scratch.mask(events.read_text()).splitlines() if events.exists() else []
        plays, recap = fold(lines)
        expected = {
            "ansible_core": version(),
            "exit": done.returncode,
            "plays": per_host(plays) if extra.get("unordered") else settle(plays),
            "recap": recap,
            "tree": masked(scratch, tree(scratch.out)),
            "stdout": shown(scratch.mask(done.stdout)),
        }
        if extra.get("unordered"):
            expected["stdout"] = sorted(line for line in expected["stdout"] if not BANNER.match(line))
        return expected, scratch.mask(done.stdout + done.stderr)
    finally:
        scratch.remove()


def pretty(expected):
    """JSON with one line per host, item, file and shown line: short, and a diff of it can be read."""
    return layout(expected, 0) + "\n"


def layout(value, depth, inside=False):
    pad, end = " " * (depth + 1), " " * depth
    if isinstance(value, dict) and value and not inside:
        rows = (f"{pad}{json.dumps(k)}: {layout(v, depth + 1, k in ('result',))}" for k, v in value.items())
        if ("status" in value and "items" not in value) or "unreachable" in value:
            return json.dumps(value, ensure_ascii=False)
        return "{\n" + ",\n".join(rows) + f"\n{end}}}"
    if isinstance(value, list) and value and not inside:
        if depth > 0 and all(isinstance(v, dict) and ("path" in v) for v in value):
            rows = (f"{pad}{json.dumps(v, ensure_ascii=False)}" for v in value)
        else:
            rows = (f"{pad}{layout(v, depth + 1)}" for v in value)
        return "[\n" + ",\n".join(rows) + f"\n{end}]"
    return json.dumps(value, ensure_ascii=False)


def version():
    from ansible.release import __version__

    return __version__


def cases():
    old = [f"../cases/heritage/{p.parent.name}" for p in HERE.glob("../cases/heritage/*/playbook.yml")]
    return sorted(str(p.parent.relative_to(HERE)) for p in HERE.glob("*/*/playbook.yml")) + sorted(old)


def record(name, check):
    expected, output = run(name)
    target = HERE / name / "expected.json"
    text = pretty(expected)
    same = target.exists() and target.read_text() == text
    if not check:
        target.write_text(text)
        (Path(tempfile.gettempdir()) / f"parity-{name.removeprefix('../').replace('/', '-')}.log").write_text(output)
    failed = sum(h["failures"] + h["unreachable"] for h in expected["recap"].values())
    error = "" if expected["recap"] else output.strip().split("\n")[0]
    return f"{name}: exit {expected['exit']}, {failed} failed, {'same' if same else 'CHANGED'} {error}"


def main():
    args = sys.argv[1:]
    check, missing = "--check" in args, "--missing" in args
    names = [arg.rstrip("/") for arg in args if not arg.startswith("--")] or cases()
    if missing:
        names = [name for name in names if not (HERE / name / "expected.json").exists()]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line in pool.map(lambda name: record(name, check), names):
            print(line, flush=True)


main()

"""Writes the events of a run to the file named by PARITY_EVENTS, one JSON object per line.

The shape is that of the `ansible.posix.jsonl` callback, so that one reader serves both
ansible-core (through this plugin) and rplay (through its own jsonl report).
"""

import json
import os
from datetime import datetime, timezone

from ansible.plugins.callback import CallbackBase
from ansible.parsing.ajson import AnsibleJSONEncoder

DOCUMENTATION = """
    name: parity_jsonl
    type: notification
    short_description: writes events as JSON lines to a file
    description: Writes every play, task and result to the file named by PARITY_EVENTS.
"""


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "parity_jsonl"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.file = open(os.environ["PARITY_EVENTS"], "w", encoding="utf-8")
        self.lockstep = True
        self.current = None
        self.started = {}

    def emit(self, event, body):
        line = dict(body, _event=event, _timestamp=now())
        self.file.write(json.dumps(line, cls=AnsibleJSONEncoder, sort_keys=True, separators=(",", ":")) + "\n")
        self.file.flush()

    @staticmethod
    def head(thing):
        return {
            "name": thing.get_name(),
            "id": str(thing._uuid),
            "path": str(thing.get_path()),
            "duration": {"start": now()},
        }

    def v2_playbook_on_play_start(self, play):
        self.lockstep = play.strategy in ("linear", "debug")
        self.emit("v2_playbook_on_play_start", {"play": self.head(play), "tasks": []})

    def begin(self, event, task):
        if self.lockstep:
            self.current = self.head(task)
            self.emit(event, {"task": self.current, "hosts": {}})

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.begin("v2_playbook_on_task_start", task)

    def v2_playbook_on_handler_task_start(self, task):
        self.begin("v2_playbook_on_handler_task_start", task)

    def v2_runner_on_start(self, host, task):
        if not self.lockstep:
            head = self.head(task)
            self.started[host.name, task._uuid] = head
            self.emit("v2_runner_on_start", {"task": head, "hosts": {}})

    def finish(self, event, result, **mark):
        host, task = result.host.name, result.task
        head = self.started.pop((host, task._uuid), None) or self.current
        head = dict(head, duration=dict(head["duration"], end=now()))
        body = dict(result.result, **mark, action=task.action)
        self.emit(event, {"task": head, "hosts": {host: body}})

    def v2_runner_on_ok(self, result):
        self.finish("v2_runner_on_ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.finish("v2_runner_on_failed", result, failed=True)

    def v2_runner_on_skipped(self, result):
        self.finish("v2_runner_on_skipped", result, skipped=True)

    def v2_runner_on_unreachable(self, result):
        self.finish("v2_runner_on_unreachable", result)

    def v2_playbook_on_stats(self, stats):
        summary = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self.emit("v2_playbook_on_stats", {"stats": summary, "custom_stats": {}, "global_custom_stats": {}})

#!/usr/bin/env python
"""Records what ansible-core makes of the expressions in the case files beside it.

`net.txt` needs the collections ansible.utils and community.general and netaddr as well, `json_query.txt` community.general and jmespath. Run it with a Python that has ansible-core: `python tests/filters/record.py [FILE...]`. A case is one line: an expression, then what it is
worth, after ` => `. What is recorded is Python's repr, or `! ` and the message of the error, or `? ` and the message of what is undefined.
Lines that are empty or begin with `#` stay as they are; a case without ` => ` is new. `=> ~ ` marks what rplay makes otherwise on purpose:
such a line is kept as it is and compared as it is.
"""
import pathlib
import re
import sys

import ansible.release
import yaml
from ansible._internal._datatag._tags import TrustedAsTemplate
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.yaml.loader import AnsibleLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display

Display._warn = lambda *args, **kwargs: None
Display.deprecated = lambda *args, **kwargs: None

HERE = pathlib.Path(__file__).parent
VARIABLES = HERE / 'vars.yml'


def plain(message):
    message = message.replace(str(HERE), '@HERE@')
    message = re.sub(r"_AnsibleLazyTemplate(Dict|List)|_AnsibleTagged(Str|Int|Float)", lambda m: (m.group(1) or m.group(2)).lower(), message)
    message = re.sub(r'ansible\.[\w.]+\.(dict|list) object', r'\1 object', message)
    message = re.sub(r"<class 'ansible\.[\w.]*\.(\w+)'>", r"<class '\1'>", message)
    message = message.removeprefix('Error rendering expression: ')
    return message.replace('\n', '\\n').rstrip()


def record(templar, expression):
    try:
        value = templar._engine.evaluate_expression(trust_as_template(expression))
    except Exception as error:
        kind = '?' if type(error).__name__ == 'AnsibleUndefinedVariable' else '!'
        return f'{kind} {plain(str(error))}'
    return plain(repr(value))


def main():
    init_plugin_loader()
    loader = DataLoader()
    loader.set_basedir(str(HERE))
    templar = Templar(loader)
    text = VARIABLES.read_text().replace('@HERE@', str(HERE))
    templar.available_variables = yaml.load(TrustedAsTemplate().tag(text), Loader=AnsibleLoader)
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(HERE.glob('*.txt'))
    for path in files:
        lines = []
        for line in path.read_text().splitlines():
            if line.startswith('# recorded') or not line.strip() or line.startswith('#') or ' => ~ ' in line:
                lines.append(line)
                continue
            expression = line.split(' => ')[0]
            lines.append(f'{expression} => {record(templar, expression)}')
        head = f'# recorded from ansible-core {ansible.release.__version__} by record.py'
        if not lines or not lines[0].startswith('# recorded'):
            lines.insert(0, head)
        lines[0] = head
        path.write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()

"""The agent as a parcel: its sources, packed once, and the one line that unpacks and starts it in memory."""

from __future__ import annotations

import base64
import functools
import json
import threading
import zlib
from pathlib import Path

_PACKAGE = "omeroadmin.provisioning.agent"
_PACKING = threading.Lock()
"""Many hosts are connected to at once, and the same parcel is made once."""
BOOT = (
    "import sys,zlib,base64;"
    "v=sys.version_info;"
    "v<(3,9)and(sys.stdout.write('OMEROADMIN python-too-old %d.%d\\n'%v[:2]),sys.exit(77));"
    "i=sys.stdin.buffer.raw;"
    "b=b'';\n"
    "while not b.endswith(b'\\n'):\n"
    " c=i.read(1 if not b else n-len(b))\n"
    " if not c:sys.exit(0)\n"
    " b+=c\n"
    " if b[-1:]==b' ' and b.count(b' ')==1:n=int(b)+len(b)+1\n"
    " elif b.count(b' ')==0:n=len(b)+1\n"
    "exec(zlib.decompress(base64.b64decode(b.split(b' ')[1])))"
)
"""Reads ``LENGTH PARCEL\\n`` from standard input, not a byte more, and runs what it holds."""

_LOADER = '''
import json, sys
from importlib.machinery import ModuleSpec
class Sources:
    """Modules from memory: nothing of the agent is written to the host."""
    def __init__(self, texts):
        self.texts = texts
    def find_spec(self, name, path=None, target=None):
        if name in self.texts:
            return ModuleSpec(name, self, is_package=self.texts[name] is None)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        text = self.texts[module.__name__]
        if text is not None:
            exec(compile(text, "<agent %s>" % module.__name__, "exec", dont_inherit=True), module.__dict__)
'''


def parcel() -> bytes:
    """What follows the start of :data:`BOOT`: length, blank, packed loader, blank, packed sources, line end."""
    with _PACKING:
        return _pack()


@functools.cache
def _pack() -> bytes:
    start = "sys.meta_path.insert(0, Sources(json.loads(zlib.decompress(base64.b64decode(b.split(b' ')[2])))))\n"
    start += f"from {_PACKAGE}.program import main\nmain()\n"
    parts = ((_LOADER + start).encode(), json.dumps(sources()).encode())
    # More than level 6 takes three times as long for 1 %.
    packed = b" ".join(base64.b64encode(zlib.compress(part, 6)) for part in parts)
    return b"%d %s\n" % (len(packed), packed)


def sources() -> dict[str, str | None]:
    """Text of each module of the agent by name; ``None`` for a package."""
    root = Path(__file__).parent / "agent"
    found: dict[str, str | None] = {"omeroadmin": None, "omeroadmin.provisioning": None, _PACKAGE: None}
    for path in sorted(root.rglob("*.py")):
        name = ".".join((_PACKAGE, *path.relative_to(root).with_suffix("").parts))
        if path.name == "__init__.py":
            found[name.removesuffix(".__init__")] = None
        else:
            found[name] = path.read_text(encoding="utf-8")
    return found

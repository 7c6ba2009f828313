"""Answers: shows that scripts run, and with which inputs."""

import json
import os
import platform
import sys
from pathlib import Path

inputs = json.load(sys.stdin)["inputs"]
print(f"ping from Python {platform.python_version()} with {len(inputs)} inputs")
Path(os.environ["OMERO_SCRIPT_OUTPUTS"]).write_text(json.dumps({"Message": "pong", "inputs": inputs}))

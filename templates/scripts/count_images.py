"""Counts the images that its user can see, by group: an example of a script that asks the server."""

import http.client
import json
import os
import socket
import sys
from collections import Counter
from pathlib import Path

SECONDS = 30


class Connection(http.client.HTTPConnection):
    """HTTP over the Unix socket of the API."""

    def connect(self) -> None:
        """Connect to the socket that stands in the inputs."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        directory = os.open(Path(job["api"]).parent, os.O_RDONLY)
        try:
            # A path through the directory's descriptor, because a long one wouldn't fit into an address.
            self.sock.connect(f"/proc/self/fd/{directory}/{Path(job['api']).name}")
        finally:
            os.close(directory)


def images_after(last):
    """One page of images, and where the next one begins."""
    connection = Connection("localhost", timeout=SECONDS)
    headers = {"Authorization": f"Bearer {job['session']}"}
    connection.request("GET", f"/api/v0/images?after={last}&limit=500", headers=headers)
    response = connection.getresponse()
    document = json.load(response)
    connection.close()
    if response.status != 200:
        sys.exit(f"the server answers {response.status}: {document['error']['message']}")
    return document["images"], document["next"]


job = json.load(sys.stdin)
counts = Counter()
following = 0
while following is not None:
    images, following = images_after(following)
    counts.update(image["group"] for image in images)
for group, count in sorted(counts.items()):
    print(f"{group}: {count}")
outputs = {"Message": f"{counts.total()} images", "total": counts.total(), "groups": dict(counts)}
Path(os.environ["OMERO_SCRIPT_OUTPUTS"]).write_text(json.dumps(outputs))

"""A small server that speaks the API over HTTP and TLS, in a thread, with faults to order."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.ports import free_port

PASSWORD = "correct horse"


def write_certificate(directory: Path, *names: str, days: int = 30) -> tuple[Path, Path]:
    """A self-signed certificate for some host names.

    :return: certificate and private key
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=60 + days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    stem = uuid.uuid4().hex
    pem, key_file = directory / f"{stem}.pem", directory / f"{stem}.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, key_file


@dataclass
class State:
    """What the server knows."""

    sessions: dict[str, str] = field(default_factory=dict)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: list[dict[str, Any]] = field(default_factory=list)
    client_paths: dict[str, int] = field(default_factory=dict)
    content: dict[int, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    fault: Callable[[Handler], bool] = lambda _: False
    released: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True
    server: Server

    @property
    def state(self) -> State:
        return self.server.state

    def setup(self) -> None:
        super().setup()
        self.state.connections += 1

    def log_message(self, *arguments: object) -> None:
        """Nothing: pytest's stderr is for failures."""

    def handle_any(self) -> None:
        self.url = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(self.url.query).items()}
        self.route = f"{self.command} {self.url.path.removeprefix('/api/v0')}"
        self.state.requests.append(self.route)
        if self.state.fault(self):
            return
        if self.route not in ("GET /status", "POST /sessions") and self.user is None:
            self.refuse(401, "session-expired", "no such session")
            return
        for pattern, function in ROUTES:
            match = re.fullmatch(pattern, self.route)
            if match:
                function(self, *match.groups())
                return
        self.refuse(404, "not-found", "no such thing")

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's names

    @property
    def key(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    @property
    def user(self) -> str | None:
        return self.state.sessions.get(self.key)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def document(self) -> Any:
        return json.loads(self.body())

    def answer(self, status: int, document: Any = None) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        self.answer_bytes(status, content)

    def answer_bytes(self, status: int, content: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.close_connection = True
        self.answer(status, {"error": {"code": code, "message": message}})


def status(handler: Handler) -> None:
    handler.answer(200, {"status": "up", "server": "Blitz-0", "version": "1", "read_only": False})


def open_session(handler: Handler) -> None:
    wanted = handler.document()
    if not handler.server.tls:
        handler.refuse(403, "password-needs-tls", "no")
        return
    if wanted["password"] != PASSWORD:
        handler.refuse(401, "authentication-failed", f"wrong user name or password: {wanted['user']}")
        return
    key = str(uuid.uuid4())
    handler.state.sessions[key] = wanted["user"]
    handler.answer(201, session(wanted["user"], key))


def session(user: str, key: str) -> dict[str, Any]:
    return {
        "key": key, "user": user, "user_id": 0, "group": "system", "group_id": 0, "is_admin": True,
        "time_to_idle_ms": 600000, "time_to_live_ms": 0, "started": 1700000000000,
        "server_version": "1", "database_uuid": str(uuid.UUID(int=1)),
    }  # fmt: skip


def current_session(handler: Handler) -> None:
    handler.answer(200, session(str(handler.user), handler.key))


def close_session(handler: Handler) -> None:
    del handler.state.sessions[handler.key]
    handler.answer(204)


def keepalive(handler: Handler) -> None:
    handler.answer(204)


def list_sessions(handler: Handler) -> None:
    rows = [
        {"id": 7, "user": user, "group": "system", "agent": "OMERO.cli", "ip": "127.0.0.1", "started": 1700000000000,
         "last_used": 1700000001000, "time_to_idle_ms": 600000, "sudoer": ""}
        for user in handler.state.sessions.values()
    ]  # fmt: skip
    handler.answer(200, {"sessions": rows})


def repositories(handler: Handler) -> None:
    rows = [{"id": 1, "uuid": str(uuid.UUID(int=2)), "type": "Managed", "path": "/OMERO/ManagedRepository"}]
    handler.answer(200, {"repositories": rows})


def page(handler: Handler, name: str, items: list[dict[str, Any]]) -> None:
    after, limit, offset = (int(handler.query.get(key, 0)) for key in ("after", "limit", "offset"))
    if handler.query.get("order") == "newest":
        left = [item for item in reversed(items) if not after or item["id"] < after][offset:]
    else:
        left = [item for item in items if item["id"] > after][offset:]
    more = len(left) > limit
    total = len(items) if "count" in handler.query else None
    handler.answer(200, {name: left[:limit], "next": left[limit - 1]["id"] if more else None, "total": total})


def images(handler: Handler) -> None:
    page(handler, "images", handler.state.images)


def filesets(handler: Handler) -> None:
    rows = [
        {
            "id": image["fileset_id"],
            "prefix": "root_0/",
            "images": 1,
            "files": 1,
            "size": image["size"],
            "transfer": "upload",
        }
        for image in handler.state.images
    ]
    page(handler, "filesets", rows)


def file_content(handler: Handler, number: str) -> None:
    handler.answer_bytes(200, handler.state.content[int(number)])


def search(handler: Handler) -> None:
    word = handler.query["query"]
    hits = [
        {"type": "Image", "id": image["id"], "name": image["name"], "score": 1.5}
        for image in handler.state.images
        if word in image["name"]
    ]
    handler.answer(200, {"hits": hits[: int(handler.query["limit"])], "indexed_to": 1})


def begin_import(handler: Handler) -> None:
    wanted = handler.document()
    number = str(uuid.uuid4())
    handler.state.imports[number] = {"file": wanted["files"][0], "body": b""}
    algorithm = "SHA1-160" if "SHA1-160" in wanted["checksum_algorithms"] else "none"
    files = [{"index": 0, "path": "p", "name": "n"}]
    handler.answer(201, {"import_id": number, "fileset_prefix": "p/", "checksum_algorithm": algorithm, "files": files})


def receive(handler: Handler, number: str, index: str) -> None:
    body = handler.body()
    handler.state.imports[number]["body"] = body
    handler.answer(200, {"index": int(index), "size": len(body), "hash": sha1(body)})


def complete(handler: Handler, number: str) -> None:
    state, wanted = handler.state, handler.document()
    entry = state.imports[number]
    if wanted["hashes"] != [sha1(entry["body"])]:
        handler.refuse(409, "checksum-mismatch", "other bytes")
        return
    if b"not an image" in entry["body"]:
        handler.refuse(422, "unreadable-image", "this is not an image of a known format")
        return
    del state.imports[number]
    image_id = len(state.images) + 1
    path = entry["file"]["client_path"]
    name = wanted["name"] or Path(path).name
    state.client_paths[path] = image_id
    state.content[image_id] = entry["body"]
    image = {"id": image_id, "name": name, "fileset_id": image_id, "owner": handler.user, "group": "system"}
    sizes = dict.fromkeys(("size_x", "size_y", "size_z", "size_c", "size_t"), 1)
    state.images.append({**image, **sizes, "pixel_type": "uint8", "files": 1, "size": len(entry["body"])})
    handler.answer(201, {"fileset_id": image_id, "images": [{"id": image_id, "name": name}]})


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def abandon(handler: Handler, number: str) -> None:
    handler.state.imports.pop(number, None)
    handler.answer(204)


def known_paths(handler: Handler) -> None:
    known = handler.state.client_paths
    rows = [{"path": path, "fileset_id": known[path]} for path in handler.document()["paths"] if path in known]
    handler.answer(200, {"known": rows})


ROUTES: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"GET /status", status),
    (r"POST /sessions", open_session),
    (r"GET /sessions/current", current_session),
    (r"DELETE /sessions/current", close_session),
    (r"POST /sessions/current/keepalive", keepalive),
    (r"GET /sessions", list_sessions),
    (r"GET /repositories", repositories),
    (r"GET /images", images),
    (r"GET /filesets", filesets),
    (r"POST /filesets/client-paths", known_paths),
    (r"GET /files/(\d+)/content", file_content),
    (r"GET /search", search),
    (r"POST /imports", begin_import),
    (r"PUT /imports/([\w-]+)/files/(\d+)", receive),
    (r"POST /imports/([\w-]+)/complete", complete),
    (r"DELETE /imports/([\w-]+)", abandon),
)


class Server(ThreadingHTTPServer):
    """The server on loopback; runs while the block does.

    :param certificate: certificate and key; ``None``: without TLS
    """

    daemon_threads = True

    def __init__(self, certificate: tuple[Path, Path] | None, state: State | None = None) -> None:
        self.state = state or State()
        self.tls = certificate is not None
        super().__init__(("127.0.0.1", free_port()), Handler)
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Handshake in the connection's own thread."""
        if self._context is not None:
            request.settimeout(20)
            try:
                request = self._context.wrap_socket(request, server_side=True)
            except OSError:
                return
        with request:
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.state.released.set()
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=10)

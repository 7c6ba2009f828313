"""What changes in the heads of messages on their way through the router."""

from __future__ import annotations

import h11

Headers = list[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    }
)
_OURS = (b"x-omero-", b"x-forwarded-", b"x-real-ip", b"forwarded")


def upstream_request(request: h11.Request, *, transport: str, peer: str) -> h11.Request:
    """The request as Blitz gets it: what only the router may say is removed and said anew.

    :param transport: ``ssl``, ``tcp``, ``ws`` or ``wss``
    :param peer: address of the client
    """
    listed = _connection_tokens(request)
    chunked = any(name == b"transfer-encoding" for name, _ in request.headers)
    headers: Headers = []
    for name, value in request.headers:
        if name in _HOP_BY_HOP or name in listed or name.startswith(_OURS):
            continue
        # Of two framings, chunked wins; passing both on would let two parsers disagree.
        if chunked and name == b"content-length":
            continue
        headers.append((name, value))
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", b"omero"))
    headers += [
        (b"connection", b"close"),
        (b"x-omero-transport", transport.encode()),
        (b"x-forwarded-for", peer.encode()),
    ]
    return h11.Request(method=request.method, target=request.target, headers=headers)


def downstream_response(response: h11.Response) -> h11.Response:
    """The response as the client gets it; its framing is chosen anew."""
    listed = _connection_tokens(response)
    headers = [
        (name, value)
        for name, value in response.headers
        if name not in _HOP_BY_HOP and name not in listed and name != b"transfer-encoding"
    ]
    return h11.Response(status_code=response.status_code, reason=response.reason, headers=headers)


def session_key(request: h11.Request) -> str:
    """The bearer token; empty where there is none."""
    for name, value in request.headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
    return ""


def _connection_tokens(message: h11.Request | h11.Response) -> set[bytes]:
    framing = {b"content-length", b"transfer-encoding", b"host", b"authorization"}
    tokens: set[bytes] = set()
    for name, value in message.headers:
        if name == b"connection":
            tokens.update(token.strip().lower() for token in value.split(b","))
    return tokens - framing

"""The faces: read-only pages, metrics and API over TCP; orders over the control socket.

Nothing that can be reached over TCP changes anything. Whoever changes something comes through
the control socket and is known by the peer's uid, as the kernel tells it.
"""

"""What every answer tells a browser, whatever it is an answer to.

Scripts and styles come from files of ours alone, no other site may frame, embed or read an answer,
a type is what we say it is, and addresses, which hold what was looked for, stay here.
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer, under which forms would name no Origin.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LINES = "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items()).encode()


def with_security(head: bytes) -> bytes:
    """Return the head of an answer, up to its blank line, with these headers behind the others."""
    return head[:-2] + _LINES + b"\r\n"

"""As much of S3 as storing parts needs, in a thread. It checks no signature and knows no multipart."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"
DAY = "Wed, 25 Nov 2026 12:00:00 GMT"


class _Handler(BaseHTTPRequestHandler):
    objects: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.objects[self._name()] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"", ETag='"1"')

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "list-type" in asked:
            self._answer(200, self._listed(asked.get("prefix", "")))
            return
        found = self.objects.get(self._name())
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        about = {"ETag": '"1"', "Last-Modified": DAY}
        wanted = self.headers.get("Range")
        if wanted is None:
            self._answer(200, found, **about)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = found[int(first) : int(last) + 1]
        unit = f"bytes {first}-{int(first) + len(part) - 1}/{len(found)}"
        self._answer(206, part, **about, **{"Content-Range": unit})

    def do_DELETE(self) -> None:
        self.objects.pop(self._name(), None)
        self._answer(204, b"")

    def do_POST(self) -> None:
        """Delete some: obstore asks so."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        names = [one.partition("</Key>")[0] for one in body.split("<Key>")[1:]]
        for name in names:
            self.objects.pop(name, None)
        deleted = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in names)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""

    def _name(self) -> str:
        return urlsplit(self.path).path.removeprefix(f"/{BUCKET}/")

    def _listed(self, prefix: str) -> bytes:
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size><ETag>1</ETag>"
            "<LastModified>2026-11-25T12:00:00.000Z</LastModified></Contents>"
            for name, content in sorted(self.objects.items())
            if name.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def imitated_s3() -> Iterator[str]:
    """Its address while it runs."""

    handler = type("Handler", (_Handler,), {"objects": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()

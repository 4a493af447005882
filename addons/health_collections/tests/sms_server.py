"""A real HTTP gateway for SMS on loopback: what it is asked is kept, what it answers is told by the test."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class SmsServer:
    def __init__(self):
        self.asked, self.answer, self.status = [], None, 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if self.headers.get("Content-Type", "").startswith("application/json"):
                    values = json.loads(content)
                else:
                    values = dict(parse_qsl(content or urlsplit(self.path).query))
                outer.asked.append((dict(self.headers), values))
                answer = outer.answer or {"status": "queued", "id": f"ref-{len(outer.asked)}"}
                body = json.dumps(answer).encode()
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            do_GET = do_POST = handle_any

            def log_message(self, *_args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/send"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

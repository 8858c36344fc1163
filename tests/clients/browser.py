# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window. A page of another origin is told one thing at a time: it asks by fetch with CORS, posts a
form, and loads a script as any page does. Told and heard through the small server that the page comes from."""
import base64
import hmac
import http.server
import queue
import signal
import threading

from common import *  # noqa: F403
from common import EU, KEY, SECRET, US, Driver, ET, S3, fail, hashlib, json, os, re, run, secrets, sigv4, status, subprocess, time
from anvil import strip_ns

HERE = os.path.dirname(os.path.abspath(__file__))
CORS = b"""<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>
<AllowedMethod>POST</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedMethod>DELETE</AllowedMethod><AllowedHeader>*</AllowedHeader>
<ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>"""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that was ended asks for nothing more."""


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        b = self.server.browser
        if self.path == "/":
            self.answer(open(os.path.join(HERE, "browser.html"), "rb").read(), "text/html; charset=utf-8")
        elif self.path == "/next":
            try:
                self.answer(json.dumps(b.todo.get(timeout=20)).encode())
            except queue.Empty:
                self.answer(b"{}")
        elif self.path == "/file":
            self.answer(open(b.file, "rb").read(), "application/octet-stream")
        elif self.path.startswith("/posted?"):
            self.answer(b"<!doctype html>", "text/html")
            b.done.put({"value": self.path})
        else:
            self.answer(b"", "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/file":
            with open(self.server.browser.file, "wb") as f:
                f.write(body)
        else:
            self.server.browser.done.put(json.loads(body))
        self.answer(b"{}")


def key_hash(endpoint):
    """Of a certificate's public key, as Chromium wants to be told that it may be trusted."""
    p = run("sh", "-c", "openssl s_client -connect %s </dev/null 2>/dev/null | openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64" % endpoint.split("//")[1])
    return p.out.strip()


class Chromium(Driver):
    name = "Chromium, fetch with CORS"

    @staticmethod
    def version():
        return re.search(r"[\d.]{5,}", run("/usr/bin/chromium", "--version", check=False).out).group(0)

    def __init__(self, at):
        super().__init__(at)
        self.todo, self.done, self.file = queue.Queue(), queue.Queue(), None
        status(S3(EU).request("PUT", at.bucket, query="cors", body=CORS), 200)
        self.server = Server(("127.0.0.1", 0), Page)
        self.server.browser = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = "http://127.0.0.1:%d" % self.server.server_port
        trust = ["--ignore-certificate-errors-spki-list=" + ",".join(key_hash(r.over_tls().endpoint) for r in (EU, US))] if at.tls else []
        self.log = open(os.path.join(at.dir, "chromium.log"), "wb")
        self.p = subprocess.Popen(["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                                   "--disable-component-update", "--disable-extensions", "--no-proxy-server", "--user-data-dir=" + os.path.join(at.dir, "profile"), *trust, self.origin + "/"],
                                  stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, env=dict(os.environ, HOME=at.dir))

    def ask(self, do, **told):
        while not self.done.empty():
            self.done.get()
        self.todo.put(dict(told, do=do))
        try:
            a = self.done.get(timeout=90)
        except queue.Empty:
            fail("the page did not answer %s within 90 s: %s" % (do, open(self.log.name, errors="replace").read()[-800:]))
        if "error" in a:
            fail("the page, %s: %s" % (do, a["error"]))
        return a["value"]

    def url(self, method, key=None, query=""):
        at = self.at
        return at.url(sigv4.presign(method, at.target(key) + ("?" + query if query else ""), at.bucket_host, KEY, SECRET, at.region.name))

    def head_bucket(self):
        self.ask("fetch", method="HEAD", url=self.url("HEAD"))

    def list(self):
        text = self.ask("fetch", method="GET", url=self.url("GET", query="list-type=2"), want="text")
        return [x.text for x in strip_ns(ET.fromstring(text)).findall("Contents/Key")]

    def put(self, key, path):
        self.file = path
        self.ask("fetch", method="PUT", url=self.url("PUT", key), send="file")

    def get(self, key, path):
        self.file = path
        self.ask("fetch", method="GET", url=self.url("GET", key), want="file")

    def head(self, key):
        return int(self.ask("fetch", method="HEAD", url=self.url("HEAD", key), want="length"))

    def delete(self, key):
        self.ask("fetch", method="DELETE", url=self.url("DELETE", key))

    def close(self):
        try:
            os.killpg(self.p.pid, signal.SIGKILL)
        except OSError:
            pass
        self.p.wait()
        self.server.shutdown()
        self.server.server_close()
        self.log.close()


class ChromiumForm(Chromium):
    """The rest is fetch's."""
    name = "Chromium, form and script"

    def put(self, key, path):
        """A form with a file and a signed policy, that the browser itself sends to the bucket."""
        at, when = self.at, sigv4.now_text()
        fields = [("key", key), ("success_action_redirect", self.origin + "/posted"), ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
                  ("x-amz-credential", "%s/%s/%s/s3/aws4_request" % (KEY, when[:8], at.region.name)), ("x-amz-date", when)]
        document = {"expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600)), "conditions": [{"bucket": at.bucket}] + [{k: v} for k, v in fields]}
        policy = base64.b64encode(json.dumps(document).encode()).decode()
        sig = hmac.new(sigv4.signing_key(SECRET, when[:8], at.region.name), policy.encode(), hashlib.sha256).hexdigest()
        self.file = path
        to = at.url("/" + at.bucket if at.path_style else "/")
        came = self.ask("form", url=to, fields=fields + [("policy", policy), ("x-amz-signature", sig)])
        if "key=" + key.replace("/", "%2F") not in came:
            fail("the form's answer led to %s" % came)

    def get(self, key, path):
        """A <script> that the browser loads without CORS: us sends it on to the home. Then the bytes."""
        word = secrets.token_hex(8)
        S3(EU).put(self.at.bucket, "script.js", b"window.loaded = '%s';" % word.encode(), content_type="text/javascript")
        came = self.ask("script", url=self.url("GET", "script.js"))
        if came != word:
            fail("the script left %r, not %r" % (came, word))
        super().get(key, path)


DRIVERS = [Chromium, ChromiumForm]

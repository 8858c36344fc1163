# SPDX-License-Identifier: Apache-2.0
"""A receiver of buckets' events, for tests: an HTTP or HTTPS server on a loopback port of its own that checks every signature."""
import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time
import urllib.parse

from anvil import EU, admin, admin_json, eq, find_field, ok, secrets, until


class Receiver:
    """Made with its webhook. answers: statuses to be given first, then 200. hold: an event to wait for before each answer.
    certificate: (certificate, key) to speak TLS with."""

    def __init__(self, *options, listen=True, certificate=None):
        self.calls, self.answers, self.hold, self.lock = [], [], None, threading.Lock()
        self.name, self.listens = "t-" + secrets.token_hex(6), False
        self.server = self.bound()
        self.tls = None if certificate is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.tls is not None:
            self.show(certificate)
            # The handshake is a call's own, not the one that all wait for.
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        if listen:
            self.start()
        made = admin_json(EU, "webhook", "create", self.name, "http%s://127.0.0.1:%d/events?x=1" % ("s" if self.tls else "", self.port), *options)
        self.secret = find_field(made, "secret")
        self.queue, self.topic = find_field(made, "queue"), find_field(made, "topic")

    def bound(self):
        """The port is ours; whoever connects is refused until start()."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.calls.append((self.path, dict(self.headers), body))
                    answer = receiver.answers.pop(0) if receiver.answers else 200
                if receiver.hold is not None:
                    receiver.hold.wait(30)
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", "http://127.0.0.1:%d/elsewhere" % receiver.port)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # whoever called was killed

        server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        server.server_bind()
        return server

    def start(self):
        self.listens = True
        self.server.server_activate()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def show(self, certificate):
        """To whoever connects from now on."""
        self.tls.load_cert_chain(*certificate)

    def delete(self):
        return admin(EU, "webhook", "delete", self.name, "--yes", check=False)

    def close(self, *buckets, s3):
        """The bucket names it no more, and it goes."""
        for n in buckets:
            s3.request("PUT", n, query="notification", body=b"<NotificationConfiguration/>")
        self.delete()
        if self.listens:
            self.server.shutdown()
        self.server.server_close()

    def bodies(self):
        with self.lock:
            calls = list(self.calls)
        out = []
        for path, headers, body in calls:
            eq("the webhook's own path", path, "/events?x=1")
            self.check(headers, body)
            out.append(json.loads(body))
        return out

    def check(self, headers, body):
        """As a receiver does: the signature, and that the call is of now."""
        eq("the type", headers["Content-Type"], "application/json")
        signed = ("%s.%s." % (headers["webhook-id"], headers["webhook-timestamp"])).encode() + body
        key = base64.b64decode(self.secret[len("whsec_"):])
        eq("the signature", headers["webhook-signature"], "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        ok("of now", abs(time.time() - int(headers["webhook-timestamp"])) < 300, headers)

    def tests(self):
        return [b for b in self.bodies() if b.get("Event") == "s3:TestEvent"]

    def records(self):
        return [r for b in self.bodies() for r in b.get("Records", [])]

    def told(self):
        """(event, key) in their order; of what was sent again the first."""
        seen, out = set(), []
        for r in self.records():
            o = r["s3"]["object"]
            if (o["key"], o["sequencer"]) not in seen:
                seen.add((o["key"], o["sequencer"]))
                out.append((r["eventName"], urllib.parse.unquote_plus(o["key"])))
        return out

    def wait_for(self, *expected, seconds=30):
        """Exactly these, in any order of different keys."""
        until("%d events of %s" % (len(expected), self.name), lambda: len(self.told()) >= len(expected), seconds)
        eq("events", sorted(self.told()), sorted(expected))


def configuration(*parts):
    return ("<NotificationConfiguration>%s</NotificationConfiguration>" % "".join(parts)).encode()


def queue(arn, *events, id=None, prefix=None, suffix=None, kind="Queue"):
    rules = "".join("<FilterRule><Name>%s</Name><Value>%s</Value></FilterRule>" % x for x in (("prefix", prefix), ("suffix", suffix)) if x[1])
    return "<%sConfiguration>%s<%s>%s</%s>%s%s</%sConfiguration>" % (
        kind, "<Id>%s</Id>" % id if id else "", kind, arn, kind, "".join("<Event>%s</Event>" % e for e in events),
        "<Filter><S3Key>%s</S3Key></Filter>" % rules if rules else "", kind)

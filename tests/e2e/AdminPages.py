#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The operator's pages by a browser without JavaScript: login, CSRF, a key made and used."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from uploads import *  # noqa: E402,F403

import html  # noqa: E402
from http.cookies import SimpleCookie  # noqa: E402
from urllib.parse import urlencode, urljoin  # noqa: E402

BASE = os.environ["ANVIL_ADMIN_URL"]


class Browser:
    def __init__(self):
        self.cookies = {}

    def go(self, method, url, form=None, headers=None):
        u = urlsplit(urljoin(BASE, url))
        c = http.client.HTTPConnection(u.hostname, u.port, timeout=30)
        h = dict(headers or {})
        if self.cookies:
            h["Cookie"] = "; ".join("%s=%s" % kv for kv in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode(form)
            h["Content-Type"] = "application/x-www-form-urlencoded"
        c.request(method, u.path + ("?" + u.query if u.query else ""), body, h)
        r = c.getresponse()
        text = r.read().decode()
        self.answer = r
        for v in r.headers.get_all("Set-Cookie") or []:
            for name, m in SimpleCookie(v).items():
                if m.value and m["max-age"] != "0":
                    self.cookies[name] = m.value
                else:
                    self.cookies.pop(name, None)
        self.url = u.geturl()
        self.page = text
        return r.status

    def follow(self, status):
        while status in (301, 302, 303, 307):
            status = self.go("GET", urljoin(self.url, self.answer.getheader("Location")))
        return status

    def get(self, url):
        return self.follow(self.go("GET", url))

    def form(self, **want):
        """The first form that has these fields: (action, {field: value})."""
        for f in re.findall(r"<form\b.*?</form>", self.page, re.S):
            fields = {}
            for tag in re.findall(r"<(?:input|button|textarea|select)\b[^>]*>", f):
                a = dict((k, html.unescape(v)) for k, v in re.findall(r'([\w-]+)="([^"]*)"', tag))
                if "name" in a and (a.get("type") not in ("checkbox", "radio") or " checked" in tag):
                    fields.setdefault(a["name"], a.get("value", ""))
            if all(k in fields and (v is None or fields[k] == v) for k, v in want.items()):
                m = re.search(r'<form\b[^>]*\baction="([^"]*)"', f)
                return urljoin(self.url, html.unescape(m.group(1)) if m else ""), fields
        fail("no form with %s\n    came:     %s" % (want, _page(self.page)))

    def submit(self, form, **values):
        action, fields = form
        fields = dict(fields, **values)
        return self.follow(self.go("POST", action, fields))

    def login(self, user=None, password=None):
        self.get("")
        action, fields = self.form(password=None)
        name = next(k for k in fields if k in ("user", "name", "username", "login", "operator"))
        return self.submit((action, fields), **{name: user or os.environ["ANVIL_ADMIN_USER"], "password": password or os.environ["ANVIL_ADMIN_PASSWORD"]})


def _page(text):
    return re.sub(r"\s+", " ", text)[:1500]


def well_formed(b, what):
    ok(what + ": HTML", b.page.lstrip().lower().startswith("<!doctype html>"), _page(b.page))
    ok(what + ": no script is needed", "<script" not in b.page.lower())
    contains(what + ": policy of contents", b.answer.getheader("Content-Security-Policy") or "", "default-src")


def test_login():
    b = Browser()
    eq("the login page", b.get(""), 200)
    well_formed(b, "login")
    ok("nothing but the login is shown", "Buckets" not in b.page or "password" in b.page, _page(b.page))
    b.login(password="not the password")
    ok("a wrong password stays out", "Log out" not in b.page and "password" in b.page.lower(), _page(b.page))
    eq("the right one", b.login(), 200)
    ok("in", re.search("log ?out", b.page, re.I), _page(b.page))
    cookie = b.cookies
    ok("a session", cookie)
    for region in (EU, US):
        contains("the overview names the regions", b.page, region.name)


def test_cookie_is_guarded():
    b = Browser()
    b.get("")
    action, fields = b.form(password=None)
    name = next(k for k in fields if k in ("user", "name", "username", "login", "operator"))
    b.go("POST", action, dict(fields, **{name: os.environ["ANVIL_ADMIN_USER"], "password": os.environ["ANVIL_ADMIN_PASSWORD"]}))
    set_ = "; ".join(b.answer.headers.get_all("Set-Cookie") or [])
    contains("HttpOnly", set_, "HttpOnly")
    contains("SameSite", set_, "SameSite=Strict")


def test_pages_need_a_session():
    for page in ("", "buckets", "moves", "uploads", "tenants", "policies", "webhooks", "operators", "regions", "cache", "audit"):
        b = Browser()
        b.get(page)
        ok("%s: the login comes" % page, "password" in b.page.lower() and not re.search("log ?out", b.page, re.I), _page(b.page))
    b = Browser()
    b.cookies = {"anvil_session": "forged", "session": "forged"}
    b.get("")
    ok("a forged session: the login comes", not re.search("log ?out", b.page, re.I), _page(b.page))


def links(b):
    return sorted({urljoin(b.url, html.unescape(x)) for x in re.findall(r'href="([^"#]+)"', b.page) if not x.startswith(("http", "mailto"))} | set())


def test_every_page():
    """Each page that the overview leads to: 200, whole, no error."""
    b = Browser()
    b.login()
    todo, seen = links(b), set()
    while todo:
        u = todo.pop()
        if u in seen or "/-/admin" not in u or u.endswith(".css") or len(seen) > 60:
            continue
        seen.add(u)
        code = b.get(u)
        if code == 404 and "?" in u:
            continue  # of a thing that another test has deleted since
        eq("GET " + u, code, 200)
        if (b.answer.getheader("Content-Type") or "").startswith("text/html"):
            well_formed(b, u)
            if u.count("?") == 0:
                todo = sorted(todo + links(b), key=lambda x: "?" not in x)  # pages before their rows' links
    ok("there are pages", len(seen) >= 5, seen)


def test_csrf():
    """A POST without the token, or with another's, is refused and changes nothing."""
    b = Browser()
    b.login()
    name = "csrf-" + secrets.token_hex(4)
    b.get("tenants")
    create = find_create(b, "tenant")
    for token in (None, "", "forged"):
        action, fields = create[0], dict(create[1])
        csrf = next(k for k in fields if "csrf" in k or "token" in k)
        if token is None:
            del fields[csrf]
        else:
            fields[csrf] = token
        st = b.go("POST", action, dict(fields, name=name))
        ok("refused", st in (400, 403), (st, _page(b.page)))
    ok("nothing was made", admin(EU, "tenant", "show", name, check=False).returncode != 0)
    c = Browser()
    st = c.go("POST", create[0], dict(create[1], name=name))
    ok("without a session: refused or sent to the login", st in (302, 303, 400, 401, 403), st)
    ok("nothing was made", admin(EU, "tenant", "show", name, check=False).returncode != 0)


def find_create(b, noun):
    """The form that creates one, on this page or one link away."""
    here = b.url
    for u in [here] + [x for x in links(b) if noun in x and ("create" in x or "new" in x)]:
        b.get(u)
        for f in re.findall(r"<form\b.*?</form>", b.page, re.S):
            if re.search(noun + "[./]create", f):
                m = re.search(r'action="([^"]*)"', f)
                fields = {}
                for tag in re.findall(r"<(?:input|button|textarea|select)\b[^>]*>", f):
                    a = dict((k, html.unescape(v)) for k, v in re.findall(r'([\w-]+)="([^"]*)"', tag))
                    if "name" in a and a.get("type") != "checkbox":
                        fields.setdefault(a["name"], a.get("value", ""))
                return urljoin(b.url, html.unescape(m.group(1)) if m else ""), fields
    fail("no form to create a %s\n    came:     %s" % (noun, _page(b.page)))


def test_key_made_and_used():
    """A tenant and a key made in the pages: the secret is shown once, and works in both regions at once."""
    b = Browser()
    b.login()
    name = "page-" + secrets.token_hex(4)
    b.get("tenants")
    eq("made", b.submit(find_create(b, "tenant"), name=name), 200)
    b.get("tenants")
    contains("listed", b.page, name)
    b.get("tenant?name=" + name)
    eq("key made", b.submit(find_create(b, "app"), tenant=name, name="from <b>& the page"), 200)
    once = [html.unescape(v) for v in re.findall(r"<code>([^<]*)</code>", b.page[b.page.find('class="once"'):])]
    key = next((v for v in once if re.fullmatch(r"[A-Z0-9]{16,24}", v)), None)
    secret = next((v for v in once if re.fullmatch(r"[A-Za-z0-9+/=_-]{40,}", v)), None)
    ok("key and secret are shown", key and secret, _page(b.page))
    for region in (US, EU):
        status(S3(region, key, secret).request("GET"), 200)
    b.get("tenant?name=" + name)
    ok("the secret is not shown again", secret not in b.page)
    ok("what was typed is escaped", "<b>& the" not in b.page and "&lt;b&gt;&amp; the" in b.page, _page(b.page))
    admin(EU, "app", "delete", key, "--yes")
    admin(EU, "tenant", "delete", name, "--yes")


def test_webhook():
    """Made in the pages: its secret is shown once; disabled, enabled, changed, and deleted when one is sure."""
    b = Browser()
    b.login()
    name, here = "page-" + secrets.token_hex(4), "webhook?name="
    here += name
    b.get("webhooks")
    eq("made", b.submit(find_create(b, "webhook"), name=name, url="http://127.0.0.1:9/a?x=<b>"), 200)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", b.page)
    ok("the secret is shown", secret, _page(b.page))
    contains("its ARN", b.page, "arn:aws:sqs:::" + name)
    b.get("webhooks")
    contains("listed", b.page, here)
    eq("seen", b.get(here), 200)
    well_formed(b, "webhook")
    ok("the secret is not shown again", secret.group() not in b.page)
    ok("what was typed is escaped", "?x=<b>" not in b.page and "?x=&lt;b&gt;" in b.page, _page(b.page))
    for action, state in (("webhook.disable", "disabled"), ("webhook.enable", "active")):
        eq(action, b.submit(b.form(action=action)), 200)
        contains("the page says so", b.page, ">%s</span>" % state)
        eq("it is", find_field(admin_json(EU, "webhook", "show", name), "state"), state)
        b.get("webhooks")
        contains("the list says so", b.page[b.page.index(here):], ">%s</span>" % state)
        b.get(here)
    eq("another URL", b.submit(b.form(action="webhook.update"), url="http://127.0.0.1:9/b"), 200)
    contains("shown", b.page, "http://127.0.0.1:9/b")
    eq("a wrong one", b.submit(b.form(action="webhook.update"), url="ftp://127.0.0.1/"), 422)
    eq("still the other", find_field(admin_json(EU, "webhook", "show", name), "url"), "http://127.0.0.1:9/b")
    b.get("confirm?action=webhook.delete&name=" + name)
    eq("deleted", b.submit(b.form(action="webhook.delete")), 200)
    ok("not listed any more", here not in b.page, _page(b.page))
    eq("gone", b.get(here), 404)


def test_uploads():
    """What is under way and what it holds; one is aborted when one is sure, whatever its key is."""
    b = Browser()
    b.login()
    n, key = bucket(EU), " <b>&\u00e9 "
    i = create(n, key)
    status(put_part(n, key, i, 1, b"x" * 20480), 200)
    eq("the bucket's page", b.get("bucket?name=" + n), 200)
    contains("leads there", b.page, "uploads?bucket=" + n)
    for where in ("uploads?bucket=" + n, "uploads?older=0s&bucket=" + n):
        eq(where, b.get(where), 200)
        well_formed(b, where)
        ok("listed", i in b.page and "20 KiB" in b.page, _page(b.page))
        ok("its key is escaped", "<b>&" not in b.page and "&lt;b&gt;&amp;" in b.page, _page(b.page))
    way = html.unescape(re.search(r'href="(confirm\?action=upload\.abort[^"]*)"', b.page).group(1))
    b.get("uploads?older=1d&bucket=" + n)
    ok("too young", i not in b.page, _page(b.page))
    eq("no age", b.get("uploads?older=soon"), 422)
    b.get("")
    contains("the overview says what they hold", b.page, 'href="uploads"')
    eq("sure?", b.get(way), 200)
    contains("of which", b.page, i)
    eq("aborted", b.submit(b.form(action="upload.abort")), 200)
    error(S3().request("GET", n, key, query={"uploadId": i}), 404, "NoSuchUpload")


def test_quota():
    """A bucket's page says what it holds and may hold, and changes that."""
    b = Browser()
    b.login()
    n = bucket(EU)
    here = "bucket?name=" + n
    status(S3().request("PUT", n, "k", body=b"x" * 20480), 200)
    eq("its page", b.get(here), 200)
    contains("not counted", b.page, "it has no quota")
    eq("set", b.submit(b.form(action="bucket.quota"), bytes="30K", objects="none"), 200)
    well_formed(b, here)
    for part in ("20 KiB in 1 objects", "30 KiB and - objects", 'value="30K"', "Remove the quota"):
        contains("shown", b.page, part)
    error(S3().request("PUT", n, "l", body=b"x" * 20480), 403, "QuotaExceeded")
    eq("nonsense", b.submit(b.form(action="bucket.quota"), bytes="30X", objects="none"), 422)
    contains("says so", b.page, "a number of bytes")
    eq("a bucket of another region", b.get("bucket?name=" + bucket(US)), 200)
    contains("elsewhere", b.page, "not counted")
    b.get(here)
    eq("removed", b.submit(b.form(action="bucket.quota", remove="1")), 200)
    ok("gone", "Remove the quota" not in b.page, _page(b.page))


def test_logout():
    b = Browser()
    b.login()
    before = dict(b.cookies)
    f = next((f for f in re.findall(r"<form\b.*?</form>", b.page, re.S) if "logout" in f), None)
    ok("there is a way out", f or "logout" in b.page, _page(b.page))
    action = urljoin(b.url, html.unescape(re.search(r'action="([^"]*logout[^"]*)"', b.page).group(1)))
    fields = {html.unescape(k): html.unescape(v) for k, v in re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', f or "")}
    b.follow(b.go("POST", action, fields))
    ok("out", not re.search("log ?out", b.page, re.I), _page(b.page))
    ok("the cookie is gone", b.cookies != before)


if __name__ == "__main__":
    main()

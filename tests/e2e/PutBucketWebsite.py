#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PutBucketWebsite: index, error document, routing rules, or a redirect of all."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from anvil import *  # noqa: E402,F403
from bucket_config import Kind  # noqa: E402

INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
KIND = Kind("website", "<WebsiteConfiguration>%s</WebsiteConfiguration>" % INDEX, "NoSuchWebsiteConfiguration")


def put(inner):
    return KIND.put(put.bucket, ("<WebsiteConfiguration>%s</WebsiteConfiguration>" % inner).encode())


def rule(redirect, condition=""):
    return INDEX + "<RoutingRules><RoutingRule>%s<Redirect>%s</Redirect></RoutingRule></RoutingRules>" % (condition, redirect)


def test_put():
    """By either region, for a bucket of either."""
    KIND.check_put()


def test_refused():
    """Nobody but the owner."""
    KIND.check_refused("PUT")


def test_malformed():
    """What S3 refuses as MalformedXML."""
    KIND.check_malformed("<WebsiteConfiguration>%s<ErrorDocument><Key></Key></ErrorDocument></WebsiteConfiguration>" % INDEX,
                         "<WebsiteConfiguration>%s<RoutingRules/></WebsiteConfiguration>" % INDEX,
                         "<WebsiteConfiguration>%s</WebsiteConfiguration>" % rule("<HttpRedirectCode>x</HttpRedirectCode>"))


def test_contradictions():
    """Each in the words of S3."""
    put.bucket = bucket(EU)
    for inner, code, message in (
            ("", "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"),
            ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", "InvalidArgument", "The IndexDocument Suffix is not well formed"),
            ("<IndexDocument><Suffix/></IndexDocument>", "InvalidArgument", "The IndexDocument Suffix is not well formed"),
            (INDEX + "<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>", "InvalidArgument",
             "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."),
            ("<RedirectAllRequestsTo><HostName>h</HostName><Protocol>ftp</Protocol></RedirectAllRequestsTo>", "InvalidRequest", "Invalid protocol"),
            (rule("<HttpRedirectCode>300</HttpRedirectCode>"), "InvalidRequest", "The provided HTTP redirect code (300) is not valid. Valid codes are 3XX except 300."),
            (rule("<HostName>h</HostName>", "<Condition><HttpErrorCodeReturnedEquals>200</HttpErrorCodeReturnedEquals></Condition>"), "InvalidRequest",
             "The provided HTTP error code (200) is not valid. Valid codes are 4XX or 5XX."),
            (rule("<HostName>h</HostName>", "<Condition/>"), "InvalidRequest", "Condition cannot be empty."),
            (rule("<ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith>"), "InvalidRequest",
             "You can only define ReplaceKeyPrefix or ReplaceKey but not both."),
            (INDEX + "<RoutingRules>%s</RoutingRules>" % (51 * "<RoutingRule><Redirect><HostName>h</HostName></Redirect></RoutingRule>"), "InvalidRequest",
             "51 routing rules provided, the number of routing rules in a website configuration is limited to 50.")):
        r = put(inner)
        error(r, 400, code)
        contains("the message", r.text("Message"), message)
    KIND.is_missing(put.bucket)


if __name__ == "__main__":
    main()

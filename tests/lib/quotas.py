# SPDX-License-Identifier: Apache-2.0
"""What buckets with a quota hold, for the tests of whatever changes it."""
from anvil import EU, admin_json, eq, find_field


def usage(name, region=EU):
    """(bytes, objects), and the account is what the rows are."""
    u = admin_json(region, "bucket", "usage", name, "--count")
    eq("the account lacks nothing", (find_field(u, "missing_bytes"), find_field(u, "missing_objects")), (0, 0))
    return find_field(u, "bytes"), find_field(u, "objects")

"""kazoo's scenarios of SASL DIGEST-MD5; for servers that have the users bob and eve. kazoo 2.8 does not report a refusal."""
from kazoo.security import ACL, CREATOR_ALL_ACL, Id


def options(name, password):
    return {"sasl_options": {"mechanism": "DIGEST-MD5", "username": name, "password": password}}


def sasl(s):
    bob = s.client(**options("bob", "bobsecret"))
    eve = s.client(**options("eve", "evesecret"))
    path = s.root + "/mine"
    s.attempt("create", bob.create, path, b"v", acl=[ACL(31, Id("sasl", "bob"))])
    s.attempt("create for the creator", bob.create, s.root + "/auth", acl=CREATOR_ALL_ACL)
    s.attempt("expands to", bob.get_acls, s.root + "/auth")
    eve.sync(s.root)
    s.attempt("get by its owner", bob.get, path)
    for what, client in [("another user", eve), ("a client without SASL", s.client())]:
        client.sync(s.root)
        s.attempt("get by " + what, client.get, path)
        s.attempt("set by " + what, client.set, path, b"")
    both = s.client(**options("bob", "bobsecret"))
    s.attempt("digest beside it", both.add_auth, "digest", "owner:secret")
    both.sync(s.root)
    s.attempt("get with both", both.get, path)


SCENARIOS = {"sasl": sasl}

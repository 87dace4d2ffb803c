"""A real OpenID provider on loopback, with a back door for tests: it signs whatever it is told to, and changes its key.

oidc_provider.py PORT [FOLDER]: with a folder it speaks TLS, by a certificate of an authority of its own, FOLDER/ca.pem.
"""

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import pathlib
import ssl
import sys

import flask
import oidc_provider_mock
import werkzeug.serving
from authlib import jose
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

app = oidc_provider_mock.app(issue_refresh_token=False)
stranger = jose.RSAKey.generate_key(is_private=True)
asked = {}


def storage():
    return flask.g.oidc_provider_mock_storage


def key_id(key):
    return jose.KeySet((key,)).as_dict()["keys"][0]["kid"]


@app.before_request
def count():
    asked[flask.request.path] = asked.get(flask.request.path, 0) + 1


@app.get("/test/asked")
def how_often():
    return flask.jsonify(asked)


@app.post("/test/rotate")
def rotate():
    storage().jwk = jose.RSAKey.generate_key(is_private=True)
    return ""


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@app.post("/test/sign")
def sign():
    asked_for = flask.request.get_json()
    own = storage().jwk
    header = {"alg": "RS256", "kid": key_id(own)} | asked_for.get("header", {})
    claims = asked_for["claims"]
    parts = [encoded(json.dumps(part).encode()) for part in (header, claims)]
    match header["alg"]:
        case "none":
            return ".".join(parts) + "."
        case "HS256":
            public = own.as_pem(is_private=False)
            signature = hmac.new(public, ".".join(parts).encode(), hashlib.sha256).digest()
            return ".".join([*parts, encoded(signature)])
        case _:
            key = stranger if asked_for.get("stranger") else own
            return jose.JsonWebSignature().serialize_compact(header, json.dumps(claims).encode(), key)


def certificates(folder):
    """An authority, and what it issued for loopback."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name, key, issuer, issuer_key, is_authority):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if not is_authority:
            names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    (folder / "ca.pem").write_bytes(certificate("authority", authority, "authority", authority, True))
    (folder / "own.pem").write_bytes(certificate("provider", own, "authority", authority, False))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "own.key").write_bytes(own.private_bytes(*form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


port = int(sys.argv[1])
tls = certificates(pathlib.Path(sys.argv[2])) if len(sys.argv) > 2 else None
werkzeug.serving.make_server("127.0.0.1", port, app, threaded=True, ssl_context=tls).serve_forever()

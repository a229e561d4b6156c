"""TLS: the name is verified, though the address is what was dialled."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from node.errors import SettingsError
from node.outbound import OutboundClient, OutboundError, OutboundErrorCode
from tests.outbound.clients import Clients
from tests.outbound.peers import Peer, Peers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and key for peer.example, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("peer.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "peer.pem"
    path.write_bytes(
        signed.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


@pytest.fixture
def names_asked_for() -> list[str | None]:
    return []


@pytest.fixture
def secure_peer(serve: Peers, certificate: Path, names_asked_for: list[str | None]) -> Peer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: names_asked_for.append(name)
    return serve(tls=context)


def test_the_name_is_sent_and_verified(
    client: Clients, secure_peer: Peer, certificate: Path, names_asked_for: list[str | None]
) -> None:
    outbound = client(secure_peer, ca_file=str(certificate))
    url = f"https://{secure_peer.authority}/"
    assert outbound.get(url, accept="*/*").status == 200
    assert outbound.post(url, b"{}", content_type="text/plain").status == 200
    assert names_asked_for == ["peer.example"]
    assert secure_peer.connections == 1


def test_a_certificate_for_another_name_is_refused(
    client: Clients, secure_peer: Peer, certificate: Path
) -> None:
    authority = f"other.example:{secure_peer.port}"
    outbound = client(
        ca_file=str(certificate), private_hosts=[authority], names={"other.example": ["127.0.0.1"]}
    )
    with pytest.raises(OutboundError) as failed:
        outbound.get(f"https://{authority}/", accept="*/*")
    assert failed.value.code == OutboundErrorCode.TLS
    assert secure_peer.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(client: Clients, secure_peer: Peer) -> None:
    with pytest.raises(OutboundError) as failed:
        client(secure_peer).get(f"https://{secure_peer.authority}/", accept="*/*")
    assert failed.value.code == OutboundErrorCode.TLS
    assert secure_peer.requests == []


def test_a_server_that_speaks_no_tls_is_a_typed_error(client: Clients, serve: Peers) -> None:
    peer = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(OutboundError) as failed:
        client(peer, timeout=1.0).get(f"https://{peer.authority}/", accept="*/*")
    assert failed.value.code in {OutboundErrorCode.TLS, OutboundErrorCode.TIMEOUT}


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_that_cannot_be_used_is_a_setting_that_is_wrong(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(SettingsError):
        OutboundClient(user_agent="Moothall/test", ca_file=str(path))

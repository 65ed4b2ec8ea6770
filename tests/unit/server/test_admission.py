"""Who may upgrade."""

from http import HTTPStatus

import pytest
from multidict import CIMultiDict
from picows import WSUpgradeRequest

from engine.server.admission import Refused, admit


def request(path: str = "/play", **headers: str | list[str]) -> WSUpgradeRequest:
    made = WSUpgradeRequest()
    made.path = path.encode()
    made.headers = CIMultiDict()
    for name, values in {"Host": "127.0.0.1:8766", **headers}.items():
        for value in [values] if isinstance(values, str) else values:
            made.headers.add(name, value)
    return made


@pytest.mark.parametrize(
    ("path", "codec"),
    [
        ("/play", "msgpack"),
        ("/play?codec=json", "json"),
        ("/play?codec=msgpack", "msgpack"),
        ("/play?other=1", "msgpack"),
    ],
)
def test_the_path_names_the_codec(path: str, codec: str):
    assert admit(request(path), "/play", "127.0.0.1") == codec


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", HTTPStatus.NOT_FOUND),
        ("/play/", HTTPStatus.NOT_FOUND),
        ("/play?codec=xml", HTTPStatus.BAD_REQUEST),
        ("//[", HTTPStatus.BAD_REQUEST),
        ("/play?" + "&".join(["a=1"] * 50), HTTPStatus.BAD_REQUEST),
    ],
)
def test_other_paths_are_refused(path: str, status: HTTPStatus):
    with pytest.raises(Refused) as refused:
        admit(request(path), "/play", "127.0.0.1")
    assert refused.value.status == status


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "127.9.9.9", "localhost:8766", "LOCALHOST", "a.localhost", "[::1]:8766"]
)
def test_loopback_names_are_not_foreign(host: str):
    assert admit(request(Host=host, Origin=f"http://{host}"), "/play", "127.0.0.1") == "msgpack"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "10.0.0.1",
        "[",
        "",
    ],
)
def test_foreign_hosts_and_origins_are_refused(host: str):
    for headers in ({"Host": host}, {"Origin": f"https://{host}"}, {"Origin": host}):
        with pytest.raises(Refused) as refused:
            admit(request(**headers), "/play", "127.0.0.1")
        assert refused.value.status == HTTPStatus.FORBIDDEN


def test_two_hosts_none_and_a_null_origin_are_refused():
    for headers in ({"Host": []}, {"Host": ["localhost", "localhost"]}, {"Origin": "null"}):
        with pytest.raises(Refused):
            admit(request(**headers), "/play", "127.0.0.1")


def test_bound_to_all_addresses_an_address_is_ours_and_a_name_is_not():
    assert admit(request(Host="192.0.2.7:8766"), "/play", "0.0.0.0") == "msgpack"
    with pytest.raises(Refused):
        admit(request(Host="evil.example"), "/play", "0.0.0.0")
    assert admit(request(Host="box.example"), "/play", "box.example") == "msgpack"

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import ALGORITHMS, hash_file, negotiate, new_hasher, parse_supported
from omeroadmin.schema.settings import Settings

ABC = {
    "SHA1-160": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "MD5-128": "900150983cd24fb0d6963f7d28e17f72",
    "Murmur3-128": "6778ad3f3f3f96b4522dca264174a23b",
    "Murmur3-32": "fa93ddb3",
    "CRC-32": "352441c2",
    "Adler-32": "024d0127",
    "File-Size-64": "0000000000000003",
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_files_have_the_values_that_omero_records(tmp_path: Path, algorithm: str) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert hash_file(path, algorithm) == ABC[algorithm]


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    whole = new_hasher("CRC-32")
    whole.update(content)
    assert hash_file(path, "CRC-32") == whole.hexdigest()


def test_the_servers_order_decides() -> None:
    assert negotiate(["MD5-128", "SHA1-160"], ALGORITHMS) == "SHA1-160"
    assert negotiate([], ["CRC-32"]) == "CRC-32"
    with pytest.raises(AdminError) as caught:
        negotiate(["Blake3"], ALGORITHMS)
    assert caught.value.code == "checksum-not-agreed"


def test_the_default_setting_names_all() -> None:
    assert parse_supported(Settings({}).text("omero.checksum.supported")) == ALGORITHMS
    assert parse_supported(" ") == ALGORITHMS


def test_unknown_algorithms_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="SHA-3"):
        parse_supported("SHA-3")
    with pytest.raises(AdminError) as caught:
        hash_file(tmp_path / "none", "CRC-32")
    assert caught.value.code == "file-not-read"

"""Bulk files: options for all, options for each line, includes, and commands instead of imports."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from omeroadmin.access.transfer import Comment
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.transfers import Transfer
from omeroadmin.workflows.import_bulk import read_bulk
from omeroadmin.workflows.import_options import ImportOptions, with_comments, with_option
from omeroadmin.workflows.import_targets import Container, Named


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return directory / "bulk.yml"


def test_a_plain_list(tmp_path: Path) -> None:
    path = write(tmp_path, bulk__yml='path: "my-files.txt"\n', **{"my-files__txt": "fileA\n\nfile B\ndirectoryC\n"})
    bulk = read_bulk(path, ImportOptions(name="x"))
    assert [one.path for one in bulk.imports] == [tmp_path / name for name in ("fileA", "file B", "directoryC")]
    assert {one.options.name for one in bulk.imports} == {"x"}
    assert bulk.dry_run == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("files.tsv", "import-1\tfile A\nimport-2\tfileB\n"),
        ("files.csv", 'import-1,file A\nimport-2,"fileB"\n'),
        ("files.txt", "import-1 'file A'\nimport-2 fileB\n"),
    ],
)
def test_columns(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    path = write(tmp_path, bulk__yml=f"path: {name}\ncolumns:\n- name\n- path\n")
    bulk = read_bulk(path, ImportOptions())
    assert [(one.options.name, one.path) for one in bulk.imports] == [
        ("import-1", tmp_path / "file A"), ("import-2", tmp_path / "fileB"),
    ]  # fmt: skip
    assert bulk.imports[0].command() == f"omero import --name=import-1 '{tmp_path}/file A'"


def test_targets_and_everything_else(tmp_path: Path) -> None:
    write(
        tmp_path,
        files__tsv="Dataset:name:training-set\timport-1\tfileA\nDataset:name:test-set-001\timport-3\tfileC\n",
        common__yml='checksum_algorithm: "File-Size-64"\nexclude: "clientpath"\ntransfer: "ln_s"\ncontinue: true\n',
        bulk__yml=(
            "include: common.yml\npath: files.tsv\ncolumns: [target, name, path]\nparallel_fileset: 2\n"
            "parallel_upload: 3\nskip: [minmax, thumbnails]\noutput: yaml\nexclude: filename\n"
            "annotation_ns: lab\nannotation_text: noted\n"
        ),
    )
    bulk = read_bulk(tmp_path / "bulk.yml", ImportOptions())
    first = bulk.imports[0].options
    assert first.target == Named(Container("Dataset", name="training-set"))
    assert (first.checksum, first.exclude, first.transfer) == ("File-Size-64", "filename", Transfer.SYMBOLIC_LINK)
    assert (first.filesets, first.uploads, first.keep_going) == (2, 3, True)
    assert first.left_out == ("minmax", "thumbnails")
    assert first.comments == (Comment("lab", "noted"),)
    assert first.algorithms == ("File-Size-64",)
    assert bulk.run == {"output": "yaml"}


def test_scripts_that_do_the_same(tmp_path: Path) -> None:
    write(
        tmp_path,
        files__csv="it's,a b.tif\n$HOME,c.tif\n",
        bulk__yml="path: files.csv\ncolumns: [name, path]\ndry_run: my_import_%s.sh\ncontinue: true\n",
    )
    bulk = read_bulk(tmp_path / "bulk.yml", ImportOptions())
    scripts = bulk.write_scripts()
    assert [path.name for path in scripts] == ["my_import_1.sh", "my_import_2.sh"]
    (tmp_path / "omero").write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    (tmp_path / "omero").chmod(0o755)
    said = [
        subprocess.run([script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True)
        for script in scripts
    ]
    assert [done.stdout.splitlines() for done in said] == [
        ["import", "-c", "--name=it's", f"{tmp_path}/a b.tif"], ["import", "-c", "--name=$HOME", f"{tmp_path}/c.tif"],
    ]  # fmt: skip
    assert shlex.split(bulk.imports[0].command())[:2] == ["omero", "import"]


def test_dry_run_words(tmp_path: Path) -> None:
    write(tmp_path, f__txt="a\nb\n")
    for word, expected in (("true", "true"), ("True", "true"), ("false", ""), ("x.sh", "x.sh")):
        path = write(tmp_path, bulk__yml=f"path: f.txt\ndry_run: {word}\n")
        assert read_bulk(path, ImportOptions()).dry_run == expected
    with pytest.raises(AdminError, match="has no %s"):
        read_bulk(path, ImportOptions()).write_scripts()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- a\n", "bulk-invalid"),
        ("a: [\n", "bulk-invalid"),
        ("name: x\n", "bulk-invalid"),
        ("path: f.txt\ncolumns: [name]\n", "bulk-invalid"),
        ("path: f.txt\ncolumns: [name, path]\n", "bulk-invalid"),
        ("path: f.txt\ninclude: bulk.yml\n", "bulk-invalid"),
        ("path: f.txt\nnonsense: 1\n", "option-unknown"),
        ("path: f.txt\ntransfer: teleport\n", "option-invalid"),
        ("path: f.txt\nparallel_upload: 0\n", "option-invalid"),
        ("path: f.txt\ncontinue: maybe\n", "option-invalid"),
        ("path: f.txt\nskip: [none]\n", "option-invalid"),
        ("path: f.txt\ntarget: Image:1\n", "target-invalid"),
        ("path: gone.txt\n", "file-not-read"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, code: str) -> None:
    write(tmp_path, f__txt="a\n")
    with pytest.raises(AdminError) as caught:
        read_bulk(write(tmp_path, bulk__yml=text), ImportOptions())
    assert caught.value.code == code
    assert "\n" not in caught.value.message


def test_comments_have_namespaces_or_not() -> None:
    assert with_comments(ImportOptions(), [], ["a", "b"]).comments == (Comment("", "a"), Comment("", "b"))
    assert with_comments(ImportOptions(), ["x", "y"], ["a", "b"]).comments == (Comment("x", "a"), Comment("y", "b"))
    with pytest.raises(AdminError) as caught:
        with_comments(ImportOptions(), ["x"], ["a", "b"])
    assert caught.value.exit_status is ExitStatus.USAGE


def test_skipping_checksums_compares_sizes() -> None:
    for word in ("all", "checksum"):
        assert with_option(ImportOptions(), "--skip", word).algorithms == ("File-Size-64",)
    assert len(with_option(ImportOptions(), "skip", "minmax").algorithms) == 7

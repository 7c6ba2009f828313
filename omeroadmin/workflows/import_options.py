"""The options of an import, each declared once: the command line and bulk files set the same ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from omeroadmin.access.transfer import Comment
from omeroadmin.access.walk import DEFAULT_DEPTH
from omeroadmin.errors import AdminError, usage_error
from omeroadmin.repository.checksums import ALGORITHMS, SIZE_ONLY
from omeroadmin.schema.transfers import Transfer
from omeroadmin.workflows.import_targets import TargetWish, parse_target, target_of_id

EXCLUSIONS = ("clientpath", "filename")
SKIPS = ("all", "checksum", "minmax", "thumbnails", "upgrade")
_HIGHEST_ID = 2**63 - 1
_MOST_PARALLEL = 64
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class ImportOptions:
    """How files are imported.

    :param checksum: the algorithm to use; empty: the best that both sides have
    :param exclude: how files are told that the server has: ``clientpath`` or ``filename``
    :param skip: words of :data:`SKIPS`
    :param annotation_ids: annotations on the server to link to each image
    :param filesets: how many are on their way at once
    :param uploads: files of one fileset that are on their way at once
    :param keep_going: whether a file that fails doesn't stop the others
    """

    name: str | None = None
    description: str | None = None
    target: TargetWish | None = None
    transfer: Transfer = Transfer.UPLOAD
    checksum: str = ""
    exclude: str = ""
    skip: frozenset[str] = frozenset()
    comments: tuple[Comment, ...] = ()
    annotation_ids: tuple[int, ...] = ()
    depth: int = DEFAULT_DEPTH
    filesets: int = 1
    uploads: int = 1
    keep_going: bool = True

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Checksum algorithms to offer to the server."""
        if self.checksum:
            return (self.checksum,)
        return (SIZE_ONLY,) if self.skip & {"all", "checksum"} else ALGORITHMS

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the server needn't make."""
        return tuple(word for word in ("minmax", "thumbnails") if self.skip & {"all", word})


def with_option(options: ImportOptions, name: str, value: object) -> ImportOptions:
    """The options with one more set, by the name of a long option, hyphens or underscores, as a bulk file has it.

    :param value: a text, number, flag, or a list of texts where an option may be repeated
    :raises AdminError: ``option-unknown``, ``option-invalid``, ``target-invalid``
    """
    plain = name.strip().lstrip("-").replace("-", "_")
    if plain not in _SETTERS:
        raise usage_error(
            "option-unknown", f"import has no option {name!r}", f"there are {', '.join(sorted(_SETTERS))}"
        )
    return _SETTERS[plain](options, plain, value)


def with_comments(options: ImportOptions, namespaces: list[str], texts: list[str]) -> ImportOptions:
    """The options with the comments that namespaces and texts make, one after the other.

    :raises AdminError: ``option-invalid``
    """
    if len(namespaces) not in (0, len(texts)):
        raise usage_error(
            "option-invalid", f"{len(texts)} annotation texts have {len(namespaces)} namespaces", "give each text one"
        )
    pairs = zip(namespaces or [""] * len(texts), texts, strict=True)
    return dataclasses.replace(options, comments=tuple(Comment(namespace, text) for namespace, text in pairs))


Setter = Callable[[ImportOptions, str, object], ImportOptions]


def _text(field: str) -> Setter:
    def set_text(options: ImportOptions, _: str, value: object) -> ImportOptions:
        return dataclasses.replace(options, **{field: str(value)})  # type: ignore[arg-type] # fields of type str

    return set_text


def _number(field: str, lowest: int, highest: int) -> Setter:
    def set_number(options: ImportOptions, name: str, value: object) -> ImportOptions:
        text = str(value)
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise _invalid(name, value, f"is a whole number from {lowest} to {highest}")
        return dataclasses.replace(options, **{field: int(text)})  # type: ignore[arg-type] # fields of type int

    return set_number


def _word(field: str, words: tuple[str, ...]) -> Setter:
    def set_word(options: ImportOptions, name: str, value: object) -> ImportOptions:
        if value not in words:
            raise _invalid(name, value, f"is one of {', '.join(words)}")
        return dataclasses.replace(options, **{field: value})  # type: ignore[arg-type] # fields of type str

    return set_word


def _transfer(options: ImportOptions, name: str, value: object) -> ImportOptions:
    if value not in list(Transfer):
        raise _invalid(name, value, f"is one of {', '.join(Transfer)}")
    return dataclasses.replace(options, transfer=Transfer(str(value)))


def _skip(options: ImportOptions, name: str, value: object) -> ImportOptions:
    words = frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset({str(value)})
    if not words <= set(SKIPS):
        raise _invalid(name, value, f"is one of {', '.join(SKIPS)}")
    return dataclasses.replace(options, skip=options.skip | words)


def _target(options: ImportOptions, _: str, value: object) -> ImportOptions:
    return dataclasses.replace(options, target=parse_target(str(value)))


def _target_id(kind: str) -> Setter:
    def set_target(options: ImportOptions, _: str, value: object) -> ImportOptions:
        return dataclasses.replace(options, target=target_of_id(kind, str(value)))

    return set_target


def _keep_going(options: ImportOptions, name: str, value: object) -> ImportOptions:
    wanted = _WORDS.get(str(value).lower())
    if wanted is None:
        raise _invalid(name, value, "is true or false")
    return dataclasses.replace(options, keep_going=wanted)


def _comment_part(options: ImportOptions, name: str, value: object) -> ImportOptions:
    old = options.comments[0] if options.comments else Comment("", "")
    new = Comment(str(value), old.text) if name == "annotation_ns" else Comment(old.namespace, str(value))
    return dataclasses.replace(options, comments=(new,))


def _annotations(options: ImportOptions, name: str, value: object) -> ImportOptions:
    ids = []
    for text in map(str, value if isinstance(value, list | tuple) else [value]):
        if not (text.isascii() and text.isdigit() and int(text) <= _HIGHEST_ID):
            raise _invalid(name, text, "is the id of an annotation, a whole number")
        ids.append(int(text))
    return dataclasses.replace(options, annotation_ids=tuple(dict.fromkeys([*options.annotation_ids, *ids])))


_SETTERS: dict[str, Setter] = {
    "name": _text("name"),
    "n": _text("name"),
    "description": _text("description"),
    "x": _text("description"),
    "target": _target,
    "T": _target,
    "d": _target_id("Dataset"),
    "r": _target_id("Screen"),
    "transfer": _transfer,
    "checksum_algorithm": _word("checksum", ALGORITHMS),
    "exclude": _word("exclude", EXCLUSIONS),
    "skip": _skip,
    "annotation_ns": _comment_part,
    "annotation_text": _comment_part,
    "annotation_link": _annotations,
    "depth": _number("depth", 0, 1000),
    "parallel_fileset": _number("filesets", 1, _MOST_PARALLEL),
    "parallel_upload": _number("uploads", 1, _MOST_PARALLEL),
    "continue": _keep_going,
    "c": _keep_going,
}


def _invalid(name: str, value: object, rule: str) -> AdminError:
    return usage_error("option-invalid", f"{name} is {value!r}, and it {rule}")

"""The Welsh catalogues are complete, and translations keep placeholders, tags and full stops."""

import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from shutil import copytree

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from node.web.message_extraction import (
    PROJECT_ROOT,
    extract,
    find_translation_errors,
    serialise,
    source_folders,
    update_catalogue,
)
from node.web.translations import WELSH, MessageCatalogues, catalogue_path, read_catalogue

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%\{\w+\}")
TAG = re.compile(r"</?\w+")
# Texts that are the same in both languages.
SAME = frozenset(
    {"%(count)s ms", "Apache", "BSD", "Beta", "Creative Commons", "MIT", "Map", "Tag", "Webhook"}
)
PACKAGED = ("federation", "migrations", "node", "plugins")

FOLDERS = pytest.mark.parametrize("folder", source_folders(), ids=lambda path: path.parent.name)


@pytest.fixture(scope="module")
def known() -> dict[Path, Catalog]:
    catalogues = {}
    for folder in source_folders():
        with catalogue_path(folder).open("rb") as file:
            catalogues[folder] = read_po(file, locale=WELSH, abort_invalid=True)
    return catalogues


@cache
def fresh(folder: Path) -> Catalog:
    """The catalogue as it should be, cached because extraction takes seconds."""
    return update_catalogue(catalogue_path(folder), extract(source_folders()[folder]))


@FOLDERS
def test_everything_is_translated(folder: Path) -> None:
    """If this fails, `./dev translations` lists what to do."""
    assert list(find_translation_errors(fresh(folder))) == []


@FOLDERS
def test_catalogue_has_exactly_the_extracted_texts(folder: Path) -> None:
    """If this fails, run `./dev translations`."""
    assert catalogue_path(folder).read_bytes() == serialise(fresh(folder))


def forms(message: Message) -> list[tuple[str, str]]:
    """Pairs of an English text and its Welsh translation."""
    translations = message.string or ""
    if isinstance(message.id, str):
        return [(message.id, str(translations))]
    return [(message.id[1], welsh) for welsh in translations]


@FOLDERS
def test_translation_has_same_placeholders_and_tags(
    folder: Path, known: dict[Path, Catalog]
) -> None:
    wrong = [
        english
        for message in known[folder]
        if message.id
        for english, welsh in forms(message)
        if sorted(PLACEHOLDER.findall(english)) != sorted(PLACEHOLDER.findall(welsh))
        or sorted(TAG.findall(english)) != sorted(TAG.findall(welsh))
    ]
    assert not wrong


@FOLDERS
def test_translation_ends_with_same_punctuation(folder: Path, known: dict[Path, Catalog]) -> None:
    wrong = [
        english
        for message in known[folder]
        if message.id
        for english, welsh in forms(message)
        if (english[-1] in ".:?!" or welsh[-1] in ".:?!") and english[-1] != welsh[-1]
    ]
    assert not wrong


@FOLDERS
def test_translation_differs_from_english(folder: Path, known: dict[Path, Catalog]) -> None:
    same = [
        english
        for message in known[folder]
        if message.id
        for english, welsh in forms(message)
        if english == welsh and PLACEHOLDER.sub("", english).strip() and english not in SAME
    ]
    assert not same


def test_missing_translations_are_detected() -> None:
    some = Catalog(locale=WELSH)
    some.add("No", "Na")
    some.add("Yes")
    some.add(("%(num)s day", "%(num)s days"), ("%(num)s diwrnod", "", "", "", ""))
    some.add("Fresh %(name)s", "Ffres", flags=["python-format", "fuzzy"])
    assert len(list(find_translation_errors(some))) == 3


def test_numbers_have_their_welsh_forms() -> None:
    welsh = MessageCatalogues().translations_for(WELSH)
    forms = {
        number: welsh.ngettext("%(num)s project", "%(num)s projects", number)
        for number in (0, 1, 2, 3, 4, 6, 7)
    }
    assert forms[2] == "%(num)s brosiect"
    assert forms[3] == forms[6] == "%(num)s phrosiect"
    assert forms[0] == forms[1] == forms[4] == forms[7] == "%(num)s prosiect"


def test_operators_translations_have_priority(tmp_path: Path) -> None:
    path = catalogue_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Home"\nmsgstr "Cartref"\n\nmsgid "Orchard"\nmsgstr "Perllan"\n'
    )
    welsh = MessageCatalogues([tmp_path, tmp_path / "none"]).translations_for(WELSH)
    assert read_catalogue(path).gettext("Home") == "Cartref"
    assert (welsh.gettext("Home"), welsh.gettext("Orchard")) == ("Hafan", "Perllan")


def test_package_has_catalogues(tmp_path: Path) -> None:
    for name in PACKAGED:
        copytree(PROJECT_ROOT / name, tmp_path / name)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((PROJECT_ROOT / name).read_bytes())
    build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build], cwd=tmp_path, check=True, capture_output=True
    )
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    assert {
        catalogue_path(folder).relative_to(PROJECT_ROOT).as_posix() for folder in source_folders()
    } <= packed


# After 2 a noun takes the soft mutation, after 6 the aspirate.
SOFT = {"ll": "l", "rh": "r", "p": "b", "t": "d", "c": "g", "b": "f", "m": "f", "d": "dd", "g": ""}
ASPIRATE = {"p": "ph", "t": "th", "c": "ch"}
COUNTED = re.compile(r"(?:%\(num\)s |^(?!.*%\(num\)s))(\w+)")


def mutated(noun: str, mutation: dict[str, str]) -> str:
    first = next((sound for sound in mutation if noun.startswith(sound)), "")
    if noun.startswith(("ch", "dd", "ff", "ph", "th")):
        return noun
    return mutation.get(first, "") + noun.removeprefix(first)


@FOLDERS
def test_nouns_mutate_after_numbers(folder: Path, known: dict[Path, Catalog]) -> None:
    for message in known[folder]:
        if not message.pluralizable:
            continue
        nouns = [noun[1] for form in message.string or () if (noun := COUNTED.search(form))]
        if len(nouns) == 5 and nouns[0] != "o":  # "0 o bobl": with a plural noun
            assert nouns[2] == mutated(nouns[0], SOFT), message.string
            assert nouns[4] == mutated(nouns[0], ASPIRATE), message.string

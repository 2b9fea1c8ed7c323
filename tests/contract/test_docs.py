# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages point at what is there: links, images, headings, and the files that they (and the code) name."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "demo", "docs", "engine", "human3r_blender", "requirements", "tests", "tools")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("demo/*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
FILE = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """(file, anchor) of every link and image that stays inside the repository."""
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        yield ((page.parent / path).resolve() if path else page), anchor


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in a link."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@every_page
def test_links_and_images_are_there(page):
    assert not [path for path, _ in links(page) if not path.exists()]
    assert not [anchor for path, anchor in links(page) if anchor and anchor not in anchors(path)]


@every_page
def test_files_that_a_page_names_are_there(page):
    assert not [name for name in FILE.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).exists()]


def test_pages_that_the_code_names_are_there():
    code = [path for folder in FOLDERS for kind in ("*.py", "*.txt") for path in (ROOT / folder).rglob(kind)]
    named = {name for path in code for name in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text(encoding="utf-8"))}
    assert named and not [name for name in named if not (ROOT / name).is_file()]


def test_every_page_of_the_docs_can_be_reached():
    linked = {path for page in PAGES for path, _ in links(page)}
    assert not [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in linked]

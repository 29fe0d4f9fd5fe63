"""The report is one file that needs no other, and well-formed."""

import base64
import io
import math
import re
from html.parser import HTMLParser

import matplotlib.image
import pytest

from bnnkit.study import Study
from bnnkit.study.findings import Findings
from bnnkit.study.report import write_report

VOID = {"meta", "img", "br"}


class Checked(HTMLParser):
    """Every tag is closed in its turn; tags and attributes are collected."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.images, self.ids, self.said = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(attributes["src"])
        self.links += [attributes[key] for key in ("href", "action", "data") if key in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []
        assert tag not in ("script", "link", "iframe", "object")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


@pytest.mark.parametrize("name", ["loop", "quantisation"])
def test_a_report_needs_nothing_else(name, quickly):
    text = (quickly(name) / "report.html").read_text(encoding="utf-8")
    report = Checked(text)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", text.split("<body>")[0])
    assert all(link.startswith("#") and link[1:] in report.ids for link in report.links)
    assert report.images
    for source in report.images:
        assert source.startswith("data:image/png;base64,")
        picture = io.BytesIO(base64.b64decode(source.split(",")[1], validate=True))
        assert matplotlib.image.imread(picture, format="png").ndim == 3


def test_what_is_written_by_hand_is_text_in_the_report(tmp_path):
    odd = '<script>alert("1")</script> & co'
    findings = Findings(odd, odd, tmp_path)
    findings.table(odd, "table", (odd,), [(odd,)])
    study = Study("odd", None, False, {"title": odd, "about": odd})
    write_report(tmp_path / "report.html", study, [findings], {"system": odd})
    report = Checked((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "".join(report.said).count(odd) >= 7


def test_long_tables_are_folded(tmp_path):
    findings = Findings("t", "", tmp_path)
    findings.table("short", "short", ("a",), [(1,)] * 3)
    findings.table("long", "long", ("a",), [(0.123456,)] * 50)
    study = Study("s", "full", True, {"title": "t", "about": ""})
    write_report(tmp_path / "report.html", study, [findings], {})
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<details open><summary>short (3 rows)" in text
    assert "<details><summary>long (50 rows)" in text
    assert "0.1235" in text
    assert "size full, quick" in text


def test_a_radius_that_a_rounding_would_confuse_is_told_apart(tmp_path):
    findings = Findings("Title", "", tmp_path)
    findings.table("Medians", "medians", ("at", "above"), [(0.05, math.nextafter(0.05, 1))])
    assert findings.items[0][2] == [["0.05", "just above 0.05"]]
    written = (tmp_path / "medians.csv").read_text().splitlines()[1].split(",")
    assert [float(cell) for cell in written] == [0.05, math.nextafter(0.05, 1)]

"""The report of a study: one HTML file that needs nothing else."""

import base64
import html
import json

from bnnkit._files import write_text

_STYLE = """
:root { color-scheme: light; }
body { font: 18px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto;
       max-width: 60rem; padding: 1rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.5rem; margin: 2.5rem 0 .5rem; border-top: 3px solid #0072b2; padding-top: .5rem; }
h3 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; }
nav a { display: inline-block; margin: .2rem .8rem .2rem 0; color: #0072b2; }
figure { margin: 1rem 0; }
figcaption, summary { font-weight: 600; }
img { max-width: 100%; height: auto; display: block; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ccc; text-align: right;
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { background: #f2f5f8; }
pre { background: #f2f5f8; padding: .8rem; overflow-x: auto; font-size: .8rem; }
@media print { details { display: block; } }
"""
_MOST_ROWS = 14  # of a table that is shown unfolded


def write_report(path, study, findings, environment):
    """Write the report.

    Parameters
    ----------
    path : path
    study : Study
    findings : list of Findings
    environment : dict
        Versions and the like.
    """
    title = html.escape(study["title"])
    links = "".join(f'<a href="#part-{i}">{_text(f.title)}</a>' for i, f in enumerate(findings))
    body = [f"<h1>{title}</h1>", *_paragraphs(study["about"]), f"<nav>{links}</nav>"]
    for i, each in enumerate(findings):
        body += [f'<section id="part-{i}"><h2>{_text(each.title)}</h2>', *_paragraphs(each.text)]
        body += [_figure(*item) if len(item) == 2 else _table(*item) for item in each.items]
        body.append("</section>")
    size = f"{study.name}, size {study.size or 'as written'}{', quick' if study.quick else ''}"
    body += [f"<h2>How it was made</h2><p>Study {_text(size)}.</p>"]
    body += [_json("All settings", study.settings), _json("Environment", environment)]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, '
        f'initial-scale=1"><title>{title}</title><style>{_STYLE}</style>'
    )
    lines = ("<!DOCTYPE html>", '<html lang="en">', f"<head>{head}</head>", "<body>", *body)
    write_text(path, "\n".join([*lines, "</body>", "</html>", ""]))


def _text(value):
    return html.escape(str(value))


def _paragraphs(text):
    return [f"<p>{_text(each)}</p>" for each in text.split("\n\n") if each.strip()]


def _figure(caption, path):
    data = base64.b64encode(path.read_bytes()).decode()
    said = _text(caption)
    return (
        f"<figure><figcaption>{said}</figcaption>"
        f'<img alt="{said}" src="data:image/png;base64,{data}"></figure>'
    )


def _table(caption, header, rows):
    cells = "".join(f"<th>{_text(each)}</th>" for each in header)
    lines = ["".join(f"<td>{_text(each)}</td>" for each in row) for row in rows]
    table = f"<table><tr>{cells}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
    open_ = " open" if len(rows) <= _MOST_ROWS else ""
    return (
        f"<details{open_}><summary>{_text(caption)} ({len(rows)} rows)</summary>"
        f'<div class="table">{table}</div></details>'
    )


def _json(caption, value):
    text = _text(json.dumps(value, indent=2, ensure_ascii=False))
    return f"<details><summary>{_text(caption)}</summary><pre>{text}</pre></details>"

"""`run`: everything that a study asks for, part by part, into a folder."""

import inspect
import itertools
import json

from bnnkit._files import write_text
from bnnkit._progress import say
from bnnkit.campaign.environment import environment
from bnnkit.study import measures
from bnnkit.study.findings import Findings
from bnnkit.study.laboratory import Laboratory
from bnnkit.study.report import write_report

_IN_REPORT = ("measures", "runs", "pools")


def run(study, folder, jobs=1, data_home=None):
    """Do what a study asks for; go on where the folder ends.

    Parameters
    ----------
    study : Study
        See `load`.
    folder : path
        For everything that is found: ``study.json`` (all settings), ``made.json`` (what each
        result was made of), ``environment.json``, ``runs``, ``pools``, ``measures`` and
        ``report.html``. Models are pickled in it, with a seal by which only your own are loaded
        (see `bnnkit.robust.train`).
    jobs : int
        Processes, as joblib counts them.
    data_home : path, optional
        As for `bnnkit.datasets.load`.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    ValueError
        The folder has other files, or a run or pool of that name with other settings; and for
        all that its parts complain about.

    Examples
    --------
    >>> from bnnkit import study
    >>> study.run(study.load("loop", quick=True), "runs/loop")  # doctest: +SKIP
    """
    laboratory = Laboratory(study, folder, jobs, data_home)
    made_in = json.loads(environment()) | {"jobs": jobs}
    write_text(laboratory.place("environment.json"), json.dumps(made_in, indent=2) + "\n")
    path, found = laboratory.place("report.html"), {section: [] for section in _IN_REPORT}
    for title, text, place, work in _parts(laboratory):
        findings = Findings(title, text, laboratory.folder.joinpath(*place))
        work(findings)
        found[place[0]].append(findings)
        write_report(path, study, [*itertools.chain(*found.values())], made_in)
        say(f"{title}: done")
    return path


def _parts(laboratory):
    """Title, explanation, folder and work of each part, in the order of work."""
    study = laboratory.study
    for section, work in (("runs", measures.run), ("pools", measures.pool)):
        for name in study[section]:
            title = f"{section[:-1].capitalize()} {name}"
            call = lambda found, work=work, name=name: work(found, laboratory, name)  # noqa: E731
            yield title, _said(work), (section, name), call
    for name, table in study["measures"].items():
        work = measures.KINDS[table["kind"]]
        call = lambda found, work=work, table=table: work(found, laboratory, table)  # noqa: E731
        yield table["title"], _said(work), ("measures", name), call


def _said(function):
    return inspect.getdoc(function)

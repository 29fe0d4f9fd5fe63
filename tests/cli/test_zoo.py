import json

import pytest
import tiny_zoo

from bnnkit import zoo
from bnnkit.cli import main
from bnnkit.zoo import Card, Zoo, catalog


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tiny_zoo.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def here(made, monkeypatch):
    """The tiny zoo in place of the package's."""
    monkeypatch.setattr(catalog, "PACKAGED", made.zoo)
    return made


def test_the_table_has_a_line_for_each_network(here, capsys):
    assert main(["zoo"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    found = here.card.evaluation
    assert header.split()[-1] == "certified"
    assert line.split() == [
        *("digits-tiny", "digits", "24", "0.05"),
        *(f"{found.clean_accuracy:.2%}", f"{found.pgd_accuracy:.2%}"),
        f"{found.certified_accuracy:.2%}",
    ]


def test_one_card(here, capsys):
    assert main(["zoo", "digits-tiny"]) == 0
    assert capsys.readouterr().out == f"{here.card}\n"


def test_json_is_the_cards(here, capsys):
    assert main(["zoo", "digits-tiny", "--json"]) == 0
    assert Card.from_json(capsys.readouterr().out) == here.card
    assert main(["zoo", "--json"]) == 0
    (card,) = json.loads(capsys.readouterr().out)
    assert Card.from_json(json.dumps(card)) == here.card


def test_an_unknown_name_is_an_error_with_the_nearest_one(here, capsys):
    assert main(["zoo", "digits-tinny"]) == 2
    assert "did you mean 'digits-tiny'" in capsys.readouterr().err


def test_an_empty_zoo_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(catalog, "PACKAGED", Zoo(tmp_path))
    assert zoo.names() == ()
    assert main(["zoo"]) == 0
    said = capsys.readouterr().out.strip()
    assert said.startswith("the zoo is empty")
    assert main(["zoo", "digits-tiny"]) == 2
    assert said in capsys.readouterr().err
    assert main(["zoo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--at-least", "0.1"],
        ["verify", "--eps", "0.05", "--first", "5"],
        ["attack", "--eps", "0.05", "--first", "5", "--attack", "noise"],
        ["compare", "--eps", "0.05", "--first", "5", "--solver", "native"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_take_a_network_of_the_zoo(here, arguments, capsys):
    command, *others = arguments
    path = here.zoo.folder / "digits-tiny.npz"
    for model in ("zoo:digits-tiny", str(path)):
        assert main([command, model, *others]) == 0
    assert main([command, "zoo:digits-tinny", *others]) == 2
    assert "did you mean 'digits-tiny'" in capsys.readouterr().err


def test_a_file_may_be_called_zoo(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here.classifier.network_.save("zoo")
    assert main(["evaluate", "zoo"]) == 0

import importlib
import os
import re
import shlex
import subprocess
import sys

import pytest

from bnnkit._version import __version__
from bnnkit.cli import main, specification
from bnnkit.cli.main import COMMANDS, _parser


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"bnnkit {command}" in capsys.readouterr().out.split("example")[-1]


def examples():
    """Commands in the examples of each help: words, comments left out."""
    modules = [importlib.import_module(f"bnnkit.cli.{name}") for name in COMMANDS]
    for module in (*modules, specification):
        text = module.EXAMPLES.replace("\\\n", " ")
        for line in re.findall(r"^  .*?\bbnnkit (.*)", text, re.MULTILINE):
            yield shlex.split(re.split(" [#>]", line)[0])


@pytest.mark.parametrize("words", list(examples()), ids=" ".join)
def test_an_example_is_parsed_and_has_the_data_of_its_network(words):
    args = vars(_parser().parse_args(words))
    of_mnist = re.search("mlp-small|mnist", str(args.get("model")))
    assert not of_mnist or args.get("dataset", "mnist") == "mnist"


def test_examples_are_found():
    found = list(examples())
    assert {words[0] for words in found} == set(COMMANDS)
    assert next(words[:3] for words in found if "--formulas" in words) == [
        "compare",
        "--formulas",
        "*.cnf.gz",
    ]


def test_nothing_is_answered_with_the_help(capsys):
    assert main([]) == 2
    assert "Every command explains itself" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["verify"], ["study", "run"]])
def test_help_is_a_word_too(words, capsys):
    said = []
    for arguments in (["help", *words], [*words, "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        said.append((stop.value.code, capsys.readouterr().out))
    assert said[0] == said[1]
    assert said[0][0] == 0


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("frobnicate", "there is no command 'frobnicate'; there are demo, "),
        ("verify x.npz --eps abc", "write 0.1 or 8/255"),
        ("verify x.npz --eps 1/0", "write 0.1 or 8/255"),
        ("verify x.npz --eps 1e999999999", "write 0.1 or 8/255"),
        ("verify x.npz --eps 0.1 --at-least 90", "90 % is 0.9"),
        ("train --out x.npz --seed -1", "--seed"),
        ("train --out x.npz --epochs 0", "whole number of at least 1"),
        (
            "attack x.npz --eps 0.1 --attack pdg",
            "noise, fgsm, pgd, exact; did you mean 'pgd'?",
        ),
        ("harden --eps 0.1 --out x --attack exat", "did you mean 'exact'?"),
        ("harden --eps 0.1 --out x --source pol", "did you mean 'pool'?"),
        ("verfy x.npz", "did you mean 'verify'?"),
        ("--versoin", "there is no option --versoin; did you mean '--version'?"),
        ("verify x.npz --epps 0.1", "there is no option --epps; did you mean '--eps'?"),
        ("attack x.npz --epps=0.1", "there is no option --epps; did you mean '--eps'?"),
        ("verify x.npz --epsilon 0.1", "did you mean '--eps'?"),
        ("study run loop --job 2 --quik", "did you mean '--quick'?"),
        (
            "study rnu loop",
            "there is no command 'rnu'; there are list, show, keys, run; did you mean",
        ),
        ("campaign stat x.sqlite", "did you mean 'status'?"),
        ("fuzz formlas", "did you mean 'formulas'?"),
        ("verify x.npz y.npz --eps 0.1 --question votes", "did you mean 'vote'?"),
        ("verify x.npz --eps 0.1 --pixels uint", "did you mean 'uint8'?"),
        ("evaluate x.npz y.npz", "bnnkit evaluate: error: unrecognized arguments: y.npz"),
    ],
)
def test_wrong_use_is_exit_code_2(arguments, says, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("evaluate nowhere.npz", "nowhere.npz: No such file"),
        ("train --out x.npz --architecture mlp-smal", "did you mean 'mlp-small'"),
        ("train --out x.npz --dataset digit", "did you mean 'digits'"),
        ("train --out x.npz --quant-step 3", "quant_step"),
        ("data --download digit", "did you mean 'digits'"),
        ("zoo mnist-mlp", "did you mean 'mnist-mlp-eps0.1'"),
        ("evaluate zoo:mnist-mlp", "did you mean 'mnist-mlp-eps0.1'"),
        ("verify zoo:mnist-mlp-eps0.1 --eps 0 --solver nativ", "did you mean 'native'"),
        ("solve x.cnf --solver cadical:totaliser", "did you mean 'totalizer'"),
        ("study show lop", "did you mean 'loop'"),
        ("study run loop --size ful", "did you mean 'full'"),
        ("verify x.npz", "--eps is needed"),
        ("verify x.npz --eps 0.1 --results answer.txt", "--results is for a .vnnlib file"),
    ],
)
def test_errors_are_one_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"bnnkit {arguments.split()[0]}: error: ")
    assert says in error
    assert error.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_a_module_run_is_the_command():
    done = subprocess.run([sys.executable, "-m", "bnnkit", "--version"], capture_output=True)
    assert done.returncode == 0
    assert __version__.encode() in done.stdout


PROGRAM = """
import sys
import bnnkit
print([name for name in ("matplotlib", "ortools", "numba", "pysat", "tqdm") if name in sys.modules])
"""


def test_importing_bnnkit_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr

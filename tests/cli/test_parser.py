import pytest

from bnnkit.cli.parser import Parser


@pytest.fixture
def parser():
    parser = Parser(prog="tool")
    parser.add_argument("--verbose", action="store_true")
    actions = parser.add_subparsers(dest="action", required=True)
    paint = actions.add_parser("paint")
    paint.add_argument("things", nargs="*")
    paint.add_argument("--colour", choices=["red", "green"], required=True)
    return parser


def test_what_is_right_is_parsed_as_argparse_does(parser):
    args = parser.parse_args(["--verb", "paint", "--col=red", "--", "--coluor", "-1"])
    assert (args.verbose, args.colour, args.things) == (True, "red", ["--coluor", "-1"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--verbsoe paint", "tool: error: there is no option --verbsoe; did you mean '--verbose'?"),
        ("paint --coluor red", "tool paint: error: there is no option --coluor; did you mean"),
        ("paint --coluor=--red", "there is no option --coluor; did you mean '--colour'?"),
        ("paint --xyz", "there is no option --xyz\n"),
        ("paint --colour gren", "there is no choice 'gren'; there are red, green; did you mean"),
        ("piant", "there is no command 'piant'; there are paint; did you mean 'paint'?"),
        ("paint --colour red -x", "unrecognized arguments: -x"),
        ("paint", "required: --colour"),
        ("", "required: action"),
    ],
)
def test_what_is_wrong_is_answered_with_the_nearest_name(parser, arguments, says, capsys):
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(arguments.split())
    assert stop.value.code == 2
    assert says in capsys.readouterr().err

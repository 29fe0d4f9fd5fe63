"""What waits for itself, or asks a question that cannot be answered, is refused before any work."""

import pytest

from bnnkit import study

REAL = ('architecture = "16"\nquant_step = 0.5', 'kind = "real"\nhidden = [8]')
WRONG = {
    "a circle": (
        [('run = "plain"', 'run = "live"')],
        "[runs.live] needs [pools.judge] needs [runs.live]: they wait for each other",
    ),
    "a pool without the source": (
        [("rounds = 2", 'rounds = 2\npool = "judge"')],
        '[runs.live] source = ["pool"] and pool belong together',
    ),
    "a source without the pool": ([('["live"]', '["pool"]')], "belong together"),
    "two starts": (
        [("start = 200", 'start = 200\nstart_pool = "judge"')],
        "[runs.live] has start and start_pool",
    ),
    "real-valued and resistance": ([REAL], "[measures.curve] resistance is about binarized"),
    "real-valued and exact, live": (
        [REAL, ('["live"]\nattack = "pgd"', '["live"]\nattack = "joint"')],
        "[runs.live] asks the attack 'joint' about real-valued networks",
    ),
    "real-valued and an exact judge": (
        [REAL, ('judges = ["judge"]', 'judges = ["exact"]')],
        "[runs.live] asks the attack 'exact'",
    ),
    "real-valued and an exact pool": (
        [REAL, ('attack = "pgd"\neps = 0.3\nsplit', 'attack = "vote"\neps = 0.3\nsplit')],
        "[pools.judge] asks the attack 'vote'",
    ),
    "low without noise": (
        [("rounds = 2", "rounds = 2\nlow = 0.5")],
        "[runs.live] low = 0.5 has no effect with source = ['live'], which has no 'noise'; leave",
    ),
    "refill without live": (
        [('["live"]\nattack = "pgd"', '["noise"]\nrefill = true')],
        "[runs.live] refill = True has no effect",
    ),
    "hidden of a binarized one": (
        [("quant_step = 0.5", "quant_step = 0.5\nhidden = [8]")],
        "[models.bnn] hidden = [8] has no effect with kind = 'bnn'; leave it out",
    ),
    "a vote of one": (
        [('of = ["plain", "live"]', 'of = ["plain"]')],
        "[measures.curve] question = 'vote' is about several networks, and its runs have one each",
    ),
    "a target that nothing judges": (
        [("rounds = 2", "rounds = 2\ntarget = { jugde = 0.9 }")],
        "target names 'jugde', but what is judged is clean, clean[0], clean[1], judge, judge[0]",
    ),
    "a pool that is called like an attack": (
        [("[pools.judge]", "[pools.pgd]"), ('judges = ["judge"]', 'judges = ["pgd"]')],
        "[pools.pgd] has the name of an attack",
    ),
    "a layer that there is not": (
        [('kind = "rounds"', 'kind = "weights"\nlayer = 1')],
        "[measures.rounds] layer must be below the 1 hidden layers of [runs.live], got 1",
    ),
    "a joint question in a table of accuracies": (
        [
            (
                'kind = "white-box"\nof = ["live"]\neps = 0.3',
                'kind = "comparison"\nquestion = "joint"\nof = ["live"]\neps = [0.3]',
            )
        ],
        "[measures.again] question must be one of the names below, got 'joint'",
    ),
    "a judge that a run has not": (
        [('kind = "rounds"', 'kind = "rounds"\njudge = "pgd"')],
        "[measures.rounds] judge 'pgd' is none of those of [runs.live]: judge",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_a_sentence(case, written):
    replacements, said = WRONG[case]
    with pytest.raises(ValueError) as error:
        study.load(written(*replacements))
    assert said in str(error.value)
